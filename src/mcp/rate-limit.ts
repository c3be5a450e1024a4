/** So many at once, so many a second in the long run. Time is the caller's, in milliseconds; one that goes back grants nothing. */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  #left: number;
  #at: number;

  constructor(perSecond: number, burst: number, now: number) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#left = burst;
    this.#at = now;
  }

  /**
   * Takes `count`; what is more than fits at all is granted by a full bucket.
   *
   * @returns milliseconds until the same would be granted; 0: taken
   */
  take(count: number, now: number): number {
    this.#fill(now);
    const wanted = Math.min(count, this.#burst);
    if (this.#left >= wanted) {
      this.#left -= wanted;
      return 0;
    }
    return Math.ceil(((wanted - this.#left) * 1000) / this.#perSecond);
  }

  /** Nothing of it is in use: a new one would be the same. */
  isFull(now: number): boolean {
    this.#fill(now);
    return this.#left >= this.#burst;
  }

  #fill(now: number): void {
    this.#left = Math.min(this.#burst, this.#left + (Math.max(0, now - this.#at) * this.#perSecond) / 1000);
    this.#at = now;
  }
}
