import type { LogRecord } from './log.ts';
import { parseScopeDefinition } from './mark-schema.ts';
import type { Action, Intent, Mark, MarkId, MarkKind, Need, ScopeName } from './marks.ts';
import { parentScope, resolveScope, type ScopeDefinition } from './scope.ts';
import type { StrengthView } from './strength.ts';

/** A mark at its place in the log. */
export interface PlacedMark {
  readonly mark: Mark;
  readonly seq: number;
}

/**
 * What the log says, as of `seq`: read-only, for the infrastructure. It shows everything; what an agent may see of it is decided in
 * `query.ts`. Every list is in log order and costs its own length; do not keep one across an `await`: it may grow.
 */
export interface MarkView extends StrengthView {
  /** Position of the last record folded in. */
  readonly seq: number;
  /** Number of marks, superseded ones included. */
  readonly size: number;
  /** `createdAt` of the newest mark; 0 when there is none. */
  readonly lastCreatedAt: number;
  byId(id: MarkId): Mark | undefined;
  /** Position of a mark in the log; undefined when there is no such mark. */
  seqOf(id: MarkId): number | undefined;
  /** The mark that superseded `id` last. */
  supersededBy(id: MarkId): MarkId | undefined;
  byScope(scope: ScopeName, kind?: MarkKind): readonly PlacedMark[];
  byTopic(scope: ScopeName, topic: string): readonly PlacedMark[];
  byResource(scope: ScopeName, resource: string): readonly PlacedMark[];
  byKind(kind: MarkKind): readonly PlacedMark[];
  /** What may hold a resource: first the actions that did not fail, then the intents, each in log order; what is over is left out (some intents may have expired). {@link NO_MARKS} when nothing does. */
  claims(scope: ScopeName, resource: string): Iterable<Action | Intent>;
  /** The intents of exactly this scope that are not over, in log order (some may have expired). */
  openIntents(scope: ScopeName): Iterable<Intent>;
  /** The needs that nobody resolved, in log order. */
  openNeeds(): Iterable<Need>;
  /** `scope` and the descendants of it that have marks or definitions; all of them without an argument. */
  scopesUnder(scope?: ScopeName): Iterable<ScopeName>;
}

interface Entry {
  readonly mark: Mark;
  readonly seq: number;
  /** Superseded or withdrawn: it counts for nothing any more. */
  over: boolean;
  supersededBy: MarkId | undefined;
  invalidators: Mark[] | undefined;
  /** What an intent or an action is on. */
  resource: Resource | undefined;
}

/** None, one, or several marks, in log order: one is the rule, and then there is no list for it. */
type Few<M extends Mark> = undefined | M | Map<MarkId, M>;

interface Resource {
  all: Entry | Entry[] | undefined;
  actions: Few<Action>;
  intents: Few<Intent>;
}

interface Bucket {
  readonly all: Entry[];
  readonly kinds: Map<MarkKind, Entry[]>;
  readonly topics: Map<string, Entry[]>;
  readonly resources: Map<string, Resource>;
  readonly intents: Map<MarkId, Intent>;
  readonly children: Set<ScopeName>;
}

/** What a view answers where there are no marks. */
export const NO_MARKS: readonly never[] = Object.freeze([]);

/** The fold of the log into a {@link MarkView}. Only its owner calls `apply`; everybody else gets it as a `MarkView`. */
export class MarkIndex implements MarkView {
  #seq = 0;
  #lastCreatedAt = 0;
  readonly #byId = new Map<MarkId, Entry>();
  readonly #buckets = new Map<ScopeName, Bucket>();
  readonly #kinds = new Map<MarkKind, Entry[]>();
  readonly #needs = new Map<MarkId, Need>();
  readonly #roots = new Set<ScopeName>();
  readonly #definitions = new Map<ScopeName, ScopeDefinition>();

  get seq(): number {
    return this.#seq;
  }
  get size(): number {
    return this.#byId.size;
  }
  get lastCreatedAt(): number {
    return this.#lastCreatedAt;
  }

