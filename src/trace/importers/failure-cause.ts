import type { FailureCause } from '../loaded-run.ts';

/**
 * A score up to here says next to nothing was solved: the cause is looked for.
 * Above 0 because a few lucky answers of a hundred are no solution either; the published crash rule calls below 0.05 a crash.
 */
export const NEAR_ZERO = 0.05;

/** Whether a score is about 0. One that is not known is not, and neither is a plainly negative one: that may be the task's scale. */
export function isNearZero(score: number | undefined): boolean {
  return score !== undefined && Math.abs(score) <= NEAR_ZERO;
}

/** An error that a provider's reply (or none) leaves in a caller: HTTP statuses, timeouts of the line, a reply without choices. */
const PROVIDER_FAILURE =
  /\bHTTP[ /]?\d{3}\b|\b(?:4\d\d|5\d\d) (?:client|server) error\b|rate.?limit|too many requests|overloaded|service unavailable|bad gateway|connection (?:error|refused|reset|aborted)|connect(?:ion)? timed? ?out|read timed out|api (?:error|timeout)|quota|^'choices'$/iu;

/** Whether an error's text is a provider's. */
export function isProviderFailure(error: string): boolean {
  return PROVIDER_FAILURE.test(error);
}

const TIMEOUT = /\btim(?:ed?[ -]?out|eout)\b/iu;

/** Why a program whose evaluator answered with `error` got nothing. */
export function causeOfProgramError(error: string | undefined, timedOut: boolean): FailureCause {
  if (timedOut || (error !== undefined && TIMEOUT.test(error))) return 'evaluation-broke-off';
  return error === undefined ? 'wrong-answers' : 'cannot-run';
}
