import { type DisposableChild, SandboxUnavailableError } from './disposable-child.ts';

/** One child for all uses of one owner, one after the other; another one after a use that threw or killed it. */
export class KeptChild {
  readonly #take: () => Promise<DisposableChild>;
  readonly #what: string;
  #child: DisposableChild | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  /** `what` it is, for the message of a use after `close`. */
  constructor(take: () => Promise<DisposableChild>, what: string) {
    this.#take = take;
    this.#what = what;
  }

  /** @throws the signal's reason when it is aborted before its turn comes; {@link SandboxUnavailableError} after `close` */
  use<T>(signal: AbortSignal | undefined, use: (child: DisposableChild) => Promise<T>): Promise<T> {
    const result = this.#last.then(() => this.#one(signal, use));
    this.#last = result.catch(() => undefined);
    return result;
  }

  /** Kills the child, also under a use. */
  close(): void {
    this.#closed = true;
    this.#child?.kill();
  }

  async #one<T>(signal: AbortSignal | undefined, use: (child: DisposableChild) => Promise<T>): Promise<T> {
    signal?.throwIfAborted();
    if (this.#closed) throw new SandboxUnavailableError(`${this.#what} is closed`);
    const child = this.#child?.alive === true ? this.#child : await this.#take();
    this.#child = child;
    try {
      return await use(child);
    } catch (error) {
      child.kill();
      throw error;
    } finally {
      if (this.#closed) child.kill();
    }
  }
}
