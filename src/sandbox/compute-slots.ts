/**
 * How many programs compute at the same time, so that deadlines measured on the parent's clock mean something when many runs
 * are started at once. A slot is held only while a program computes: waiting for the host gives it back. First come, first served.
 */
export class ComputeSlots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(slots: number) {
    this.#free = slots;
  }

  async take(): Promise<void> {
    if (this.#free > 0) {
      this.#free--;
      return;
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#waiting.push(resolve);
    await promise;
  }

  give(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}
