/** Tells whoever waits that the run's state has moved on. */
export class News {
  readonly #listeners = new Set<() => void>();

  tell(): void {
    for (const listener of this.#listeners) listener();
  }

  /** Calls `listener` whenever something is new, until the returned function is called. */
  on(listener: () => void): () => void {
    const mine = (): void => listener();
    this.#listeners.add(mine);
    return () => this.#listeners.delete(mine);
  }

  /** The first thing `look` gives that is not undefined: now, or once there is news. @throws the signal's reason once it is aborted */
  until<T>(look: () => T | undefined, signal: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        off();
        signal.removeEventListener('abort', aborted);
      };
      const aborted = (): void => {
        end();
        reject(signal.reason instanceof Error ? signal.reason : new Error(String(signal.reason)));
      };
      const check = (): void => {
        const found = look();
        if (found === undefined) return;
        end();
        resolve(found);
      };
      const off = this.on(check);
      if (signal.aborted) {
        aborted();
        return;
      }
      signal.addEventListener('abort', aborted, { once: true });
      check();
    });
  }
}
