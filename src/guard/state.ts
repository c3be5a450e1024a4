/** Stands in a map for a value that was staged away, so that its key keeps its place should the batch be dropped. */
const GONE = Symbol('gone');

/**
 * A map whose changes can be kept or taken back together: what a batch stages is seen by the calls after it, becomes true when the batch is
 * durable (`keep`) and never was when it is not (`drop`). Values are immutable; replace them, do not change them.
 */
export class StagedMap<Value> {
  readonly #values = new Map<string, Value | typeof GONE>();
  /** What was staged, in order: each key, and what was there before (undefined: nothing). */
  readonly #keys: string[] = [];
  readonly #before: (Value | typeof GONE | undefined)[] = [];
  readonly #onStaged: (() => void) | undefined;

  /** `onStaged` is told of the first change after a `keep` or a `drop`. */
  constructor(onStaged?: () => void) {
    this.#onStaged = onStaged;
  }

  get(key: string): Value | undefined {
    const value = this.#values.get(key);
    return value === GONE ? undefined : value;
  }

  set(key: string, value: Value): void {
    this.#stage(key, this.#values.get(key), value);
  }

  delete(key: string): void {
    const before = this.#values.get(key);
    if (before !== undefined && before !== GONE) this.#stage(key, before, GONE);
  }

  #stage(key: string, before: Value | typeof GONE | undefined, value: Value | typeof GONE): void {
    if (this.#keys.length === 0) this.#onStaged?.();
    this.#keys.push(key);
    this.#before.push(before);
    this.#values.set(key, value);
  }

  /** All entries, staged ones included, in the order they were first set. */
  *entries(): Iterable<readonly [string, Value]> {
    for (const [key, value] of this.#values) if (value !== GONE) yield [key, value];
  }

  keep(): void {
    if (this.#keys.length === 0) return;
    for (const key of this.#keys) if (this.#values.get(key) === GONE) this.#values.delete(key);
    this.#forget();
  }

  drop(): void {
    for (let i = this.#keys.length - 1; i >= 0; i -= 1) {
      const key = this.#keys[i] ?? '';
      const before = this.#before[i];
      if (before === undefined) this.#values.delete(key);
      else this.#values.set(key, before);
    }
    this.#forget();
  }

  #forget(): void {
    this.#keys.length = 0;
    this.#before.length = 0;
  }
}

/** What a reader may do with a {@link StagedMap}. */
export type ReadonlyStagedMap<Value> = Pick<StagedMap<Value>, 'get' | 'entries'>;

declare const valueOf: unique symbol;
/** Stands for one map of the guard's memory and the type of its values. */
export interface StateKey<Value> {
  readonly slot: number;
  readonly [valueOf]?: Value;
}

const SLOTS = new Map<string, number>();

/**
 * A key for a map of `Value`s; two keys of one name share a map, so names are unique by convention: `<part>` or `<part>/<what>`. Made once,
 * when a part is loaded: keys are never forgotten.
 */
export function stateKey<Value>(name: string): StateKey<Value> {
  const slot = SLOTS.get(name) ?? SLOTS.size;
  SLOTS.set(name, slot);
  return { slot };
}

/** What a policy may see of the guard's memory. */
export interface GuardMemory {
  /** The map of `key`, or of its family the one that `of` names. */
  map<Value>(key: StateKey<Value>, of?: string): ReadonlyStagedMap<Value>;
}

/**
 * All that the guard remembers besides the marks: a fold of the log, held as maps that the parts of the guard share out among them.
 * Staged changes are kept or dropped together.
 */
export class GuardState implements GuardMemory {
  /** By slot. */
  readonly #maps: (StagedMap<unknown> | undefined)[] = [];
  /** By slot and name. */
  readonly #families = new Map<string, StagedMap<unknown>>();
  /** Those in which something is staged. */
  readonly #staged: StagedMap<unknown>[] = [];

  map<Value>({ slot }: StateKey<Value>, of?: string): StagedMap<Value> {
    const found = of === undefined ? this.#maps[slot] : this.#families.get(`${slot}/${of}`);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the key carries the type of its map's values
    return (found ?? this.#create(slot, of)) as StagedMap<Value>;
  }

  #create(slot: number, of: string | undefined): StagedMap<unknown> {
    const map: StagedMap<unknown> = new StagedMap<unknown>(() => this.#staged.push(map));
    if (of === undefined) this.#maps[slot] = map;
    else this.#families.set(`${slot}/${of}`, map);
    return map;
  }

  keep(): void {
    for (const map of this.#staged) map.keep();
    this.#staged.length = 0;
  }

  drop(): void {
    for (const map of this.#staged) map.drop();
    this.#staged.length = 0;
  }
}
