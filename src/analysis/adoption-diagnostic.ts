import type { SkipLog } from '../trace/importers/skip-log.ts';
import type { LoadedRun } from '../trace/loaded-run.ts';
import { defaultRule, finishAdoption, type JudgedAdoptions, planAdoption, textsToCompare } from './adoption.ts';
import {
  changedEventsTable,
  compareVariants,
  skippedAfterInvalidTable,
  variantComparisons,
  variantTable,
} from './adoption-defects.ts';
import { directionTable, directionsOf, outcomesOf, outcomeTable } from './adoption-outcomes.ts';
import { readAdoptionRecords } from './adoption-records.ts';
import { adoptionReport, adoptionTable, placeboNote } from './adoption-report.ts';
import { ADOPTION_RULES, type AdoptionRule, type Compare } from './adoption-rules.ts';
import { compareAll } from './gestalt-pool.ts';
import { type GenerationProvenance, provenanceShares, provenanceTable } from './provenance-shares.ts';
import type { Table } from './table.ts';

export interface AdoptionRequest {
  /** @default `provenance` where all runs are ours, otherwise `visible` */
  readonly rule?: string;
  readonly pairs?: boolean;
  /** Takes lines of records that cannot be used. */
  readonly skips: SkipLog;
  readonly signal?: AbortSignal;
  /** Seed of the sample of placebo draws. @default 1 */
  readonly seed?: number;
  readonly maxDraws?: number;
  readonly threads?: number;
}

export interface AnalysisAnswer {
  readonly json: Readonly<Record<string, unknown>>;
  readonly tables: readonly { readonly title: string; readonly table: Table }[];
}

/** Who adopted from whom, when, on what evidence, with what effect, and whether chance alone would have given it. */
export async function analyzeAdoption(runs: readonly LoadedRun[], request: AdoptionRequest): Promise<AnalysisAnswer> {
  const { judged, compare } = await judgeAdoption(runs, request, true);
  const report = adoptionReport(judged, request.pairs ?? false);
  const tables = [
    { title: `Adoptions (rule ${judged.rule})`, table: adoptionTable(report) },
    { title: 'Directions', table: directionTable(directionsIn(judged)) },
  ];
  // Distances have defects to show; the records of our own runs have none of them.
  if (judged.rule === 'provenance') return { json: { ...report }, tables };
  const defects = compareVariants(runs, compare);
  return {
    json: {
      ...report,
      variants: defects.variants.map(({ name, judged: count, events, lost, gained }) => ({
        rule: name,
        judged: count,
        events: events.length,
        lost: lost.length,
        gained: gained.length,
      })),
    },
    tables: [
      ...tables,
      { title: 'The two defects of the published rule', table: variantTable(defects) },
      { title: 'Events that they change', table: changedEventsTable(defects) },
      { title: 'Never judged as published', table: skippedAfterInvalidTable(defects) },
    ],
  };
}

/** What adoptions did to the score, by adopter and by direction. */
export async function analyzeOutcomes(runs: readonly LoadedRun[], request: AdoptionRequest): Promise<AnalysisAnswer> {
  const { judged } = await judgeAdoption(runs, request);
  const directions = directionsIn(judged);
  const all = outcomesOf(judged.judged.filter(({ adoption }) => adoption));
  const notes = [
    `Rule ${judged.rule}. Gain and loss: validation score after less before, of the adopting generation and its previous one.`,
    placeboNote(judged.placebo),
  ];
  return {
    json: { rule: judged.rule, totals: { runs: runs.length, ...all }, directions, placebo: judged.placebo },
    tables: [
      { title: `Outcomes of adoption (rule ${judged.rule})`, table: outcomeTable(directions, all, notes) },
      { title: 'By direction', table: directionTable(directions) },
    ],
  };
}

/** Where the lines of every program came from: own, the peers', the initial program's, or written by several alone. */
export async function analyzeProvenance(
  runs: readonly LoadedRun[],
  request: Pick<AdoptionRequest, 'skips' | 'signal'>,
): Promise<AnalysisAnswer> {
  const generations = await sharesOfRuns(runs, request);
  return {
    json: { generations },
    tables: [{ title: 'Origin of lines', table: provenanceTable(generations) }],
  };
}

