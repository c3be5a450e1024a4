import { z } from 'zod';
import type { MarkId } from '../space/marks.ts';

/**
 * Table `submissions`: an external agent handed in its program for a round; key `<agent>/<generation>/<n>`. A row of the same key in table
 * `withdrawals` takes it back. They are how whoever serves the agent and whoever plays the run speak to each other: through the log, so
 * that both may be one process or two, and a submission outlives them.
 */
export interface SubmissionRow {
  readonly agent: string;
  readonly generation: number;
  /** Counts the submissions of the round, from 1. */
  readonly n: number;
  /** Path -> sha256 of the text, a blob. */
  readonly sources: Readonly<Record<string, string>>;
  /** Path -> the mark that holds it. */
  readonly marks: Readonly<Record<string, MarkId>>;
  /** Why, in the agent's own words. */
  readonly reason?: string;
  readonly at: number;
}

/** @see SubmissionRow */
export interface WithdrawalRow {
  readonly agent: string;
  readonly generation: number;
  readonly n: number;
}

const markId = z.custom<MarkId>((value) => typeof value === 'string' && value !== '');
const place = { agent: z.string(), generation: z.int().min(1), n: z.int().min(1) };
export const submissionSchema = z.object({
  ...place,
  sources: z.record(z.string(), z.string()),
  marks: z.record(z.string(), markId),
  reason: z.string().exactOptional(),
  at: z.number(),
});
export const withdrawalSchema = z.object(place);

/** The last submission of a round, and whether it was taken back. */
export interface Submission {
  readonly row: SubmissionRow;
  readonly withdrawn: boolean;
}
