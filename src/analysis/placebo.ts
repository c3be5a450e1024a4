import type { LoadedAgent, LoadedRun } from '../trace/loaded-run.ts';
import { benjaminiHochberg } from './statistics/benjamini-hochberg.ts';
import { seededRandom } from './statistics/seeded-random.ts';

/** A real comparison of an agent's program with a peer's, in one run. */
export interface Question {
  readonly run: LoadedRun;
  readonly agent: LoadedAgent;
  readonly peer: LoadedAgent;
}

/** One placebo comparison: a question asked again with the programs of an agent whose work cannot have been seen. */
export interface Draw<Q extends Question> {
  readonly question: Q;
  readonly foreign: LoadedAgent;
}

export interface DrawOptions {
  /** More possible draws than these are sampled. @default 20000 */
  readonly maxDraws?: number;
  /** @default 1 */
  readonly seed?: number;
}

/**
 * The placebo draws for questions: agents of other runs of the same task (other seeds, other pairs, other arms). An agent of the
 * same model as the asking one is left out, for it would resemble it anyway, unless the real peer is of that model too.
 * The same run found twice is no other run.
 */
export function drawsOf<Q extends Question>(
  questions: readonly Q[],
  runs: readonly LoadedRun[],
  { maxDraws = 20_000, seed = 1 }: DrawOptions = {},
): { readonly draws: readonly Draw<Q>[]; readonly possible: number } {
  const draws = questions.flatMap((question) =>
    runs
      .filter((run) => isOtherRun(question.run, run))
      .flatMap((run) => run.agents)
      .filter((foreign) => couldBePeer(question, foreign))
      .map((foreign) => ({ question, foreign })),
  );
  return { draws: sample(draws, maxDraws, seed), possible: draws.length };
}

function isOtherRun(run: LoadedRun, other: LoadedRun): boolean {
  if ((run.task ?? run.format) !== (other.task ?? other.format)) return false;
  return run.pairing !== other.pairing || run.seed !== other.seed || run.arm !== other.arm;
}

function couldBePeer({ agent, peer }: Question, foreign: LoadedAgent): boolean {
  return kindOf(foreign) !== kindOf(agent) || kindOf(peer) === kindOf(agent);
}

function kindOf({ model, name }: LoadedAgent): string {
  return model ?? name;
}

/** `count` of the values, each as likely, in their order. @see Knuth, The Art of Computer Programming, volume 2, algorithm 3.4.2 S */
function sample<T>(values: readonly T[], count: number, seed: number): readonly T[] {
  if (values.length <= count) return values;
  const random = seededRandom(seed);
  let needed = count;
  return values.filter((_, n) => {
    const taken = (values.length - n) * random() < needed;
    if (taken) needed--;
    return taken;
  });
}

/** A measured comparison. `closeness` grows with the resemblance to the peer; null where there was nothing to compare with. */
export interface Measured<Q extends Question> {
  readonly question: Q;
  /** Of a placebo comparison: whose program it was. */
  readonly foreign?: LoadedAgent;
  readonly closeness: number | null;
  /** Whether the rule calls it an adoption. */
  readonly adoption: boolean;
}

export interface PlaceboTest<Q extends Question> {
  /** Size of the null distribution: placebo comparisons that could be measured. */
  readonly n: number;
  /** Agents whose programs they are with. Comparisons with programs of one agent are not independent of each other. */
  readonly strangers: number;
  /** Those of them that the rule would have called adoptions. */
  readonly placeboAdoptions: number;
  /** Real comparisons with something to compare with, and how many of them the rule calls adoptions. */
  readonly tested: number;
  readonly observed: number;
  /** Adoptions among the real comparisons if every peer were a stranger; null without draws. */
  readonly expectedByChance: number | null;
  /** Of each real comparison; none without draws. */
  readonly pValues: ReadonlyMap<Q, PValue>;
}

