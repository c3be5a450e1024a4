import type { FailureCause, LoadedAgent, LoadedGeneration, LoadedRun } from '../trace/loaded-run.ts';
import { ABOUT_ZERO, isSearch, scoreOf } from './scores.ts';
import type { Table } from './table.ts';

export type CrashRule = 'published-25' | 'published-6' | 'published-4' | 'causes';

/** A score above this counts as working. @see hyperspace `analyze_runs.py` */
export const RECOVERED_ABOVE = 0.4;
/** Generations at about 0 in a row that make a crash. */
export const MIN_CRASH_LENGTH = 2;

/** An agent fell to about 0 for several generations. Generations are numbers of the agent's own. */
export interface Crash {
  readonly run: string;
  readonly pairing: string;
  readonly seed: number | null;
  readonly agent: string;
  readonly start: number;
  readonly end: number;
  /** The first generation after it; null: the run ended in the crash (rule `causes` only). */
  readonly recovery: number | null;
  /** Score just before (-1: that generation gave none) and of the recovery. */
  readonly scoreBefore: number;
  readonly recoveryScore: number | null;
  /** Characters (code points) of code before, at the start and at recovery; null without code. */
  readonly sizes: readonly [before: number | null, start: number | null, recovery: number | null];
  readonly causes: CauseCounts;
}

interface Rule {
  /** Must the agent have scored above `RECOVERED_ABOVE` before? */
  readonly afterScore: boolean;
  /** Does a generation without a score (invalid) belong to a crash? Otherwise it ends one. */
  readonly withInvalid: boolean;
}

const PUBLISHED: Readonly<Record<Exclude<CrashRule, 'causes'>, Rule>> = {
  'published-25': { afterScore: false, withInvalid: false },
  'published-6': { afterScore: true, withInvalid: true },
  'published-4': { afterScore: true, withInvalid: false },
};

/** How many generations failed for which cause. `unknown`: the files beside it do not say; `no-score`: what it scored is not known. */
export type CauseCounts = Readonly<Partial<Record<FailureCause | 'unknown' | 'no-score', number>>>;

/** A generation with what it scored; one without a score counts -1, as in the reference. */
interface Step {
  readonly program: LoadedGeneration;
  readonly score: number;
}

/**
 * Crashes of the runs by one rule. All: at least two generations in a row at about 0 (0.01 or less), then one above 0.4.
 * - `published-25` (hyperspace `analysis_output.txt`): an agent that has not scored yet counts as crashed, so most of these are
 *   initial programs that never worked; an invalid generation ends a crash.
 * - `published-6` (hyperspace `findings.md`): only after a score above 0.4; an invalid generation is part of a crash, whatever
 *   broke, an unreachable provider included.
 * - `published-4` (hyperspace `analyze_runs.py` as it stands): only after a score above 0.4; an invalid generation ends a crash.
 * - `causes`, the corrected one: only after a score above 0.4; a generation whose provider was away, whose evaluation broke off or
 *   whose score is not known is nobody's crash: it neither makes nor ends one. Crashes that the run ended in are listed too, with
 *   `recovery` null.
 *
 * Searches over a population are left out: failed programs in a row are no agent's crash there.
 *
 * Of the 25, 6 and 4 events of the 20 published runs, the four that are distributed hold 4, 3 and 1.
 */
export function crashes(runs: readonly LoadedRun[], rule: CrashRule = 'causes'): readonly Crash[] {
  return runs.flatMap((run) => (isSearch(run) ? [] : run.agents.flatMap((agent) => crashesOf(run, agent, rule))));
}

function crashesOf(run: LoadedRun, agent: LoadedAgent, rule: CrashRule): readonly Crash[] {
  const { afterScore, withInvalid } = rule === 'causes' ? { afterScore: true, withInvalid: true } : PUBLISHED[rule];
  const steps = agent.generations
    // An agent that left its program alone may not have been evaluated again.
    .filter((program) => program.copy !== true || scoreOf(program) !== undefined)
    .filter((program) => rule !== 'causes' || !(isOthersFault(program) || isUnscored(program)))
    .map((program): Step => ({ program, score: scoreOf(program) ?? -1 }));
  const isDown = ({ score }: Step): boolean => score <= ABOUT_ZERO && (withInvalid || score >= -0.5);
  const found: Crash[] = [];
  let hasScored = false;
  for (let from = 0; from < steps.length; ) {
    let to = from;
    for (let step = steps[to]; step !== undefined && isDown(step); step = steps[to]) to++;
    const recovery = steps[to];
    const recovered = recovery !== undefined && recovery.score > RECOVERED_ABOVE;
    const counts = recovered || (rule === 'causes' && recovery === undefined);
    if (to - from >= MIN_CRASH_LENGTH && (hasScored || !afterScore) && counts) {
      found.push(crashOf(run, agent, steps.slice(from, to), steps[from - 1], recovery));
    }
    if (recovered) hasScored = true;
    from = to + 1;
  }
  return found;
}

