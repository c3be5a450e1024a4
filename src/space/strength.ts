import type { Mark, MarkId, Source } from './marks.ts';
import type { ScopeDefinition } from './scope.ts';

/** Weight of what a source says, 0..1, never rising as trust falls. */
export type TrustWeights = Readonly<Record<Source, number>>;

/** @see protocol, "Marks" */
export const TRUST_WEIGHTS: TrustWeights = { fleet: 1, 'external-verified': 0.7, 'external-unverified': 0.3 };

/** Share of every mark but the strongest that counts in an aggregate. @see protocol, "Marks" */
export const REINFORCEMENT = 0.3;
/** The aggregate's bound: twice the strongest possible single mark (10). */
export const AGGREGATE_CAP = 20;

/** What strength needs to know of the space. */
export interface StrengthView {
  /** Superseded, or withdrawn: it counts for nothing any more. */
  isSuperseded(id: MarkId): boolean;
  /** Warnings that invalidate `id`, in log order. */
  invalidators(id: MarkId): readonly Mark[];
  definitionOf(scope: Mark['scope']): ScopeDefinition | undefined;
}

/** Checks what {@link TrustWeights} promises. @throws {RangeError} */
export function assertTrustWeights(weights: TrustWeights): void {
  const { fleet, 'external-verified': verified, 'external-unverified': unverified } = weights;
  if (!(fleet <= 1 && verified <= fleet && unverified <= verified && unverified >= 0)) {
    throw new RangeError(`trust weights must fall from at most 1 to at least 0: ${fleet}, ${verified}, ${unverified}`);
  }
}

/** What time leaves of a mark, 0..1. Ages below 0 count as 0; a mark in a scope that nobody defined does not decay. */
export function decayOf(mark: Mark, definition: ScopeDefinition | undefined, now: number): number {
  const ageMs = Math.max(0, now - mark.createdAt);
  if (definition === undefined) return 1;
  switch (mark.kind) {
    case 'intent':
      return ageMs <= definition.intentTtlMs ? 1 : 0;
    case 'observation':
      return 2 ** (-ageMs / definition.observationHalfLifeMs);
    case 'warning':
      return 2 ** (-ageMs / definition.warningHalfLifeMs);
    case 'need':
      return mark.resolvedBy === undefined ? 1 : 0;
    case 'action':
      break;
  }
  return 1;
}

/** Initial strength x decay x trust; 0 once superseded. Warnings are not subtracted, confidence never enters. */
export function baseStrength(view: StrengthView, mark: Mark, now: number, trust: TrustWeights = TRUST_WEIGHTS): number {
  if (view.isSuperseded(mark.id)) return 0;
  const weight = mark.kind === 'observation' ? trust[mark.source] : 1;
  return mark.strength * decayOf(mark, view.definitionOf(mark.scope), now) * weight;
}

/**
 * Strength of a mark as read at `now`: its base strength less the effective strength of the warnings that invalidate it, not
 * below 0. A warning can itself be invalidated; each mark decays by its own scope's half-lives. Costs the size of the tree
 * of warnings below the mark, on the heap, so that no chain of them overflows the stack.
 */
export function effectiveStrength(
  view: StrengthView,
  mark: Mark,
  now: number,
  trust: TrustWeights = TRUST_WEIGHTS,
): number {
  interface Frame {
    readonly warnings: readonly Mark[];
    next: number;
    left: number;
  }
  const frameOf = (target: Mark): Frame => {
    const left = baseStrength(view, target, now, trust);
    return { warnings: left > 0 ? view.invalidators(target.id) : [], next: 0, left };
  };
  const stack: Frame[] = [frameOf(mark)];
  for (;;) {
    const frame = stack.at(-1);
    if (frame === undefined) return 0;
    const warning = frame.left > 0 ? frame.warnings[frame.next] : undefined;
    if (warning !== undefined) {
      frame.next += 1;
      stack.push(frameOf(warning));
      continue;
    }
    stack.pop();
    const result = Math.max(0, frame.left);
    const parent = stack.at(-1);
    if (parent === undefined) return result;
    parent.left -= result;
  }
}

/**
 * Strength of several marks on one topic: the strongest plus 0.3 of the rest, at most `cap`. The order of `strengths` does
 * not matter beyond rounding.
 */
export function aggregateStrength(strengths: Iterable<number>, cap: number = AGGREGATE_CAP): number {
  let strongest = 0;
  let sum = 0;
  for (const strength of strengths) {
    strongest = Math.max(strongest, strength);
    sum += strength;
  }
  return Math.min(cap, strongest + REINFORCEMENT * (sum - strongest));
}
