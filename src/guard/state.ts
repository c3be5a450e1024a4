/**
 * A map with one layer that can be kept or dropped: what a batch stages is seen by the calls after it, becomes true when the batch is
 * durable (`keep`) and never was when it is not (`drop`). Values are immutable; replace them, do not change them.
 */
export class LayeredMap<Value> {
  readonly #base = new Map<string, Value>();
  readonly #layer = new Map<string, Value | undefined>();

  get(key: string): Value | undefined {
    return this.#layer.size > 0 && this.#layer.has(key) ? this.#layer.get(key) : this.#base.get(key);
  }

  set(key: string, value: Value): void {
    this.#layer.set(key, value);
  }

  delete(key: string): void {
    this.#layer.set(key, undefined);
  }

  /** All entries, staged ones included: the committed ones first, in the order they were first set. */
  *entries(): Iterable<readonly [string, Value]> {
    for (const [key, value] of this.#base) if (!this.#layer.has(key)) yield [key, value];
    for (const [key, value] of this.#layer) if (value !== undefined) yield [key, value];
  }

  keep(): void {
    if (this.#layer.size === 0) return;
    for (const [key, value] of this.#layer) {
      if (value === undefined) this.#base.delete(key);
      else this.#base.set(key, value);
    }
    this.#layer.clear();
  }

  drop(): void {
    this.#layer.clear();
  }
}

/** What a reader may do with a {@link LayeredMap}. */
export type ReadonlyLayeredMap<Value> = Pick<LayeredMap<Value>, 'get' | 'entries'>;

declare const valueOf: unique symbol;
/** Names one map of the guard's memory and the type of its values. */
export interface StateKey<Value> {
  readonly name: string;
  readonly [valueOf]?: Value;
}

/** A key for a map of `Value`s; two keys of one name would share a map, so names are unique by convention: `<part>` or `<part>/<what>`. */
export function stateKey<Value>(name: string): StateKey<Value> {
  return { name };
}

/** What a policy may see of the guard's memory. */
export interface GuardMemory {
  map<Value>(key: StateKey<Value>): ReadonlyLayeredMap<Value>;
}

/**
 * All that the guard remembers besides the marks: a fold of the log, held as maps that the parts of the guard share out among them.
 * Staged changes are kept or dropped together.
 */
export class GuardState implements GuardMemory {
  readonly #maps = new Map<string, LayeredMap<unknown>>();

  map<Value>(key: StateKey<Value>): LayeredMap<Value> {
    let found = this.#maps.get(key.name);
    if (found === undefined) this.#maps.set(key.name, (found = new LayeredMap<unknown>()));
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the key carries the type of its map's values
    return found as LayeredMap<Value>;
  }

  keep(): void {
    for (const map of this.#maps.values()) map.keep();
  }

  drop(): void {
    for (const map of this.#maps.values()) map.drop();
  }
}