export interface PValue {
  /**
   * (1 + draws as close or closer) / (1 + n), over the draws of all questions. Where a program is one that many come to, the draws
   * of other questions do not tell; so p is never less than the same fraction for what the peer is closer than the closest
   * stranger (against what each stranger is closer than the closest other one), nor than the share of the question's own
   * draws that are as close.
   */
  readonly p: number;
  /** Benjamini-Hochberg over all real comparisons, adoptions or not. */
  readonly adjusted: number;
  /** The question's own draws, and how many are as close as the real peer. */
  readonly ownDraws: number;
  readonly ownAsClose: number;
}

/**
 * Would chance alone have given it? Compares real comparisons with placebo ones. Two agents that come to the same program by
 * themselves are close to strangers as well, and so get large p-values.
 *
 * @see Phipson and Smyth 2010, Permutation P-values Should Never Be Zero (the added one)
 */
export function testPlacebo<Q extends Question>(
  real: readonly Measured<Q>[],
  placebo: readonly Measured<Q>[],
): PlaceboTest<Q> {
  const tested = real.filter(({ closeness }) => closeness !== null);
  const observed = tested.filter(({ adoption }) => adoption).length;
  const pooled: number[] = [];
  const drawsOfQuestion = new Map<Q, { values: number[]; adoptions: number }>();
  let placeboAdoptions = 0;
  const strangers = new Set<LoadedAgent>();
  for (const { question, foreign, closeness, adoption } of placebo) {
    if (closeness === null) continue;
    if (foreign) strangers.add(foreign);
    pooled.push(closeness);
    if (adoption) placeboAdoptions++;
    const own = drawsOfQuestion.get(question) ?? { values: [], adoptions: 0 };
    drawsOfQuestion.set(question, own);
    own.values.push(closeness);
    if (adoption) own.adoptions++;
  }
  const n = pooled.length;
  if (n === 0) {
    const none = { expectedByChance: null, pValues: new Map<Q, PValue>() };
    return { n, strangers: 0, placeboAdoptions, tested: tested.length, observed, ...none };
  }
  const closer = new NullDistribution(pooled);
  const leads = new NullDistribution([...drawsOfQuestion.values()].flatMap(({ values }) => leadsOf(values)));
  const values = tested.map(({ question, closeness }) => {
    const own = drawsOfQuestion.get(question)?.values ?? [];
    const reached = closeness ?? 0;
    const ownAsClose = own.filter((value) => value >= reached).length;
    const conditional = own.length === 0 ? [] : [ownAsClose / own.length, leads.pValue(reached - Math.max(...own))];
    return { question, p: Math.max(closer.pValue(reached), ...conditional), ownDraws: own.length, ownAsClose };
  });
  const adjusted = benjaminiHochberg(values.map(({ p }) => p));
  const pValues = new Map(
    values.map(({ question, ...value }, i) => [question, { ...value, adjusted: adjusted[i] ?? 1 }] as const),
  );
  const rate = placeboAdoptions / n;
  const expectedByChance = tested.reduce((sum, { question }) => {
    const own = drawsOfQuestion.get(question);
    return sum + (own ? own.adoptions / own.values.length : rate);
  }, 0);
  const size = { n, strangers: strangers.size, placeboAdoptions };
  return { ...size, tested: tested.length, observed, expectedByChance, pValues };
}

/** What each value is above the largest of the others. */
function leadsOf(values: readonly number[]): readonly number[] {
  if (values.length < 2) return [];
  const [first = 0, second = 0] = [...values].sort((x, y) => y - x);
  return values.map((value) => value - (value === first ? second : first));
}

class NullDistribution {
  readonly #ascending: Float64Array;

  constructor(values: readonly number[]) {
    this.#ascending = Float64Array.from(values).sort();
  }

  /** (1 + values as large) / (1 + n); 0, which says nothing, without values. */
  pValue(reached: number): number {
    const n = this.#ascending.length;
    return n === 0 ? 0 : (1 + n - this.#countBelow(reached)) / (1 + n);
  }

  #countBelow(value: number): number {
    let low = 0;
    let high = this.#ascending.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#ascending[middle] ?? 0) < value) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
