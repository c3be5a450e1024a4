import type { Split } from './task.ts';

/** Where in an evaluation the evaluation zone broke. */
export interface EvaluatorSite {
  readonly task: string;
  readonly split: Split;
  /** Index of the case, where one is concerned. */
  readonly case?: number;
}

/**
 * The evaluation zone itself broke: a task's code threw, gave a figure that cannot be ranked, or the sandbox did not
 * keep its contract. Never a program's fault, so nothing may be scored: the run stops, whole.
 */
export class EvaluatorError extends Error {
  override readonly name = 'EvaluatorError';
  readonly code = 'evaluator';
  readonly task: string;
  readonly split: Split;
  readonly case: number | undefined;

  /** @param what - completes the sentence `The evaluator of task "x" ...`. */
  constructor(site: EvaluatorSite, what: string, options: { readonly cause?: unknown } = {}) {
    const where = site.case === undefined ? `${site.split} split` : `${site.split} split, case ${site.case}`;
    const cause = options.cause === undefined ? '' : `: ${messageOf(options.cause)}`;
    super(`The evaluator of task "${site.task}" ${what} (${where})${cause}`, options);
    this.task = site.task;
    this.split = site.split;
    this.case = site.case;
  }
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
