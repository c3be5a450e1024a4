/** A first-in, first-out queue of at most `max` items: one more and the oldest is dropped and counted. */
export class EventQueue<Item> {
  readonly #max: number;
  #items: Item[] = [];
  #head = 0;
  #dropped = 0;

  /** @throws {RangeError} when `max` is not a whole number from 1 */
  constructor(max: number) {
    if (!Number.isSafeInteger(max) || max < 1)
      throw new RangeError(`a queue of at most ${max} items cannot be: give a whole number from 1`);
    this.#max = max;
  }

  get size(): number {
    return this.#items.length - this.#head;
  }
  get dropped(): number {
    return this.#dropped;
  }

  push(item: Item): void {
    if (this.size === this.#max) {
      this.#dropped += 1;
      this.#head += 1;
    }
    this.#items.push(item);
    // What is over is let go of once it is as much as may wait: a constant cost an item.
    if (this.#head >= this.#max) this.#compact();
  }

  shift(): Item | undefined {
    if (this.size === 0) return undefined;
    const item = this.#items[this.#head];
    this.#head += 1;
    if (this.size === 0) this.#compact();
    return item;
  }

  #compact(): void {
    this.#items = this.#items.slice(this.#head);
    this.#head = 0;
  }
}
