import type { LoadedRun } from '../trace/loaded-run.ts';
import type { Evidence } from '../trace/schema.ts';
import { measureProvenance, provenanceQuestions, recordedProvenance } from './adoption-provenance.ts';
import type { RecordsByRun } from './adoption-records.ts';
import {
  type AdoptionRule,
  type Compare,
  comparisonsOf,
  DISTANCE_RULES,
  type Judgement,
  judgementsOf,
  type Verdict,
  verdictOf,
  versionSeen,
} from './adoption-rules.ts';
import { type Draw, type DrawOptions, drawsOf, type Measured, type PValue, testPlacebo } from './placebo.ts';
import { publishedBests } from './published-bests.ts';

/** Every comparison that a rule makes, real and placebo, before anything is compared. */
export interface AdoptionPlan {
  readonly rule: AdoptionRule;
  readonly runs: readonly LoadedRun[];
  /** Real judgements, with what is known of each without comparing distances. */
  readonly answers: readonly Answer[];
  /** Placebo judgements of the distance rules: the same question against a stranger's program. */
  readonly placebo: readonly { readonly question: Judgement; readonly judgement: Judgement }[];
  /** Measured already (provenance). */
  readonly measured: readonly Measured<Judgement>[];
  readonly possibleDraws: number;
  /** Draws that were made, measurable or not. */
  readonly draws: number;
  readonly seed: number;
}

interface Answer {
  readonly judgement: Judgement;
  /** What the provenance rule says; absent: the distances decide. */
  readonly found?: { readonly adoption: boolean; readonly closeness: number | null };
  readonly evidence?: Evidence;
  /** Share of the new code found in the peer's, where it was measured. */
  readonly reuse?: number;
  readonly before: number | null;
  readonly after: number | null;
}

export interface AdoptionOptions extends DrawOptions {
  readonly records?: RecordsByRun;
}

/** The rule for runs whose user names none: what is on record for runs of ours, what could be seen for imported ones. */
export function defaultRule(runs: readonly LoadedRun[]): AdoptionRule {
  return runs.length > 0 && runs.every(({ format }) => format === 'native') ? 'provenance' : 'visible';
}

/** Lays out an analysis of adoption. Deterministic; placebo draws are sampled with `seed` if there are more than `maxDraws`. */
export function planAdoption(
  runs: readonly LoadedRun[],
  rule: AdoptionRule,
  options: AdoptionOptions = {},
): AdoptionPlan {
  const plan = { rule, runs, seed: options.seed ?? 1 };
  return rule === 'provenance'
    ? { ...plan, ...planProvenance(runs, options) }
    : { ...plan, ...planDistances(runs, rule, options) };
}

type Planned = Omit<AdoptionPlan, 'rule' | 'runs' | 'seed'>;

function planDistances(runs: readonly LoadedRun[], rule: 'published' | 'visible', options: DrawOptions): Planned {
  const distances = DISTANCE_RULES[rule];
  const judgements = runs.flatMap((run) => judgementsOf(run, distances));
  const { draws, possible } = drawsOf(
    judgements.filter(({ version }) => version),
    runs,
    options,
  );
  // The published rule counts a missing score as -1; elsewhere it is not known.
  const missing = rule === 'published' ? -1 : null;
  const answers = judgements.map((judgement) => ({
    judgement,
    before: judgement.previous.scores.validation ?? missing,
    after: judgement.generation.scores.validation ?? missing,
  }));
  const placebo = draws.flatMap(({ question, foreign }) => {
    const version = versionSeen(foreign, question.generation.generation, distances);
    return version ? [{ question, judgement: { ...question, peer: foreign, version } }] : [];
  });
  return { answers, placebo, measured: [], possibleDraws: possible, draws: draws.length };
}

/** Strangers' programs are large in number and slow to compare token by token. */
const PROVENANCE_DRAWS = 2_000;

