import type { AgentName, Mark, MarkId, MarkKind, ScopeName } from '../../space/marks.ts';
import { covers, parentScope } from '../../space/scope.ts';
import type { Restriction } from '../guard-event.ts';
import type { GuardPart } from '../happened.ts';
import { type GuardMemory, type GuardState, stateKey } from '../state.ts';

/** What one scope, and all below it, is closed to. Kinds that are not listed are open; needs always are. */
interface Closure {
  /** Until the principal restores them. */
  readonly closed: readonly MarkKind[];
  /** Until the principal resolved a Need written there since, or restores them: kind -> which asking for a Need this is. */
  readonly needed: ReadonlyMap<MarkKind, number>;
}

/** A closure that stands in the way of a mark. */
export interface Barred {
  readonly scope: ScopeName;
  /** It is lifted once a Need of the agent's there is resolved. */
  readonly byNeed: boolean;
}

/** What the answer to a Need settles: in these scopes, every asking up to this one, for its author. */
interface Plea {
  readonly agent: AgentName;
  readonly scopes: readonly ScopeName[];
  readonly asking: number;
}

const CLOSABLE: readonly MarkKind[] = ['intent', 'action', 'observation', 'warning'];
const OPEN: Closure = { closed: [], needed: new Map() };
/** Stands for all agents where an agent's name would stand; it cannot be one. */
const EVERYBODY = '*';

/** Agent or everybody -> scope -> closure. */
const CLOSURES = stateKey<ReadonlyMap<ScopeName, Closure>>('barrier/closures');
/** By the Need's id. */
const PLEAS = stateKey<Plea>('barrier/pleas');
/** Agent -> scope -> up to which asking of everybody it has settled. */
const SETTLED = stateKey<ReadonlyMap<ScopeName, number>>('barrier/settled');
const ASKINGS = stateKey<number>('barrier/askings');

/** Whether anything at all is closed to an agent. */
export function isBarredAnywhere(memory: GuardMemory, agent: AgentName): boolean {
  const closures = memory.map(CLOSURES);
  return closures.get(agent) !== undefined || closures.get(EVERYBODY) !== undefined;
}

/**
 * What keeps an agent from writing a mark of `kind` into `scope`; undefined when nothing does. What only a restoration lifts is named before
 * what a Need would lift. Costs the depth of the scope.
 */
export function barredBy(memory: GuardMemory, agent: AgentName, scope: ScopeName, kind: MarkKind): Barred | undefined {
  if (kind === 'need') return undefined;
  const closures = memory.map(CLOSURES);
  const own = closures.get(agent);
  const all = closures.get(EVERYBODY);
  if (own === undefined && all === undefined) return undefined;
  const settled = memory.map(SETTLED).get(agent);
  let byNeed: Barred | undefined;
  for (let at: ScopeName | undefined = scope; at !== undefined; at = parentScope(at)) {
    const mine = own?.get(at) ?? OPEN;
    const everybodys = all?.get(at) ?? OPEN;
    if (mine.closed.includes(kind) || everybodys.closed.includes(kind)) return { scope: at, byNeed: false };
    const asked = mine.needed.has(kind) || (everybodys.needed.get(kind) ?? 0) > (settled?.get(at) ?? 0);
    if (asked) byNeed ??= { scope: at, byNeed: true };
  }
  return byNeed;
}

/** A restriction that holds. Of everybody, a `needed` one holds for those who have not had a Need resolved since. */
export type StandingRestriction = Restriction & { readonly kind: MarkKind; readonly needed: boolean };

/** Every restriction that holds, one a kind. */
export function* standingRestrictions(memory: GuardMemory): Iterable<StandingRestriction> {
  for (const [who, scopes] of memory.map(CLOSURES).entries()) {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the key is an agent's name or stands for everybody
    const of = who === EVERYBODY ? {} : { agent: who as AgentName };
    for (const [scope, { closed, needed }] of scopes) {
      for (const kind of closed) yield { ...of, scope, kind, needed: false };
      for (const kind of needed.keys()) yield { ...of, scope, kind, needed: true };
    }
  }
}

