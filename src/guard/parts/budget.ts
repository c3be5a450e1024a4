import type { Grant, TokenBudget } from '../grants.ts';
import type { GuardPart } from '../happened.ts';
import { type GuardMemory, stateKey } from '../state.ts';

export const BUDGET_DIMENSIONS = [
  'lifetime.inputTokens',
  'lifetime.outputTokens',
  'round.inputTokens',
  'round.outputTokens',
] as const;
export type BudgetDimension = (typeof BUDGET_DIMENSIONS)[number];

/** Share of a budget at which the principal is told. @see protocol rule P60 */
export const NOTICE_SHARE = 0.8;

/** One limited dimension of an agent's budget, in tokens. */
export interface BudgetLine {
  readonly dimension: BudgetDimension;
  readonly limit: number;
  readonly used: number;
  /** The most used so far under this budget: of a round, in any round. */
  readonly peak: number;
}

interface Tokens {
  readonly input: number;
  readonly output: number;
}

/** What an agent has spent. Nothing here ever falls but by a new round or, the peak, a new budget. @see protocol rule P63 */
interface Spending {
  readonly lifetime: Tokens;
  /** The newest rounds, newest first: spendings may be told late. */
  readonly rounds: readonly { readonly name: string; readonly tokens: Tokens }[];
  readonly peak: Tokens;
}

const NOTHING: Tokens = { input: 0, output: 0 };
const UNSPENT: Spending = { lifetime: NOTHING, rounds: [], peak: NOTHING };
const KEPT_ROUNDS = 16;

const SPENDING = stateKey<Spending>('budget/spending');
/** What the principal set in place of the grant's. */
const BUDGETS = stateKey<TokenBudget>('budget/set');

/**
 * Counts tokens per agent, for life and per round. The newest round named by a spending is the current one; a spending of no tokens begins
 * a round.
 */
export const budgetPart: GuardPart = {
  name: 'budget',
  fold: (state, happened) => {
    if (happened.type !== 'event') return;
    const { event } = happened;
    if (event.what === 'budget-set') {
      state.map(BUDGETS).set(event.agent, event.budget);
      const before = state.map(SPENDING).get(event.agent);
      const current = before?.rounds[0]?.tokens ?? NOTHING;
      if (before !== undefined) state.map(SPENDING).set(event.agent, { ...before, peak: current });
    } else if (event.what === 'spent') {
      const spent = { input: tokensOf(event.inputTokens), output: tokensOf(event.outputTokens) };
      state.map(SPENDING).set(event.agent, spend(state.map(SPENDING).get(event.agent) ?? UNSPENT, event.round, spent));
    }
  },
};

/** The limited dimensions of an agent's budget: the principal's word or else its grant's. Empty: no budget, no effect (P59). */
export function budgetLines(
  memory: GuardMemory,
  { agent, budget }: Pick<Grant, 'agent' | 'budget'>,
): readonly BudgetLine[] {
  const limits = memory.map(BUDGETS).get(agent) ?? budget;
  if (limits === undefined) return [];
  const { lifetime, rounds, peak } = memory.map(SPENDING).get(agent) ?? UNSPENT;
  const round = rounds[0]?.tokens ?? NOTHING;
  return [
    line('lifetime.inputTokens', limits.lifetime?.inputTokens, lifetime.input, lifetime.input),
    line('lifetime.outputTokens', limits.lifetime?.outputTokens, lifetime.output, lifetime.output),
    line('round.inputTokens', limits.round?.inputTokens, round.input, peak.input),
    line('round.outputTokens', limits.round?.outputTokens, round.output, peak.output),
  ].flat();
}

/** The dimension that is used up, if one is: at 100 % and beyond. @see protocol rule P61 */
export function exhaustedLine(memory: GuardMemory, grant: Pick<Grant, 'agent' | 'budget'>): BudgetLine | undefined {
  if (grant.budget === undefined && memory.map(BUDGETS).get(grant.agent) === undefined) return undefined;
  return budgetLines(memory, grant).find(({ used, limit }) => used >= limit);
}

/**
 * The lines of an agent's budget that the principal is to be told of now, `before` and `after` something happened: those that have just
 * passed {@link NOTICE_SHARE}, and those of a new limit that are past it from the start. Asked of every change, it names each dimension
 * once per limit.
 */
export function budgetNeeds(before: readonly BudgetLine[], after: readonly BudgetLine[]): readonly BudgetLine[] {
  return after.filter((now) => {
    const was = before.find(({ dimension }) => dimension === now.dimension);
    return isPastNotice(now) && (was === undefined || was.limit !== now.limit || !isPastNotice(was));
  });
}

function isPastNotice({ peak, limit }: BudgetLine): boolean {
  return peak >= NOTICE_SHARE * limit;
}

function line(
  dimension: BudgetDimension,
  limit: number | undefined,
  used: number,
  peak: number,
): readonly BudgetLine[] {
  return limit === undefined ? [] : [{ dimension, limit, used, peak }];
}

function tokensOf(reported: number): number {
  return Number.isFinite(reported) ? Math.max(0, reported) : 0;
}

function spend({ lifetime, rounds, peak }: Spending, name: string, spent: Tokens): Spending {
  const known = rounds.some((round) => round.name === name);
  const spentIn = rounds.map((round) => (round.name === name ? { name, tokens: plus(round.tokens, spent) } : round));
  const all = known ? spentIn : [{ name, tokens: spent }, ...spentIn].slice(0, KEPT_ROUNDS);
  const own = all.find((round) => round.name === name)?.tokens ?? spent;
  const highest = { input: Math.max(peak.input, own.input), output: Math.max(peak.output, own.output) };
  return { lifetime: plus(lifetime, spent), rounds: all, peak: highest };
}

function plus(a: Tokens, b: Tokens): Tokens {
  return { input: a.input + b.input, output: a.output + b.output };
}
