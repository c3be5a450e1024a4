import { type DisposableChild, SandboxUnavailableError } from './disposable-child.ts';

/** Uses of one child: the limits of its life (processor time, noise) are not to be met by many innocent uses. */
const MOST_USES = 64;

/** One child for the uses of one owner, one after the other; another one after a use that threw or killed it, and after many. */
export class KeptChild {
  readonly #take: () => Promise<DisposableChild>;
  readonly #what: string;
  #child: DisposableChild | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;
  #uses = 0;

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
    if (this.#closed) throw this.#over();
    const child = this.#child?.alive === true ? this.#child : await this.#another();
    try {
      signal?.throwIfAborted();
      if (this.#closed) throw this.#over();
      return await use(child);
    } catch (error) {
      child.kill();
      throw error;
    } finally {
      this.#uses += 1;
      if (this.#closed || this.#uses >= MOST_USES) child.kill();
      else child.rest();
    }
  }

  async #another(): Promise<DisposableChild> {
    this.#child?.kill();
    this.#child = await this.#take();
    this.#uses = 0;
    return this.#child;
  }

  #over(): SandboxUnavailableError {
    return new SandboxUnavailableError(`${this.#what} is closed`);
  }
}