function isOthersFault({ cause }: LoadedGeneration): boolean {
  return cause === 'provider-outage' || cause === 'evaluation-broke-off';
}

/** Nothing says that it failed, and its score is missing (NaN, a half-written file): what it is worth is not known. */
function isUnscored(program: LoadedGeneration): boolean {
  return program.valid && scoreOf(program) === undefined;
}

function crashOf(
  run: LoadedRun,
  agent: LoadedAgent,
  down: readonly Step[],
  before: Step | undefined,
  recovery: Step | undefined,
): Crash {
  const [first] = down;
  const size = (step: Step | undefined): number | null =>
    step?.program.code === undefined ? null : Array.from(step.program.code).length;
  return {
    run: run.id,
    pairing: run.pairing,
    seed: run.seed ?? null,
    agent: agent.name,
    start: first?.program.generation ?? 0,
    end: down.at(-1)?.program.generation ?? 0,
    recovery: recovery?.program.generation ?? null,
    scoreBefore: before?.score ?? 0,
    recoveryScore: recovery?.score ?? null,
    sizes: [size(before ?? first), size(first), size(recovery)],
    causes: countCauses(down.map(({ program }) => program)),
  };
}

function countCauses(programs: readonly LoadedGeneration[]): CauseCounts {
  const counts: { -readonly [K in keyof CauseCounts]: CauseCounts[K] } = {};
  for (const program of programs) {
    const cause = isUnscored(program) ? 'no-score' : (program.cause ?? 'unknown');
    counts[cause] = (counts[cause] ?? 0) + 1;
  }
  return counts;
}

export interface FailureCauses {
  /** Of the runs that crashes are looked for in. */
  readonly causes: CauseCounts;
  /** Of the searches over a population, which have none. */
  readonly searchCauses: CauseCounts;
}

/** Generations at about 0 or without a score, by cause: the ground that every crash rule stands on. */
export function failureCauses(runs: readonly LoadedRun[]): FailureCauses {
  const failed = (of: readonly LoadedRun[]): readonly LoadedGeneration[] =>
    of
      .flatMap(({ agents }) => agents.flatMap(({ generations }) => generations))
      .filter((program) => program.copy !== true && (scoreOf(program) ?? -1) <= ABOUT_ZERO);
  return {
    causes: countCauses(failed(runs.filter((run) => !isSearch(run)))),
    searchCauses: countCauses(failed(runs.filter(isSearch))),
  };
}

function causesText(counts: CauseCounts): string {
  const parts = Object.entries(counts).map(([cause, count]) => `${cause} ${count}`);
  return parts.length === 0 ? 'none' : parts.join(', ');
}

export function crashTable(runs: readonly LoadedRun[], rule: CrashRule = 'causes'): Table {
  const found = crashes(runs, rule);
  const searches = runs.filter(isSearch).length;
  const { causes, searchCauses } = failureCauses(runs);
  return {
    columns: ['run', 'agent', 'crash', 'recovery', 'score before', 'score after', 'causes'],
    rows: found.map((crash) => [
      crash.run,
      crash.agent,
      `${crash.start}-${crash.end}`,
      crash.recovery,
      crash.scoreBefore,
      crash.recoveryScore,
      causesText(crash.causes),
    ]),
    notes: [
      `Rule ${rule}: ${RULE_NOTES[rule]}`,
      `Generations at about 0 or without a score, by cause: ${causesText(causes)}.`,
      ...(searches > 0
        ? [
            `${searches} searches over a population are left out: failed programs in a row are no agent's crash there. Their programs at about 0 or without a score, by cause: ${causesText(searchCauses)}.`,
          ]
        : []),
    ],
  };
}

const RULE_NOTES: Readonly<Record<CrashRule, string>> = {
  'published-25':
    'two or more generations at about 0, then one above 0.4. Programs that had not worked yet count as crashed; an invalid generation ends a crash.',
  'published-6': 'the same, after a score above 0.4 only; invalid generations are part of a crash, whatever broke.',
  'published-4': 'the same, after a score above 0.4 only; an invalid generation ends a crash.',
  causes:
    'after a score above 0.4 only; generations that the provider or a broken evaluation spoilt, or whose score is not known, neither make nor end a crash. Crashes without recovery have none in that column.',
};
