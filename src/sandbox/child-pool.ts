import { DisposableChild, SandboxUnavailableError } from './disposable-child.ts';

/**
 * Keeps `size` children started ahead of use. Lazy: the first `take` starts it. Each child is handed out once and replaced in
 * the background; children that are gone are dropped. After `close` nothing is handed out.
 */
export class ChildPool {
  readonly #start: () => Promise<DisposableChild>;
  readonly #size: number;
  readonly #idle = new Set<Promise<DisposableChild>>();
  readonly #live = new Set<DisposableChild>();
  #closed = false;

  constructor(start: () => Promise<DisposableChild>, size: number) {
    this.#start = start;
    this.#size = size;
  }

  /** A ready child. @throws SandboxUnavailableError when this machine cannot start one, or after `close`. */
  async take(): Promise<DisposableChild> {
    for (let failures = 0; ; ) {
      if (this.#closed) throw new SandboxUnavailableError('the sandbox is closed');
      if (this.#idle.size === 0) this.#add();
      const [next] = this.#idle;
      if (next === undefined) continue;
      this.#idle.delete(next);
      this.fill();
      // A child that is still starting does not keep this process alive; whoever waits for it does.
      const awake = setInterval(() => {}, 2 ** 30);
      try {
        const child = await next;
        if (child.alive) return child;
      } catch (error) {
        // One child may fall to chance (the system's memory killer); two in a row are a fault of the machine.
        if (this.#closed || ++failures === 2) throw error;
      } finally {
        clearInterval(awake);
      }
    }
  }

  /** Starts what is missing, in the background. */
  fill(): void {
    while (!this.#closed && this.#idle.size < this.#size) this.#add();
  }

  /** Kills every child, idle or in use, and waits until they are gone. */
  async close(): Promise<void> {
    this.#closed = true;
    const starting = [...this.#idle];
    this.#idle.clear();
    for (const child of this.#live) child.kill();
    const awake = setInterval(() => {}, 2 ** 30);
    await Promise.allSettled(starting);
    await Promise.all([...this.#live].map((child) => child.gone));
    clearInterval(awake);
  }

  #add(): void {
    const starting = this.#start().then(async (child) => {
      this.#live.add(child);
      void child.gone.then(() => this.#live.delete(child));
      if (this.#closed) child.kill();
      await child.ready;
      return child;
    });
    starting.catch(() => {});
    this.#idle.add(starting);
  }
}