/** Comparing programs is the slow part, and a report asks several questions of the same runs: each answer is found once. */
const judgedBefore = new WeakMap<readonly LoadedRun[], Map<string, Promise<JudgedRuns>>>();
const sharesBefore = new WeakMap<readonly LoadedRun[], Promise<readonly GenerationProvenance[]>>();

/** The origin of every program's lines in all runs; found once for one array of runs. */
export function sharesOfRuns(
  runs: readonly LoadedRun[],
  { skips, signal }: Pick<AdoptionRequest, 'skips' | 'signal'>,
): Promise<readonly GenerationProvenance[]> {
  const find = async (): Promise<readonly GenerationProvenance[]> => {
    const records = await readAdoptionRecords(runs, skips, signal);
    return runs.flatMap((run) => {
      signal?.throwIfAborted();
      return provenanceShares(run, records.get(run));
    });
  };
  const shares = sharesBefore.get(runs) ?? find();
  sharesBefore.set(runs, shares);
  return shares;
}

export interface JudgedRuns {
  readonly judged: JudgedAdoptions;
  /** Knows every pair of texts that was compared. */
  readonly compare: Compare;
}

/**
 * Judges runs by a rule, as all questions about adoption do; once for one array of runs and one choice. `withVariants` compares
 * what the variants of the published rule need too.
 *
 * @throws {RangeError} for a rule that there is not.
 */
export async function judgeAdoption(
  runs: readonly LoadedRun[],
  request: AdoptionRequest,
  withVariants = false,
): Promise<JudgedRuns> {
  const rule = ruleOf(request.rule) ?? defaultRule(runs);
  const { seed, maxDraws, pairs = false } = request;
  const keyOf = (variants: boolean): string => JSON.stringify([rule, seed, maxDraws, pairs, variants]);
  const known = judgedBefore.get(runs) ?? new Map<string, Promise<JudgedRuns>>();
  judgedBefore.set(runs, known);
  const judged = known.get(keyOf(true)) ?? known.get(keyOf(withVariants)) ?? judgeBy(rule, runs, request, withVariants);
  known.set(keyOf(withVariants), judged);
  return judged;
}

async function judgeBy(
  rule: AdoptionRule,
  runs: readonly LoadedRun[],
  { skips, signal, seed, maxDraws, threads, pairs = false }: AdoptionRequest,
  withVariants: boolean,
): Promise<JudgedRuns> {
  const records = await readAdoptionRecords(runs, skips, signal);
  const plan = planAdoption(runs, rule, {
    records,
    ...(seed !== undefined && { seed }),
    ...(maxDraws !== undefined && { maxDraws }),
  });
  const variants = withVariants && rule !== 'provenance' ? variantComparisons(runs) : [];
  const compare = await compareAll([...textsToCompare(plan, pairs), ...variants], {
    ...(signal && { signal }),
    ...(threads !== undefined && { threads }),
  });
  return { judged: finishAdoption(plan, compare, pairs), compare };
}

/** @throws {RangeError} for a rule that there is not. */
function ruleOf(name: string | undefined): AdoptionRule | undefined {
  const rule = ADOPTION_RULES.find((known) => known === name);
  if (name !== undefined && rule === undefined) {
    throw new RangeError(`there is no adoption rule ${JSON.stringify(name)}; there are: ${ADOPTION_RULES.join(', ')}`);
  }
  return rule;
}

/** Who took from whom in the judged runs, by task and pairing, the directions without adoptions included. */
export function directionsIn({ runs, judged }: JudgedAdoptions): ReturnType<typeof directionsOf> {
  const effects = judged
    .filter(({ adoption }) => adoption)
    .map(({ judgement: { run, agent, peer }, before, after }) => ({
      task: run.task ?? null,
      pairing: run.pairing,
      agent: agent.name,
      peer: peer.name,
      before,
      after,
    }));
  const possible = runs.flatMap((run) =>
    run.agents.flatMap((agent) =>
      run.agents
        .filter((peer) => peer !== agent)
        .map((peer) => ({ task: run.task ?? null, pairing: run.pairing, agent: agent.name, peer: peer.name })),
    ),
  );
  return directionsOf(effects, possible);
}
