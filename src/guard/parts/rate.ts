import type { AgentName, ScopeName } from '../../space/marks.ts';
import { parentScope, type RateLimit } from '../../space/scope.ts';
import type { GuardPart } from '../happened.ts';
import type { DecisionView } from '../policies/policy.ts';
import { type GuardMemory, type GuardState, stateKey } from '../state.ts';

/** How often something happened in the newest window that it happened in; older windows are forgotten. */
interface Tally {
  /** Epoch ms. */
  readonly start: number;
  readonly windowMs: number;
  readonly count: number;
}

/** A limit and the definition that imposes it. */
export interface ImposedLimit extends RateLimit {
  readonly by: ScopeName;
}

/** By definition. */
const FLEET = stateKey<Tally>('rate/fleet');
/** By `<definition>\0<agent>`. */
const AGENTS = stateKey<Tally>('rate/agents');
/** What {@link limitsOver} answers where nothing is limited. */
export const NO_LIMITS: readonly never[] = Object.freeze([]);

/** Start of the window that `at` falls into: windows tumble, from multiples of their length since the epoch. Epoch ms. */
export function windowStart(at: number, windowMs: number): number {
  return Math.floor(at / windowMs) * windowMs;
}

/**
 * All limits that a mark in `scope` is subject to: that of its definition and those of every definition above, so that a child with a
 * definition of its own is no way round. @see protocol rule S14
 */
export function limitsOver(view: Pick<DecisionView, 'definitionOf'>, scope: ScopeName): readonly ImposedLimit[] {
  let found: ImposedLimit[] | undefined;
  for (let at: ScopeName | undefined = scope; at !== undefined; ) {
    const definition = view.definitionOf(at);
    if (definition === undefined) break;
    const { name, rateLimit } = definition;
    if (rateLimit !== undefined) (found ??= []).push({ by: name, ...rateLimit });
    at = parentScope(name);
  }
  return found ?? NO_LIMITS;
}

/** Marks stored so far in the window of `now` under a limit: of one agent, or of all without one. */
export function storedUnder(memory: GuardMemory, limit: ImposedLimit, now: number, agent?: AgentName): number {
  const { by, windowMs } = limit;
  const tally = agent === undefined ? memory.map(FLEET).get(by) : memory.map(AGENTS).get(keyOf(by, agent));
  return tally !== undefined && tally.windowMs === windowMs && tally.start === windowStart(now, windowMs)
    ? tally.count
    : 0;
}

/**
 * Counts the marks that calls left, an execution as one. A call that was refused stored nothing and uses no slot, whoever refused it (the
 * envelope sees it all the same); nor does one that found its mark already there. @see protocol rules P64, P65
 */
export const ratePart: GuardPart = {
  name: 'rate',
  fold: (state, happened, { view }) => {
    if (happened.type !== 'call' || happened.mark === undefined || happened.repeated === true) return;
    const { call, scope, agent, at } = happened;
    if (scope === undefined || (call !== 'write' && call !== 'execute')) return;
    const limits = limitsOver(view, scope);
    if (limits === NO_LIMITS) return;
    for (const limit of limits) {
      const { by, windowMs, perFleet, perAgent } = limit;
      const start = windowStart(at, windowMs);
      if (perFleet !== undefined) count(state, FLEET, by, start, windowMs);
      if (perAgent !== undefined) count(state, AGENTS, keyOf(by, agent), start, windowMs);
    }
  },
};

function count(state: GuardState, map: typeof FLEET, key: string, start: number, windowMs: number): void {
  const tallies = state.map(map);
  const before = tallies.get(key);
  const same = before !== undefined && before.start === start && before.windowMs === windowMs;
  tallies.set(key, { start, windowMs, count: same ? before.count + 1 : 1 });
}

function keyOf(definition: ScopeName, agent: AgentName): string {
  return `${definition}\0${agent}`;
}
