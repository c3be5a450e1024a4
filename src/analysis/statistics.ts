import { type BootstrapOptions, type Estimate, medianDifference, medianEstimate } from './statistics/bootstrap.ts';
import { type CliffsDelta, cliffsDelta } from './statistics/cliffs-delta.ts';
import { mannWhitney } from './statistics/mann-whitney.ts';
import { median } from './statistics/median.ts';
import { wilcoxonSignedRank } from './statistics/wilcoxon.ts';
import type { Table } from './table.ts';

/** What was spent on one measured unit; a quantity that is not known is absent. */
export interface Spending {
  readonly generations?: number;
  readonly calls?: number;
  readonly tokens?: number;
  readonly usd?: number;
}

/** One unit of an arm, e.g. the best score of a run. */
export interface ArmUnit {
  /** What is the same across arms (task and seed): units of equal key are compared as a pair. */
  readonly key: string;
  readonly value: number;
  readonly spent?: Spending;
}

export interface Arm {
  readonly name: string;
  readonly units: readonly ArmUnit[];
}

/** Whether two arms spent the same; `unknown` where nothing is known of one of them. */
export interface BudgetMatch {
  readonly verdict: 'matched' | 'different' | 'unknown';
  /** Medians of each quantity known for every unit of both arms. */
  readonly medians: readonly { readonly quantity: keyof Spending; readonly a: number; readonly b: number }[];
}

export interface ArmComparison {
  readonly a: string;
  readonly b: string;
  /** Units of each arm that went into it. */
  readonly n: readonly [a: number, b: number];
  /** Units that did not go into it: without a partner of the same key (paired comparisons only), or too short. */
  readonly leftOut: number;
  /** The last generation that was looked at, where histories were cut to one length. */
  readonly upTo?: number;
  /** Runs that broke off before it, by id. */
  readonly tooShort?: readonly string[];
  readonly paired: boolean;
  /** Each arm's own median. Undefined where an arm is empty, like everything below. */
  readonly medianA: Estimate | undefined;
  readonly medianB: Estimate | undefined;
  /** Paired: median of the differences a - b. Otherwise: median of a minus median of b. */
  readonly effect: Estimate | undefined;
  /** Undefined below `MIN_UNITS` units an arm, like `p`. */
  readonly delta: CliffsDelta | undefined;
  readonly test: 'wilcoxon-signed-rank' | 'mann-whitney';
  readonly method: 'exact' | 'normal';
  /** Two-sided, of this one comparison; adjust where several are made. */
  readonly p: number | undefined;
  readonly budgets: BudgetMatch;
}

/** Medians that differ by at most this share of the larger one count as the same budget. */
export const BUDGET_TOLERANCE = 0.1;
/** With fewer units in an arm neither a test nor the size of an effect says anything. */
export const MIN_UNITS = 3;
const QUANTITIES = ['generations', 'calls', 'tokens', 'usd'] as const satisfies readonly (keyof Spending)[];

/**
 * Whether arm `a` did better than arm `b`, and how sure that is. Where the arms share at least two keys (the same task and seed)
 * the units are compared in pairs and those without a partner are left out; otherwise as independent samples. A key must be
 * unique in its arm.
 *
 * @throws {RangeError} for a key that occurs twice in an arm, or a value that is not finite.
 */
export function compareArms(a: Arm, b: Arm, options: BootstrapOptions = {}): ArmComparison {
  const [ofA, ofB] = [a, b].map(unitsByKey);
  const shared = a.units.filter(({ key }) => ofB?.has(key) === true);
  const paired = shared.length >= 2;
  const unitsA = paired ? shared : a.units;
  const unitsB = paired ? shared.flatMap(({ key }) => ofB?.get(key) ?? []) : b.units;
  const [x, y] = [unitsA.map(({ value }) => value), unitsB.map(({ value }) => value)];
  const differences = x.map((value, i) => value - (y[i] ?? 0));
  const enough = isEnough([x.length, y.length]);
  const tested = paired ? wilcoxonSignedRank(differences) : mannWhitney(x, y);
  return {
    a: a.name,
    b: b.name,
    n: [x.length, y.length],
    leftOut: (ofA?.size ?? 0) + (ofB?.size ?? 0) - x.length - y.length,
    paired,
    medianA: medianEstimate(x, options),
    medianB: medianEstimate(y, options),
    effect: paired ? medianEstimate(differences, options) : medianDifference(x, y, options),
    delta: enough ? cliffsDelta(x, y) : undefined,
    test: paired ? 'wilcoxon-signed-rank' : 'mann-whitney',
    method: tested.method,
    p: enough ? tested.p : undefined,
    budgets: matchBudgets(unitsA, unitsB),
  };
}