  /**
   * Folds one record in. Records come in log order, each once; its mark is kept as it is and must be frozen.
   *
   * @throws {RangeError} when the record is not the next one, or a mark's id is already there.
   */
  apply(record: Pick<LogRecord, 'seq' | 'body'>): void {
    if (record.seq !== this.#seq + 1) throw new RangeError(`record ${record.seq} does not follow ${this.#seq}`);
    const { body } = record;
    if (body.type === 'mark') this.#applyMark(body.mark, record.seq);
    else if (body.type === 'event') for (const id of body.withdraws ?? []) this.#end(this.#byId.get(id));
    else if (body.type === 'define' && body.what === 'scope') {
      const definition = parseScopeDefinition(body.value);
      this.#definitions.set(definition.name, definition);
      this.#bucket(definition.name);
    }
    this.#seq = record.seq;
  }

  #applyMark(mark: Mark, seq: number): void {
    const entry: Entry = {
      mark,
      seq,
      over: false,
      supersededBy: undefined,
      invalidators: undefined,
      resource: undefined,
    };
    const before = this.#byId.size;
    if (this.#byId.set(mark.id, entry).size === before) throw new RangeError(`mark ${mark.id} is already in the index`);
    this.#lastCreatedAt = Math.max(this.#lastCreatedAt, mark.createdAt);
    const bucket = this.#bucket(mark.scope);
    bucket.all.push(entry);
    push(bucket.kinds, mark.kind, entry);
    push(this.#kinds, mark.kind, entry);
    switch (mark.kind) {
      case 'observation':
        push(bucket.topics, mark.topic, entry);
        break;
      case 'warning':
        push(bucket.topics, mark.topic, entry);
        if (mark.invalidates !== undefined) this.#invalidate(mark.invalidates, mark);
        break;
      case 'need':
        this.#needs.set(mark.id, mark);
        break;
      case 'intent':
        this.#intend(bucket, mark, entry);
        break;
      case 'action':
        if (mark.resource === undefined) break;
        {
          const resource = this.#resourceOf(bucket, mark, mark.resource);
          entry.resource = resource;
          resource.all = grown(resource.all, entry);
          if (mark.failed !== true) resource.actions = withOne(resource.actions, mark);
        }
        break;
    }
    if (mark.supersedes !== undefined) {
      const target = this.#byId.get(mark.supersedes);
      if (target !== undefined) target.supersededBy = mark.id;
      this.#end(target);
    }
  }

  /** Where an action belongs: mostly to where the intent is that it takes the place of. */
  #resourceOf(bucket: Bucket, { scope, supersedes }: Action, name: string): Resource {
    const over = supersedes === undefined ? undefined : this.#byId.get(supersedes);
    const isHere = over?.mark.kind === 'intent' && over.mark.scope === scope && over.mark.resource === name;
    return (isHere ? over.resource : undefined) ?? resourceOf(bucket, name);
  }

  #invalidate(id: MarkId, warning: Mark): void {
    const target = this.#byId.get(id);
    // One without strength takes nothing away, ever.
    if (target !== undefined && warning.strength > 0) (target.invalidators ??= []).push(warning);
  }

