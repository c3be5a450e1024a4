import { z } from 'zod';
import type { LoadedGeneration, LoadedScores } from '../loaded-run.ts';
import { causeOfProgramError, isNearZero } from './failure-cause.ts';
import {
  maybeBoolean,
  maybeCount,
  maybeNumber,
  maybeRecord,
  maybeText,
  numberIn,
  present,
  recordIn,
  textIn,
} from './fields.ts';
import { languageOf } from './language.ts';

/**
 * One program as OpenEvolve, SkyDiscover and EvoTrace write it.
 *
 * @see https://github.com/algorithmicsuperintelligence/openevolve/blob/main/openevolve/database.py `Program` (field `code`)
 * @see https://github.com/skydiscover-ai/skydiscover/blob/main/skydiscover/search/base_database.py `Program` (field `solution`)
 */
const programRow = z.looseObject({
  id: z.string().min(1),
  code: maybeText,
  solution: maybeText,
  solution_sha256: maybeText,
  language: maybeText,
  parent_id: maybeText,
  iteration_found: maybeCount,
  iteration: maybeCount,
  generation: maybeCount,
  metrics: maybeRecord,
  metadata: maybeRecord,
  correct: maybeBoolean,
  combined_score: maybeNumber,
});
export type ProgramRow = z.infer<typeof programRow>;

/** A row that can be used, or undefined. */
export function parseProgramRow(value: unknown): ProgramRow | undefined {
  const parsed = programRow.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}

/** What the search maximises: `combined_score`, else the mean of the numeric metrics. @see openevolve/utils/metrics_utils.py */
export function fitnessOf(metrics: Readonly<Record<string, unknown>> | undefined): number | undefined {
  const named = numberIn(metrics, 'combined_score', 'score', 'fitness');
  if (named !== undefined) return named;
  const numbers = Object.values(metrics ?? {}).filter(
    (value): value is number => typeof value === 'number' && Number.isFinite(value),
  );
  return numbers.length === 0 ? undefined : numbers.reduce((sum, value) => sum + value, 0) / numbers.length;
}

/** Scores of a row of metrics: the search's own is `validation`; a public and a private one where they are told apart. */
export function scoresOf(metrics: Readonly<Record<string, unknown>> | undefined): LoadedScores {
  return present({
    validation: fitnessOf(metrics),
    train: numberIn(metrics, 'train_score'),
    test: numberIn(metrics, 'test_score'),
    public: numberIn(metrics, 'public_score', 'public'),
    private: numberIn(metrics, 'private_score', 'private', 'holdout_score', 'hidden_score'),
  });
}

/** A program whose evaluator said that it does not count: an error, a timeout, or a validity of 0. */
function verdictOf(metrics: Readonly<Record<string, unknown>> | undefined): {
  readonly valid: boolean;
  readonly error: string | undefined;
  readonly timedOut: boolean;
} {
  const error = textIn(metrics, 'error');
  const timeout = metrics?.['timeout'];
  const timedOut = timeout === true || timeout === 1;
  const flag = numberIn(metrics, 'validity', 'runs_successfully', 'valid', 'correct');
  return { valid: error === undefined && !timedOut && flag !== 0, error, timedOut };
}

/** A row as a generation; `code` is its text where it was stored elsewhere (a blob). */
export function generationOfRow(row: ProgramRow, code: string | undefined): LoadedGeneration {
  const scores = scoresOf(row.metrics ?? present({ combined_score: row.combined_score }));
  const { valid, error, timedOut } = verdictOf(row.metrics);
  const parent = row.parent_id;
  const usage = recordIn(row.metadata, 'usage') ?? row.metadata;
  return {
    id: row.id,
    generation: row.iteration_found ?? row.iteration ?? row.generation ?? 0,
    parents: parent === undefined || parent === '' ? [] : [parent],
    ...present({ code: code ?? row.code ?? row.solution }),
    language: languageOf(row.language ?? 'python'),
    valid,
    ...(row.metadata?.['migrant'] === true || row.metadata?.['migrant'] === 1 ? { copy: true as const } : {}),
    scores,
    ...(!valid || isNearZero(scores.validation) ? { cause: causeOfProgramError(error, timedOut) } : {}),
    ...present({
      tokens: numberIn(usage, 'total_tokens', 'tokens'),
      usd: numberIn(row.metadata, 'cost_usd', 'usd', 'api_cost', 'cost'),
    }),
  };
}

/**
 * Puts the programs of one search in order and marks what is only a copy: island migrants (flagged, or found "at iteration 0" with
 * the code of their parent) and further copies of the initial program.
 */
export function orderPrograms(programs: Iterable<LoadedGeneration>): readonly LoadedGeneration[] {
  const ordered = [...programs].sort((a, b) => a.generation - b.generation);
  const byId = new Map(ordered.map((program) => [program.id, program]));
  const roots = new Set<string>();
  return ordered.map((program) => {
    if (program.copy || program.code === undefined) return program;
    const parent = byId.get(program.parents[0] ?? '');
    const isMigrant = program.generation === 0 && parent !== undefined && parent.code === program.code;
    const isRoot = program.parents.length === 0;
    const isAnotherRoot = isRoot && roots.has(program.code);
    if (isRoot) roots.add(program.code);
    return isMigrant || isAnotherRoot ? { ...program, copy: true as const } : program;
  });
}
