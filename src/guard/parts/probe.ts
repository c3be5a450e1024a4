import { isRecord } from '../../space/json-value.ts';
import type { AgentName, Mark, MarkId, ScopeName } from '../../space/marks.ts';
import { covers } from '../../space/scope.ts';
import type { FoldContext, GuardPart, Happened } from '../happened.ts';
import { type GuardMemory, type GuardState, stateKey } from '../state.ts';
import { isCounted } from './counted.ts';

/** Topic of an answer to a canary. */
export const ACK_TOPIC = 'ack';

/** A canary that is out. */
interface Canary {
  readonly canary: MarkId;
  readonly scope: ScopeName;
  /** Epoch ms; an answer at it is in time. */
  readonly deadline: number;
}

/** One canary that an agent was active under, or has answered. */
interface Answering extends Canary {
  readonly active: boolean;
  readonly answered: boolean;
}

/** Canaries that an agent let pass although it was active. */
interface Answers {
  readonly open: readonly Answering[];
  readonly missed: readonly Canary[];
}

/** How an agent stands with the probe. `waiting`: it was active and has not answered yet. */
export type ProbeStanding =
  | { readonly verdict: 'healthy' | 'waiting' }
  | { readonly verdict: 'locked'; readonly canary: MarkId; readonly scope: ScopeName };

const CANARIES = stateKey<readonly Canary[]>('probe/canaries');
const AGENTS = stateKey<Answers>('probe/agents');
const NONE: readonly never[] = Object.freeze([]);
const HEALTHY: ProbeStanding = { verdict: 'healthy' };

/**
 * Remembers who was active while a canary was out and who answered it. Active is who makes a counted call outside the probe's scope, so
 * that neither the probe nor an answer is activity. What was missed stays missed until the principal restores the agent in the
 * probe's scope; an answer after the deadline comes too late.
 */
export const probePart: GuardPart = {
  name: 'probe',
  fold: (state, happened, context) => {
    if (happened.type === 'event') foldEvent(state, happened);
    else if (happened.type === 'call') foldCall(state, happened);
    else foldMark(state, happened.mark, context);
  },
};

/** Costs the canaries that are out: one, or a few. */
export function probeStanding(memory: GuardMemory, agent: AgentName, now: number): ProbeStanding {
  const answers = memory.map(AGENTS).get(agent);
  if (answers === undefined) return HEALTHY;
  const missed = answers.missed[0] ?? answers.open.find((one) => isMissed(one, now));
  if (missed !== undefined) return { verdict: 'locked', canary: missed.canary, scope: missed.scope };
  return answers.open.some(({ active, answered }) => active && !answered) ? { verdict: 'waiting' } : HEALTHY;
}

function isMissed({ active, answered, deadline }: Answering, now: number): boolean {
  return active && !answered && now > deadline;
}

function foldEvent(state: GuardState, { at, event }: Extract<Happened, { type: 'event' }>): void {
  if (event.what === 'probed') {
    const { canary, scope, deadline } = event;
    const out = (state.map(CANARIES).get('') ?? NONE).filter((one) => one.deadline >= at);
    state.map(CANARIES).set('', [...out, { canary, scope, deadline }]);
  } else if (event.what === 'restored' && event.restriction.kind === undefined) {
    const { agent, scope } = event.restriction;
    for (const [name, answers] of agent === undefined ? [...state.map(AGENTS).entries()] : own(state, agent)) {
      const { open, missed } = settled(answers, at);
      const left = { open, missed: missed.filter((one) => !covers(scope, one.scope)) };
      setAnswers(state, name, left);
    }
  }
}

function own(state: GuardState, agent: AgentName): Iterable<readonly [string, Answers]> {
  const answers = state.map(AGENTS).get(agent);
  return answers === undefined ? NONE : [[agent, answers]];
}

function foldCall(state: GuardState, call: Extract<Happened, { type: 'call' }>): void {
  const canaries = state.map(CANARIES).get('');
  if (canaries === undefined || !isCounted(call)) return;
  const { at, agent, scope } = call;
  for (const canary of canaries)
    if (at <= canary.deadline && (scope === undefined || !covers(canary.scope, scope)))
      note(state, agent, canary, at, 'active');
}

function foldMark(state: GuardState, mark: Mark, { view }: FoldContext): void {
  if (mark.kind !== 'observation' || mark.topic !== ACK_TOPIC) return;
  for (const canary of state.map(CANARIES).get('') ?? NONE) {
    if (mark.scope !== canary.scope || mark.createdAt > canary.deadline || !names(mark.content, canary.canary))
      continue;
    // Whoever put the canary out does not answer it.
    if (view.byId(canary.canary)?.agent !== mark.agent) note(state, mark.agent, canary, mark.createdAt, 'answered');
  }
}

/** Whether the content of an answer names the canary: `{ canary: <id> }`. */
function names(content: unknown, canary: MarkId): boolean {
  return isRecord(content) && content['canary'] === canary;
}

function note(state: GuardState, agent: AgentName, canary: Canary, at: number, what: 'active' | 'answered'): void {
  const known = state.map(AGENTS).get(agent);
  const before = known?.open.find((one) => one.canary === canary.canary);
  if (before?.[what] === true) return;
  const { open, missed } = settled(known ?? { open: NONE, missed: NONE }, at);
  const noted = { active: false, answered: false, ...before, ...canary, [what]: true };
  setAnswers(state, agent, { open: [...open.filter((one) => one.canary !== canary.canary), noted], missed });
}

/** With the canaries whose time is over put where they belong: missed (one a scope is enough to be locked for), or forgotten. */
function settled({ open, missed }: Answers, now: number): Answers {
  if (open.every(({ deadline }) => now <= deadline)) return { open, missed };
  const all = [...missed];
  for (const one of open) {
    const { canary, scope, deadline } = one;
    if (isMissed(one, now) && !all.some((other) => other.scope === scope)) all.push({ canary, scope, deadline });
  }
  return { open: open.filter(({ deadline }) => now <= deadline), missed: all };
}

function setAnswers(state: GuardState, agent: string, answers: Answers): void {
  if (answers.open.length + answers.missed.length === 0) state.map(AGENTS).delete(agent);
  else state.map(AGENTS).set(agent, answers);
}