function planProvenance(runs: readonly LoadedRun[], { records, ...options }: AdoptionOptions): Planned {
  const found = runs.flatMap((run) => {
    const ours = records?.get(run);
    return provenanceQuestions(run, ours).map((question) =>
      ours ? recordedProvenance(question, ours.adoptions) : measureProvenance(question),
    );
  });
  const answers = found.map(({ question, version, adoption, closeness, evidence, reuse }) => {
    const { run, agent, peer, generation, previous } = question;
    return {
      judgement: { run, agent, peer, generation, previous, ...(version && { version }) },
      found: { adoption, closeness },
      before: previous.scores.validation ?? null,
      after: generation.scores.validation ?? null,
      ...(evidence && { evidence }),
      ...(reuse && { reuse: Math.max(reuse.lines, reuse.tokens) }),
    };
  });
  const tested = found.flatMap(({ question, closeness }) => (closeness === null ? [] : [question]));
  const { draws, possible } = drawsOf(tested, runs, { maxDraws: PROVENANCE_DRAWS, ...options });
  const judgementOf = new Map(found.map(({ question }, n) => [question, answers[n]?.judgement] as const));
  const measured = draws.flatMap(({ question, foreign }: Draw<(typeof tested)[number]>) => {
    const versions = publishedBests(foreign).filter((best) => best.generation < question.generation.generation);
    const { closeness, adoption } = measureProvenance(question, versions);
    const judgement = judgementOf.get(question);
    return judgement ? [{ question: judgement, foreign, closeness, adoption }] : [];
  });
  return { answers, placebo: [], measured, possibleDraws: possible, draws: draws.length };
}

/** The pairs of texts that `finishAdoption` compares: for a pool of threads to compare them before. */
export function textsToCompare(
  { answers, placebo }: AdoptionPlan,
  pairs = true,
): readonly (readonly [a: string, b: string])[] {
  const shown = answers.filter(({ found }) => pairs || found === undefined || found.adoption);
  return comparisonsOf([...shown, ...placebo].map(({ judgement }) => judgement));
}

/** One judgement with its distances and what the placebo test says of it. */
export interface JudgedAdoption extends Omit<Verdict, 'judgement'> {
  readonly judgement: Judgement;
  readonly before: number | null;
  readonly after: number | null;
  readonly evidence?: Evidence;
  readonly reuse?: number;
  readonly p?: PValue;
}

export interface PlaceboSummary {
  /** Size of the null distribution. */
  readonly n: number;
  readonly strangers: number;
  readonly placeboAdoptions: number;
  readonly tested: number;
  readonly observed: number;
  readonly expectedByChance: number | null;
  /** Set when only a sample of the possible draws was taken. */
  readonly sampled?: { readonly of: number; readonly seed: number };
}

export interface JudgedAdoptions {
  readonly rule: AdoptionRule;
  readonly runs: readonly LoadedRun[];
  /** Every judgement, or the adoptions only when they alone were asked for (provenance). */
  readonly judged: readonly JudgedAdoption[];
  readonly placebo: PlaceboSummary;
}

/** Answers a plan. `pairs` asks for the distances of what is no adoption too, where the rule itself does not need them. */
export function finishAdoption(plan: AdoptionPlan, compare: Compare, pairs = true): JudgedAdoptions {
  const judged = plan.answers.flatMap((answer): JudgedAdoption[] => {
    const { found, judgement, ...rest } = answer;
    if (found !== undefined && !found.adoption && !pairs) return [];
    const verdict = verdictOf(judgement, compare);
    return [{ ...verdict, ...rest, adoption: found?.adoption ?? verdict.adoption }];
  });
  const real =
    plan.rule === 'provenance'
      ? plan.answers.map(({ judgement, found }) => ({
          question: judgement,
          closeness: found?.closeness ?? null,
          adoption: found?.adoption ?? false,
        }))
      : judged.map((one) => measuredBy(one.judgement, one));
  const strangers =
    plan.rule === 'provenance'
      ? plan.measured
      : plan.placebo.map(({ question, judgement }) => ({
          ...measuredBy(question, verdictOf(judgement, compare)),
          foreign: judgement.peer,
        }));
  const { pValues, ...summary } = testPlacebo(real, strangers);
  return {
    rule: plan.rule,
    runs: plan.runs,
    judged: judged.map((one) => {
      const p = pValues.get(one.judgement);
      return p ? { ...one, p } : one;
    }),
    placebo: {
      ...summary,
      ...(plan.possibleDraws > plan.draws ? { sampled: { of: plan.possibleDraws, seed: plan.seed } } : {}),
    },
  };
}

/** The smaller the share, the closer to the peer. */
function measuredBy(question: Judgement, { share, adoption }: Omit<Verdict, 'judgement'>): Measured<Judgement> {
  return { question, closeness: share === null ? null : -share, adoption };
}
