import type { Action, Intent, Mark, MarkId, ScopeName } from '../space/marks.ts';
import { type MarkView, NO_MARKS } from '../space/mark-index.ts';
import { covers, type ScopeDefinition } from '../space/scope.ts';
import type { DecisionView } from './policies/policy.ts';

/**
 * The committed view plus what the batch at hand will append: what the next decision of the batch is made on. Readers never get
 * it; it is thrown away with the batch. What is staged is put in order only when somebody asks for it: many batches end before that.
 */
export class StagedView implements DecisionView {
  readonly #base: MarkView;
  readonly #marks: Mark[] = [];
  /** The first of `#marks`, by id: as many as there were when somebody last looked for one that is not committed. */
  readonly #byId = new Map<MarkId, Mark>();
  /** How many of `#marks` are in what follows. */
  #sorted = 0;
  readonly #over = new Set<MarkId>();
  /** By `claimKey`: one is the rule, and then there is no list for it. */
  readonly #claims = new Map<string, Action | Intent | (Action | Intent)[]>();
  readonly #intents = new Map<ScopeName, Intent[]>();
  /** The scope that was asked for last, and its definition. */
  #scope: ScopeName | undefined;
  #definition: ScopeDefinition | undefined;
  /** What was asked for last of which there was nothing, by `claimKey`. */
  #free: string | undefined;

  constructor(base: MarkView) {
    this.#base = base;
  }

  add(mark: Mark): void {
    this.#free = undefined;
    this.#marks.push(mark);
  }

  #sort(): void {
    for (; this.#sorted < this.#marks.length; this.#sorted += 1) {
      const mark = this.#marks[this.#sorted];
      if (mark?.supersedes !== undefined) this.#over.add(mark.supersedes);
      if (mark?.kind === 'intent') {
        push(this.#intents, mark.scope, mark);
        this.#claim(mark, mark.resource);
      } else if (mark?.kind === 'action' && mark.failed !== true && mark.resource !== undefined) {
        this.#claim(mark, mark.resource);
      }
    }
  }

  #claim(mark: Action | Intent, resource: string): void {
    const key = claimKey(mark.scope, resource);
    const staged = this.#claims.get(key);
    if (staged === undefined) this.#claims.set(key, mark);
    else if (Array.isArray(staged)) staged.push(mark);
    else this.#claims.set(key, [staged, mark]);
  }

  withdraw(id: MarkId): void {
    this.#over.add(id);
  }

  byId(id: MarkId): Mark | undefined {
    const committed = this.#base.byId(id);
    if (committed !== undefined) return committed;
    for (let i = this.#byId.size; i < this.#marks.length; i += 1) {
      const mark = this.#marks[i];
      if (mark !== undefined) this.#byId.set(mark.id, mark);
    }
    return this.#byId.get(id);
  }

  isSuperseded(id: MarkId): boolean {
    this.#sort();
    return this.#over.has(id) || this.#base.isSuperseded(id);
  }

  definitionOf(scope: ScopeName): ScopeDefinition | undefined {
    // Everything that is asked about one call asks for the same; nothing that a batch stages changes it.
    if (scope !== this.#scope) {
      this.#definition = this.#base.definitionOf(scope);
      this.#scope = scope;
    }
    return this.#definition;
  }

  claims(scope: ScopeName, resource: string): Iterable<Action | Intent> {
    const key = claimKey(scope, resource);
    if (key === this.#free) return NO_MARKS;
    this.#sort();
    const base = this.#base.claims(scope, resource);
    const staged = this.#claims.get(key);
    if (staged === undefined && base === NO_MARKS) this.#free = key;
    if (staged === undefined) return base === NO_MARKS || this.#over.size === 0 ? base : this.#standing(base, NO_MARKS);
    return this.#standing(base, Array.isArray(staged) ? staged : [staged]);
  }

  *#standing(base: Iterable<Action | Intent>, staged: readonly (Action | Intent)[]): Iterable<Action | Intent> {
    for (const claim of base) if (!this.#over.has(claim.id)) yield claim;
    for (const claim of staged) if (!this.#over.has(claim.id)) yield claim;
  }

  *openIntents(scope: ScopeName): Iterable<Intent> {
    this.#sort();
    for (const intent of this.#base.openIntents(scope)) if (!this.#over.has(intent.id)) yield intent;
    for (const intent of this.#intents.get(scope) ?? []) if (!this.#over.has(intent.id)) yield intent;
  }

  /** `scope` and the descendants of it that have marks, staged ones included. */
  *scopesUnder(scope: ScopeName): Iterable<ScopeName> {
    this.#sort();
    const known = new Set<ScopeName>();
    for (const found of this.#base.scopesUnder(scope)) {
      known.add(found);
      yield found;
    }
    for (const found of this.#intents.keys()) if (!known.has(found) && covers(scope, found)) yield found;
  }
}

/** One string for a (scope, resource); scopes have no control characters. */
export function claimKey(scope: ScopeName, resource: string): string {
  return claimOf(scope, resource).key;
}

/** A resource, and the one string for it. */
export interface ClaimKey {
  readonly scope: string;
  readonly resource: string;
  readonly key: string;
}

/** All that a call brings about asks for the same resource, and the same string is found in a map without being read. */
let last: ClaimKey = { scope: '', resource: '', key: '\0' };

export function claimOf(scope: ScopeName, resource: string): ClaimKey {
  if (resource !== last.resource || scope !== last.scope) last = { scope, resource, key: `${scope}\0${resource}` };
  return last;
}

/** What follows will ask for this one: nothing but speed depends on it. */
export function recallClaim(claim: ClaimKey): void {
  last = claim;
}

function push<Key, Value>(lists: Map<Key, Value[]>, key: Key, value: Value): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