/**
 * The barrier: what was taken away stays so until the principal gives it back. A restriction of every kind is one of each, so that kinds may
 * be restored one by one; one of everybody is lifted for everybody or not at all. @see protocol rules P44, S9
 */
export const barrierPart: GuardPart = {
  name: 'barrier',
  fold: (state, happened) => {
    if (happened.type === 'mark') foldMark(state, happened.mark);
    else if (happened.type === 'event') {
      const { event } = happened;
      if (event.what === 'revoked') close(state, event.restriction, event.needed === true);
      else if (event.what === 'restored') restore(state, event.restriction);
    }
  },
};

function kindsOf({ kind }: Restriction): readonly MarkKind[] {
  return kind === undefined ? CLOSABLE : CLOSABLE.filter((one) => one === kind);
}

function close(state: GuardState, restriction: Restriction, byNeed: boolean): void {
  const kinds = kindsOf(restriction);
  const { agent: who = EVERYBODY, scope } = restriction;
  const before = state.map(CLOSURES).get(who)?.get(scope) ?? OPEN;
  if (!byNeed) {
    const closed = CLOSABLE.filter((kind) => before.closed.includes(kind) || kinds.includes(kind));
    return setClosure(state, who, scope, { ...before, closed });
  }
  const asking = (state.map(ASKINGS).get('') ?? 0) + 1;
  state.map(ASKINGS).set('', asking);
  const needed = new Map([...before.needed, ...kinds.map((kind) => [kind, asking] as const)]);
  setClosure(state, who, scope, { ...before, needed });
}

function restore(state: GuardState, restriction: Restriction): void {
  const { agent, scope } = restriction;
  const kinds = kindsOf(restriction);
  const held = [...state.map(CLOSURES).entries()];
  for (const [who, scopes] of held) {
    if (agent !== undefined && agent !== who) continue;
    for (const [at, { closed, needed }] of scopes) {
      if (!covers(scope, at)) continue;
      setClosure(state, who, at, {
        closed: closed.filter((kind) => !kinds.includes(kind)),
        needed: new Map([...needed].filter(([kind]) => !kinds.includes(kind))),
      });
    }
  }
}

function setClosure(state: GuardState, who: string, scope: ScopeName, closure: Closure): void {
  const scopes = new Map(state.map(CLOSURES).get(who));
  if (closure.closed.length + closure.needed.size > 0) scopes.set(scope, closure);
  else scopes.delete(scope);
  if (scopes.size > 0) state.map(CLOSURES).set(who, scopes);
  else state.map(CLOSURES).delete(who);
}

function foldMark(state: GuardState, mark: Mark): void {
  if (mark.supersedes !== undefined) answer(state, mark.supersedes, mark);
  if (mark.kind !== 'need') return;
  const own = state.map(CLOSURES).get(mark.agent);
  const all = state.map(CLOSURES).get(EVERYBODY);
  const scopes: ScopeName[] = [];
  for (let at: ScopeName | undefined = (own ?? all) ? mark.scope : undefined; at !== undefined; at = parentScope(at)) {
    if ((own?.get(at)?.needed.size ?? 0) + (all?.get(at)?.needed.size ?? 0) > 0) scopes.push(at);
  }
  if (scopes.length === 0) return;
  state.map(PLEAS).set(mark.id, { agent: mark.agent, scopes, asking: state.map(ASKINGS).get('') ?? 0 });
}

/** Somebody else's action that supersedes a Need is the principal's answer: authorization lets nobody else do that. */
function answer(state: GuardState, need: MarkId, by: Mark): void {
  const plea = state.map(PLEAS).get(need);
  if (plea === undefined) return;
  state.map(PLEAS).delete(need);
  const { agent, scopes, asking } = plea;
  if (by.kind !== 'action' || by.failed === true || by.agent === agent) return;
  for (const scope of scopes) {
    const own = state.map(CLOSURES).get(agent)?.get(scope);
    if (own !== undefined) {
      const needed = new Map([...own.needed].filter(([, asked]) => asked > asking));
      setClosure(state, agent, scope, { ...own, needed });
    }
    if (state.map(CLOSURES).get(EVERYBODY)?.get(scope) !== undefined)
      state.map(SETTLED).set(agent, new Map(state.map(SETTLED).get(agent)).set(scope, asking));
  }
}
