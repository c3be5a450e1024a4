/** A map that forgets what was used least recently when it holds more than `max` entries. */
export class LruMap<K, V> {
  readonly #entries = new Map<K, V>();
  readonly #max: number;

  constructor(max: number) {
    this.#max = Math.max(1, max);
  }

  get(key: K): V | undefined {
    const value = this.#entries.get(key);
    if (value === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, value);
    return value;
  }

  set(key: K, value: V): void {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= this.#max) break;
      this.#entries.delete(oldest);
    }
  }

  delete(key: K): void {
    this.#entries.delete(key);
  }
}

interface Kept<V> {
  readonly version: string;
  readonly value: Promise<V>;
  /** Until then (`performance.now()`) it counts as new whatever has changed. */
  restsUntil: number;
}

/** Values that take work to make: each is made once for a version, however many ask at the same time; those used least recently go first. */
export class KeptValues<V> {
  readonly #kept: LruMap<string, Kept<V>>;
  readonly #restOf: (tookMs: number) => number;

  /**
   * @param restOf - how long a value counts as new after it took so long to make, whatever its version: what changes all the time is not
   * made for every question. @default not at all
   */
  constructor(max: number, restOf: (tookMs: number) => number = () => 0) {
    this.#kept = new LruMap(max);
    this.#restOf = restOf;
  }

  /** The value of this version. A failure is told to all who wait for it and is not kept. */
  async get(key: string, version: string, make: () => Promise<V>): Promise<V> {
    const last = this.#kept.get(key);
    const started = performance.now();
    if (last !== undefined && (last.version === version || started < last.restsUntil)) return last.value;
    const one: Kept<V> = { version, value: make(), restsUntil: Number.POSITIVE_INFINITY };
    this.#kept.set(key, one);
    try {
      const value = await one.value;
      const ended = performance.now();
      one.restsUntil = ended + this.#restOf(ended - started);
      return value;
    } catch (error) {
      if (this.#kept.get(key) === one) this.#kept.delete(key);
      throw error;
    }
  }
}
