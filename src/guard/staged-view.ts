import type { Action, Intent, Mark, MarkId, ScopeName } from '../space/marks.ts';
import type { MarkView } from '../space/mark-index.ts';
import type { ScopeDefinition } from '../space/scope.ts';
import type { DecisionView } from './policies/policy.ts';

/**
 * The committed view plus the marks that the batch at hand will append: what the next decision of the batch is made on. Readers
 * never get it; it is thrown away with the batch.
 */
export class StagedView implements DecisionView {
  readonly #base: MarkView;
  readonly #marks = new Map<MarkId, Mark>();
  readonly #superseded = new Set<MarkId>();
  readonly #claims = new Map<string, (Action | Intent)[]>();
  #lastCreatedAt: number;

  constructor(base: MarkView) {
    this.#base = base;
    this.#lastCreatedAt = base.lastCreatedAt;
  }

  get lastCreatedAt(): number {
    return this.#lastCreatedAt;
  }

  add(mark: Mark): void {
    this.#marks.set(mark.id, mark);
    this.#lastCreatedAt = Math.max(this.#lastCreatedAt, mark.createdAt);
    if (mark.supersedes !== undefined) this.#superseded.add(mark.supersedes);
    if (mark.kind !== 'intent' && (mark.kind !== 'action' || mark.failed === true)) return;
    if (mark.resource === undefined) return;
    const key = claimKey(mark.scope, mark.resource);
    const list = this.#claims.get(key);
    if (list === undefined) this.#claims.set(key, [mark]);
    else list.push(mark);
  }

  byId(id: MarkId): Mark | undefined {
    return this.#marks.get(id) ?? this.#base.byId(id);
  }

  isSuperseded(id: MarkId): boolean {
    return this.#superseded.has(id) || this.#base.isSuperseded(id);
  }

  definitionOf(scope: ScopeName): ScopeDefinition | undefined {
    return this.#base.definitionOf(scope);
  }

  *claims(scope: ScopeName, resource: string): Iterable<Action | Intent> {
    for (const claim of this.#base.claims(scope, resource)) {
      if (!this.#superseded.has(claim.id)) yield claim;
    }
    for (const claim of this.#claims.get(claimKey(scope, resource)) ?? []) {
      if (!this.#superseded.has(claim.id)) yield claim;
    }
  }
}

/** One string for a (scope, resource); scopes have no control characters. */
export function claimKey(scope: ScopeName, resource: string): string {
  return `${scope}\0${resource}`;
}
