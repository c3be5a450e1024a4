import type { AgentName } from '../../space/marks.ts';
import type { WatchPattern } from '../../space/watch.ts';
import type { GuardEvent } from '../guard-event.ts';
import type { GuardPart } from '../happened.ts';
import { type GuardMemory, type GuardState, stateKey } from '../state.ts';

/** What one agent wants to hear of under one name, and how far it has confirmed to have heard. Positions are the log's. */
export interface Subscription {
  readonly pattern: WatchPattern;
  /** Where it was made: only what comes after it counts. */
  readonly from: number;
  /** Up to here the agent said it has everything; at least `from`. */
  readonly acknowledged: number;
}

/** An agent that has subscriptions. */
export interface Subscriber {
  readonly names: readonly string[];
  /** The session that called last: the one whose revocation says that the agent left. */
  readonly epoch?: string;
}

const BY_NAME = stateKey<Subscription>('subscriptions/by-name');
const BY_AGENT = stateKey<Subscriber>('subscriptions/by-agent');

/** One subscription; undefined when the agent has none of that name. */
export function subscriptionOf(memory: GuardMemory, agent: AgentName, name: string): Subscription | undefined {
  return memory.map(BY_NAME).get(keyOf(agent, name));
}

/** The names of an agent's subscriptions, in the order they were first made. */
export function subscriptionNames(memory: GuardMemory, agent: AgentName): readonly string[] {
  return memory.map(BY_AGENT).get(agent)?.names ?? [];
}

/**
 * Who subscribed to what, and what was acknowledged. A subscription made again under its name replaces the one before. All of an agent's
 * are forgotten when the session of it that called last is revoked; a session that merely ends (a crash, a restart) keeps them.
 */
export const subscriptionsPart: GuardPart = {
  name: 'subscriptions',
  fold: (state, happened, { seq }) => {
    if (happened.type === 'event') foldEvent(state, happened.event, seq);
    else if (happened.type === 'call') {
      const { agent, epoch, call, verdict } = happened;
      const subscriber = state.map(BY_AGENT).get(agent);
      // The call that subscribes is on record before the subscription.
      if (subscriber === undefined ? call !== 'subscribe' || verdict !== 'allow' : subscriber.epoch === epoch) return;
      state.map(BY_AGENT).set(agent, { names: subscriber?.names ?? [], epoch });
    }
  },
};

function foldEvent(state: GuardState, event: GuardEvent, seq: number | undefined): void {
  if (event.what === 'subscribed') {
    if (seq === undefined) throw new TypeError('a subscription is folded with the position of its record');
    const { agent, name, pattern } = event;
    const subscriber = state.map(BY_AGENT).get(agent);
    const names = subscriber?.names ?? [];
    if (!names.includes(name)) state.map(BY_AGENT).set(agent, { ...subscriber, names: [...names, name] });
    state.map(BY_NAME).set(keyOf(agent, name), { pattern, from: seq, acknowledged: seq });
  } else if (event.what === 'acknowledged') {
    const key = keyOf(event.agent, event.name);
    const subscription = state.map(BY_NAME).get(key);
    if (subscription === undefined || event.seq <= subscription.acknowledged) return;
    state.map(BY_NAME).set(key, { ...subscription, acknowledged: event.seq });
  } else if (event.what === 'unsubscribed') {
    forget(state, event.agent, [event.name]);
  } else if (event.what === 'session-ended' && event.revoked) {
    const subscriber = state.map(BY_AGENT).get(event.agent);
    if (subscriber === undefined || (subscriber.epoch ?? event.epoch) !== event.epoch) return;
    forget(state, event.agent, subscriber.names);
  }
}

function forget(state: GuardState, agent: AgentName, ended: readonly string[]): void {
  const subscriber = state.map(BY_AGENT).get(agent);
  if (subscriber === undefined) return;
  for (const name of ended) state.map(BY_NAME).delete(keyOf(agent, name));
  const names = subscriber.names.filter((name) => !ended.includes(name));
  if (names.length === 0) state.map(BY_AGENT).delete(agent);
  else state.map(BY_AGENT).set(agent, { ...subscriber, names });
}

/** One string for an agent's name and a subscription's; agents' names have no control characters. */
function keyOf(agent: AgentName, name: string): string {
  return `${agent}\0${name}`;
}
