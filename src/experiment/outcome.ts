import type { CandidateStatus } from '../trace/schema.ts';
import type { Regression } from './config.ts';
import type { Refusal } from './own-files.ts';

/** What is known of a generation when its candidate is judged. */
export interface Findings {
  /** The meta agent did not load or threw. */
  readonly metaFailure: { readonly code: string; readonly message: string } | undefined;
  readonly refusals: readonly Refusal[];
  /** The program is byte for byte its parent's. */
  readonly unchanged: boolean;
  /** Undefined when nothing was evaluated. */
  readonly evaluation: { readonly valid: boolean; readonly score: number; readonly feedback: string } | undefined;
  /** The agent's best validation score before this generation; undefined when it has no valid candidate yet. */
  readonly bestScore: number | undefined;
}

export interface CandidateOutcome {
  readonly status: CandidateStatus;
  /** What the agent's next generation is made from: this candidate, its parent, or the best so far. */
  readonly head: 'this' | 'parent' | 'best';
  readonly reason?: string;
}

/** Judges one candidate by the regression policy. Pure. */
export function outcomeOf(policy: Regression, findings: Findings): CandidateOutcome {
  const { metaFailure, refusals, unchanged, evaluation, bestScore } = findings;
  if (metaFailure !== undefined) {
    return {
      status: 'failed',
      head: 'parent',
      reason: `the meta agent did not run: ${metaFailure.message} (${metaFailure.code})`,
    };
  }
  const refused = refusals.find(({ path }) => path !== 'meta_agent.ts');
  if (unchanged && refused !== undefined) {
    return { status: 'failed', head: 'parent', reason: `the program was refused: ${refused.text}` };
  }
  if (unchanged) return { status: 'copy', head: 'parent' };
  if (evaluation === undefined) return { status: 'failed', head: 'parent', reason: 'the program was not evaluated' };
  if (!evaluation.valid) {
    const head = policy === 'keep' ? 'this' : policy === 'rollback-best' && bestScore !== undefined ? 'best' : 'parent';
    return { status: 'failed', head, reason: `the program is invalid: ${evaluation.feedback}` };
  }
  if (policy === 'rollback-best' && bestScore !== undefined && evaluation.score < bestScore) {
    return {
      status: 'rejected',
      head: 'best',
      reason: `validation score below the best so far, which is built upon instead`,
    };
  }
  return { status: 'accepted', head: 'this' };
}