function isEnough([a, b]: ArmComparison['n']): boolean {
  return a >= MIN_UNITS && b >= MIN_UNITS;
}

/** Runs named in a note. */
const NAMED_RUNS = 5;

function tooShortNote({ a, b, upTo, tooShort = [] }: ArmComparison): string | undefined {
  if (tooShort.length === 0) return undefined;
  const more = tooShort.length > NAMED_RUNS ? ` and ${tooShort.length - NAMED_RUNS} more` : '';
  return `${a} and ${b}: left out, for they ended before generation ${upTo ?? '?'}: ${tooShort.slice(0, NAMED_RUNS).join(', ')}${more}.`;
}

/** Every comparison with what it rests on; nothing is called significant, the numbers are there. */
export function comparisonTable(comparisons: readonly ArmComparison[]): Table {
  return {
    columns: [
      'a',
      'b',
      'n a',
      'n b',
      'left out',
      'up to generation',
      'median a',
      'median b',
      'effect',
      'low',
      'high',
      "Cliff's delta",
      'size',
      'test',
      'p',
      'budgets',
    ],
    rows: comparisons.map((one) => [
      one.a,
      one.b,
      one.n[0],
      one.n[1],
      one.leftOut,
      one.upTo ?? null,
      one.medianA?.value ?? null,
      one.medianB?.value ?? null,
      one.effect?.value ?? null,
      isEnough(one.n) ? (one.effect?.low ?? null) : null,
      isEnough(one.n) ? (one.effect?.high ?? null) : null,
      one.delta?.delta ?? null,
      one.delta?.magnitude ?? null,
      isEnough(one.n) ? `${one.test} (${one.method})` : 'n too small',
      one.p ?? null,
      one.budgets.verdict,
    ]),
    notes: [
      `effect: median of a - b over pairs of the same task and seed, or the difference of medians where there are no pairs; low and high: 95 % bootstrap interval (10 000 resamples). p: two-sided, not adjusted for the number of comparisons. n too small: fewer than ${MIN_UNITS} units in an arm, so no interval, size or test.`,
      ...comparisons.flatMap((one) => tooShortNote(one) ?? []),
      ...comparisons
        .filter(({ budgets }) => budgets.verdict !== 'matched')
        .map(({ a, b, budgets }) =>
          budgets.verdict === 'unknown'
            ? `${a} and ${b}: what they spent is not on record, so a difference may be one of budget.`
            : `${a} and ${b} did not spend the same (${budgets.medians.map((one) => `${one.quantity} ${one.a} and ${one.b}`).join(', ')}): a difference may be one of budget.`,
        ),
    ],
  };
}

function unitsByKey({ name, units }: Arm): ReadonlyMap<string, ArmUnit> {
  const byKey = new Map<string, ArmUnit>();
  for (const unit of units) {
    if (!Number.isFinite(unit.value)) {
      throw new RangeError(`cannot compare arm ${name}: ${unit.key} has the value ${unit.value}`);
    }
    if (byKey.has(unit.key)) throw new RangeError(`cannot compare arm ${name}: ${unit.key} is in it twice`);
    byKey.set(unit.key, unit);
  }
  return byKey;
}

function matchBudgets(a: readonly ArmUnit[], b: readonly ArmUnit[]): BudgetMatch {
  const medians = QUANTITIES.flatMap((quantity) => {
    const spentBy = (units: readonly ArmUnit[]): number | undefined => {
      const known = units.flatMap(({ spent }) => spent?.[quantity] ?? []);
      return known.length === units.length ? median(known) : undefined;
    };
    const [spentA, spentB] = [spentBy(a), spentBy(b)];
    return spentA === undefined || spentB === undefined ? [] : [{ quantity, a: spentA, b: spentB }];
  });
  if (medians.length === 0) return { verdict: 'unknown', medians };
  const same = medians.every((one) => Math.abs(one.a - one.b) <= BUDGET_TOLERANCE * Math.max(one.a, one.b));
  return { verdict: same ? 'matched' : 'different', medians };
}
