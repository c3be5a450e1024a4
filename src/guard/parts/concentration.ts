import type { AgentName, ScopeName } from '../../space/marks.ts';
import type { EnvelopeSettings } from '../policies/envelope.ts';
import { type GuardMemory, type GuardState, stateKey } from '../state.ts';

/** Who wrote on one topic in the newest window that anybody wrote on it. */
interface Writers {
  readonly window: number;
  /** Different ones, no more than make a concentration. */
  readonly agents: readonly AgentName[];
  /** Its place in the queue of those to be forgotten. */
  readonly place: number;
}

/** By `<scope>\0<topic>`. */
const TOPICS = stateKey<Writers>('envelope/topics');
/** Topics in the order of their windows: place -> topic. */
const QUEUE = stateKey<string>('envelope/queue');
/** The queue's places in use: from `first` up to but not including `end`. */
const ENDS = stateKey<{ readonly first: number; readonly end: number }>('envelope/queue-ends');
/** How many topics of a window that is over are forgotten with each that is noted: more than one, so that they all are. */
const FORGOTTEN_EACH = 2;

/** Notes that an agent wrote on a topic in a window. Topics of windows that are over are forgotten bit by bit. */
export function noteWriter(state: GuardState, key: string, agent: AgentName, window: number, most: number): void {
  const topics = state.map(TOPICS);
  const before = topics.get(key);
  if (before !== undefined && before.window === window) {
    if (before.agents.length < most && !before.agents.includes(agent))
      topics.set(key, { ...before, agents: [...before.agents, agent] });
    return;
  }
  let { first, end } = state.map(ENDS).get('') ?? { first: 0, end: 0 };
  topics.set(key, { window, agents: [agent], place: end });
  state.map(QUEUE).set(String(end), key);
  end += 1;
  for (let n = 0; n < FORGOTTEN_EACH && first < end; n += 1) {
    const oldest = state.map(QUEUE).get(String(first));
    const noted = oldest === undefined ? undefined : topics.get(oldest);
    if (noted !== undefined && noted.place === first) {
      if (noted.window === window) break;
      topics.delete(oldest ?? '');
    }
    state.map(QUEUE).delete(String(first));
    first += 1;
  }
  state.map(ENDS).set('', { first, end });
}

export function topicKey(scope: ScopeName, topic: string): string {
  return `${scope}\0${topic}`;
}

/** Whether so many agents wrote on one topic in the window of `now` that somebody should have a look. It restricts nobody. */
export function isConcentrated(
  memory: GuardMemory,
  settings: EnvelopeSettings,
  scope: ScopeName,
  topic: string,
  now: number,
): boolean {
  const writers = memory.map(TOPICS).get(topicKey(scope, topic));
  return (
    writers !== undefined &&
    writers.window === Math.floor(now / settings.windowMs) &&
    writers.agents.length >= settings.concentration
  );
}

/** How many topics are remembered. */
export function rememberedTopics(memory: GuardMemory): number {
  const { first, end } = memory.map(ENDS).get('') ?? { first: 0, end: 0 };
  return end - first;
}