  #intend(bucket: Bucket, intent: Intent, entry: Entry): void {
    const resource = resourceOf(bucket, intent.resource);
    entry.resource = resource;
    resource.all = grown(resource.all, entry);
    // Time does not run backwards in the log: the oldest intents are first, and what has expired at this mark's time stays so.
    const ttlMs = this.definitionOf(intent.scope)?.intentTtlMs ?? Infinity;
    if (resource.intents instanceof Map) dropExpired(resource.intents, intent.createdAt, ttlMs);
    else if (resource.intents !== undefined && isExpired(resource.intents, intent.createdAt, ttlMs))
      resource.intents = undefined;
    dropExpired(bucket.intents, intent.createdAt, ttlMs);
    resource.intents = withOne(resource.intents, intent);
    bucket.intents.set(intent.id, intent);
  }

  /** Takes a mark that counts for nothing any more off the lists of what counts. */
  #end(target: Entry | undefined): void {
    if (target === undefined || target.over) return;
    target.over = true;
    const { mark, resource } = target;
    if (mark.kind === 'need') this.#needs.delete(mark.id);
    if (mark.kind === 'intent') this.#buckets.get(mark.scope)?.intents.delete(mark.id);
    if (resource === undefined) return;
    if (mark.kind === 'intent') resource.intents = withoutOne(resource.intents, mark.id);
    else resource.actions = withoutOne(resource.actions, mark.id);
  }

  #bucket(scope: ScopeName): Bucket {
    const found = this.#buckets.get(scope);
    if (found !== undefined) return found;
    const bucket: Bucket = {
      all: [],
      kinds: new Map(),
      topics: new Map(),
      resources: new Map(),
      intents: new Map(),
      children: new Set(),
    };
    this.#buckets.set(scope, bucket);
    const parent = parentScope(scope);
    if (parent === undefined) this.#roots.add(scope);
    else this.#bucket(parent).children.add(scope);
    return bucket;
  }

  byId(id: MarkId): Mark | undefined {
    return this.#byId.get(id)?.mark;
  }
  seqOf(id: MarkId): number | undefined {
    return this.#byId.get(id)?.seq;
  }
  supersededBy(id: MarkId): MarkId | undefined {
    return this.#byId.get(id)?.supersededBy;
  }
  isSuperseded(id: MarkId): boolean {
    return this.#byId.get(id)?.over === true;
  }
  invalidators(id: MarkId): readonly Mark[] {
    return this.#byId.get(id)?.invalidators ?? NO_MARKS;
  }
  definitionOf(scope: ScopeName): ScopeDefinition | undefined {
    return resolveScope(this.#definitions, scope);
  }
  byScope(scope: ScopeName, kind?: MarkKind): readonly PlacedMark[] {
    const bucket = this.#buckets.get(scope);
    return (kind === undefined ? bucket?.all : bucket?.kinds.get(kind)) ?? NO_MARKS;
  }
  byTopic(scope: ScopeName, topic: string): readonly PlacedMark[] {
    return this.#buckets.get(scope)?.topics.get(topic) ?? NO_MARKS;
  }
  byResource(scope: ScopeName, resource: string): readonly PlacedMark[] {
    const all = this.#buckets.get(scope)?.resources.get(resource)?.all;
    if (all === undefined) return NO_MARKS;
    return Array.isArray(all) ? all : [all];
  }
  byKind(kind: MarkKind): readonly PlacedMark[] {
    return this.#kinds.get(kind) ?? NO_MARKS;
  }
  claims(scope: ScopeName, resource: string): Iterable<Action | Intent> {
    const found = this.#buckets.get(scope)?.resources.get(resource);
    if (found === undefined) return NO_MARKS;
    const { actions, intents } = found;
    if (intents === undefined) return listOf(actions);
    return actions === undefined ? listOf(intents) : both<Action | Intent>(listOf(actions), listOf(intents));
  }
  openIntents(scope: ScopeName): Iterable<Intent> {
    return this.#buckets.get(scope)?.intents.values() ?? NO_MARKS;
  }
  openNeeds(): Iterable<Need> {
    return this.#needs.values();
  }
  *scopesUnder(scope?: ScopeName): Iterable<ScopeName> {
    const pending = scope === undefined ? [...this.#roots] : [scope];
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const bucket = this.#buckets.get(next);
      if (bucket === undefined) continue;
      yield next;
      pending.push(...bucket.children);
    }
  }
}

function withOne<M extends Mark>(few: Few<M>, mark: M): Few<M> {
  if (few === undefined) return mark;
  if (few instanceof Map) return few.set(mark.id, mark);
  return new Map([
    [few.id, few],
    [mark.id, mark],
  ]);
}

function withoutOne<M extends Mark>(few: Few<M>, id: MarkId): Few<M> {
  if (!(few instanceof Map)) return few?.id === id ? undefined : few;
  few.delete(id);
  return few.size === 0 ? undefined : few;
}

function listOf<M extends Mark>(few: Few<M>): Iterable<M> {
  if (few === undefined) return NO_MARKS;
  return few instanceof Map ? few.values() : [few];
}

/**
 * A list and one more; one alone is no list. A short one is made anew: a list that was pushed to has room for sixteen more, which most never
 * need.
 */
function grown(list: Entry | Entry[] | undefined, entry: Entry): Entry | Entry[] {
  if (list === undefined) return entry;
  if (!Array.isArray(list)) return [list, entry];
  if (list.length < LONGEST_COPIED) return [...list, entry];
  list.push(entry);
  return list;
}

const LONGEST_COPIED = 4;

function* both<Value>(first: Iterable<Value>, second: Iterable<Value>): Iterable<Value> {
  yield* first;
  yield* second;
}

/** Whether an intent's time to live is over at `now`; actions never expire. */
export function isExpired(claim: Action | Intent, now: number, ttlMs: number): boolean {
  return claim.kind === 'intent' && now - claim.createdAt > ttlMs;
}

function dropExpired(intents: Map<MarkId, Intent>, now: number, ttlMs: number): void {
  for (const intent of intents.values()) {
    if (!isExpired(intent, now, ttlMs)) return;
    intents.delete(intent.id);
  }
}

function resourceOf(bucket: Bucket, name: string): Resource {
  let found = bucket.resources.get(name);
  if (found === undefined) {
    found = { all: undefined, actions: undefined, intents: undefined };
    bucket.resources.set(name, found);
  }
  return found;
}

function push<Key>(lists: Map<Key, Entry[]>, key: Key, entry: Entry): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [entry]);
  else list.push(entry);
}
