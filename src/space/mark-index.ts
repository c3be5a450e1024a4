import type { LogRecord } from './log.ts';
import { parseScopeDefinition } from './mark-schema.ts';
import type { Action, AgentName, Intent, Mark, MarkId, MarkKind, ScopeName } from './marks.ts';
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
  /**
   * What may hold a resource: first, per agent, its oldest action that neither failed nor was superseded; then the intents that were
   * not superseded, in log order (some may have expired).
   */
  claims(scope: ScopeName, resource: string): Iterable<Action | Intent>;
  /** `scope` and the descendants of it that have marks or definitions; all of them without an argument. */
  scopesUnder(scope?: ScopeName): Iterable<ScopeName>;
}

interface Entry {
  readonly mark: Mark;
  readonly seq: number;
  supersededBy?: MarkId;
  invalidators?: Mark[];
}

interface Resource {
  readonly all: Entry[];
  /** Agent -> its actions that hold the resource, so that an agent that acts on it for ever costs the others nothing. */
  readonly actions: Map<AgentName, Map<MarkId, Action>>;
  readonly intents: Map<MarkId, Intent>;
}

interface Bucket {
  readonly all: Entry[];
  readonly kinds: Map<MarkKind, Entry[]>;
  readonly topics: Map<string, Entry[]>;
  readonly resources: Map<string, Resource>;
  readonly children: Set<ScopeName>;
}

const NONE: readonly never[] = Object.freeze([]);

/** The fold of the log into a {@link MarkView}. Only its owner calls `apply`; everybody else gets it as a `MarkView`. */
export class MarkIndex implements MarkView {
  #seq = 0;
  #lastCreatedAt = 0;
  readonly #byId = new Map<MarkId, Entry>();
  readonly #buckets = new Map<ScopeName, Bucket>();
  readonly #kinds = new Map<MarkKind, Entry[]>();
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
    else if (body.type === 'define' && body.what === 'scope') {
      const definition = parseScopeDefinition(body.value);
      this.#definitions.set(definition.name, definition);
      this.#bucket(definition.name);
    }
    this.#seq = record.seq;
  }

  #applyMark(mark: Mark, seq: number): void {
    if (this.#byId.has(mark.id)) throw new RangeError(`mark ${mark.id} is already in the index`);
    const entry: Entry = { mark, seq };
    this.#byId.set(mark.id, entry);
    this.#lastCreatedAt = Math.max(this.#lastCreatedAt, mark.createdAt);
    const bucket = this.#bucket(mark.scope);
    bucket.all.push(entry);
    push(bucket.kinds, mark.kind, entry);
    push(this.#kinds, mark.kind, entry);
    if (mark.kind === 'observation' || mark.kind === 'warning') push(bucket.topics, mark.topic, entry);
    if (mark.kind === 'warning' && mark.invalidates !== undefined) {
      const target = this.#byId.get(mark.invalidates);
      if (target !== undefined) (target.invalidators ??= []).push(mark);
    }
    if ((mark.kind === 'intent' || mark.kind === 'action') && mark.resource !== undefined) {
      this.#claim(bucket, mark, mark.resource, entry);
    }
    if (mark.supersedes !== undefined) this.#supersede(mark.supersedes, mark.id);
  }

  #claim(bucket: Bucket, mark: Action | Intent, resource: string, entry: Entry): void {
    let found = bucket.resources.get(resource);
    if (found === undefined)
      bucket.resources.set(resource, (found = { all: [], actions: new Map(), intents: new Map() }));
    found.all.push(entry);
    if (mark.kind === 'action') {
      if (mark.failed === true) return;
      const own = found.actions.get(mark.agent);
      if (own === undefined) found.actions.set(mark.agent, new Map([[mark.id, mark]]));
      else own.set(mark.id, mark);
      return;
    }
    // Time does not run backwards in the log: the oldest intents are first, and what has expired at this mark's time stays so.
    const ttlMs = this.definitionOf(mark.scope)?.intentTtlMs ?? Infinity;
    for (const [id, intent] of found.intents) {
      if (!isExpired(intent, mark.createdAt, ttlMs)) break;
      found.intents.delete(id);
    }
    found.intents.set(mark.id, mark);
  }

  #supersede(id: MarkId, by: MarkId): void {
    const target = this.#byId.get(id);
    if (target === undefined) return;
    target.supersededBy = by;
    const { mark } = target;
    if ((mark.kind !== 'intent' && mark.kind !== 'action') || mark.resource === undefined) return;
    const resource = this.#buckets.get(mark.scope)?.resources.get(mark.resource);
    if (mark.kind === 'intent') resource?.intents.delete(id);
    else {
      const own = resource?.actions.get(mark.agent);
      own?.delete(id);
      if (own?.size === 0) resource?.actions.delete(mark.agent);
    }
  }

  #bucket(scope: ScopeName): Bucket {
    const found = this.#buckets.get(scope);
    if (found !== undefined) return found;
    const bucket: Bucket = { all: [], kinds: new Map(), topics: new Map(), resources: new Map(), children: new Set() };
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
    return this.#byId.get(id)?.supersededBy !== undefined;
  }
  invalidators(id: MarkId): readonly Mark[] {
    return this.#byId.get(id)?.invalidators ?? NONE;
  }
  definitionOf(scope: ScopeName): ScopeDefinition | undefined {
    return resolveScope(this.#definitions, scope);
  }
  byScope(scope: ScopeName, kind?: MarkKind): readonly PlacedMark[] {
    const bucket = this.#buckets.get(scope);
    return (kind === undefined ? bucket?.all : bucket?.kinds.get(kind)) ?? NONE;
  }
  byTopic(scope: ScopeName, topic: string): readonly PlacedMark[] {
    return this.#buckets.get(scope)?.topics.get(topic) ?? NONE;
  }
  byResource(scope: ScopeName, resource: string): readonly PlacedMark[] {
    return this.#buckets.get(scope)?.resources.get(resource)?.all ?? NONE;
  }
  byKind(kind: MarkKind): readonly PlacedMark[] {
    return this.#kinds.get(kind) ?? NONE;
  }
  *claims(scope: ScopeName, resource: string): Iterable<Action | Intent> {
    const found = this.#buckets.get(scope)?.resources.get(resource);
    if (found === undefined) return;
    for (const own of found.actions.values()) {
      const [oldest] = own.values();
      if (oldest !== undefined) yield oldest;
    }
    yield* found.intents.values();
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

/** Whether an intent's time to live is over at `now`; actions never expire. */
export function isExpired(claim: Action | Intent, now: number, ttlMs: number): boolean {
  return claim.kind === 'intent' && now - claim.createdAt > ttlMs;
}

function push<Key>(lists: Map<Key, Entry[]>, key: Key, entry: Entry): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [entry]);
  else list.push(entry);
}
