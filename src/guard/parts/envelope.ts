import type { AgentName, ScopeName } from '../../space/marks.ts';
import { covers } from '../../space/scope.ts';
import type { FoldContext, GuardPart, Happened } from '../happened.ts';
import type { EnvelopeSettings } from '../policies/envelope.ts';
import { type GuardMemory, type GuardState, stateKey } from '../state.ts';
import {
  type Baseline,
  type Counts,
  learnWindow,
  NO_COUNTS,
  ordinaryCount,
  seedBaseline,
  shiftedKind,
  totalOf,
  WATCHED,
  type WatchedKind,
} from './baseline.ts';
import { noteWriter, topicKey } from './concentration.ts';
import { isCounted } from './counted.ts';

/** What is remembered of one agent. Windows are numbered from the epoch. */
interface Behaviour {
  readonly window: number;
  /** Of the current window. */
  readonly counts: Counts;
  /** Of the window right before it, without the kinds that were an anomaly there; undefined when it was idle. */
  readonly before: Counts | undefined;
  /** Kinds that were an anomaly in the current window. */
  readonly flagged: readonly WatchedKind[];
  /** Active windows so far, until there are enough for a baseline. */
  readonly cold: readonly Counts[];
  readonly baseline: Baseline | undefined;
  readonly anomalies: number;
  readonly narrowed: readonly ScopeName[];
  readonly everywhere: boolean;
}

/** How an agent stands with the envelope. */
export interface EnvelopeStanding {
  /** Whether there is a baseline to judge by. */
  readonly ready: boolean;
  /** Active windows learnt from. */
  readonly windows: number;
  /** Since the last reset. */
  readonly anomalies: number;
  readonly restricted: 'nowhere' | 'scopes' | 'everywhere';
  readonly scopes: readonly ScopeName[];
  /** Of the current window. */
  readonly counts: Counts;
  /** Mean per window, where there is a baseline. */
  readonly means?: Counts;
}

const AGENTS = stateKey<Behaviour>('envelope/agents');

type Call = Extract<Happened, { type: 'call' }>;

/**
 * Learns what each agent ordinarily does, kind by kind, and remembers who did something else. Every counted call counts, refused ones too;
 * those that the envelope itself refused do not, so that an agent that tries again is not flagged for trying.
 * At most one anomaly per agent, kind and window; a window with one teaches nothing. @see protocol rules P40, P41, P43, P64
 */
export const envelopePart: GuardPart = {
  name: 'envelope',
  fold: (state, happened, context) => {
    const { envelope } = context.settings;
    if (envelope === undefined) return;
    if (happened.type === 'call') foldCall(state, happened, context, envelope);
    else if (happened.type === 'event' && happened.event.what === 'envelope-reset')
      state.map(AGENTS).delete(happened.event.agent);
  },
};

/** What a restriction of the envelope's keeps an agent from: everything, or one scope over `scope`; undefined: nothing there. */
export function narrowingOf(
  memory: GuardMemory,
  agent: AgentName,
  scope: ScopeName,
): 'everywhere' | ScopeName | undefined {
  const behaviour = memory.map(AGENTS).get(agent);
  if (behaviour === undefined) return undefined;
  if (behaviour.everywhere) return 'everywhere';
  // Fewer than make a restriction everywhere.
  return behaviour.narrowed.length === 0 ? undefined : behaviour.narrowed.find((narrowed) => covers(narrowed, scope));
}

export function envelopeStanding(memory: GuardMemory, agent: AgentName): EnvelopeStanding {
  const { baseline, cold, anomalies, narrowed, everywhere, counts } = memory.map(AGENTS).get(agent) ?? unknownAt(0);
  const standing = {
    ready: baseline !== undefined,
    windows: baseline?.windows ?? cold.length,
    anomalies,
    restricted: everywhere ? 'everywhere' : narrowed.length > 0 ? 'scopes' : 'nowhere',
    scopes: narrowed,
    counts,
  } as const;
  if (baseline === undefined) return standing;
  const { intent, action, observation, warning } = baseline.kinds;
  const means = { intent: intent.mean, action: action.mean, observation: observation.mean, warning: warning.mean };
  return { ...standing, means };
}

function unknownAt(window: number): Behaviour {
  return {
    window,
    counts: NO_COUNTS,
    before: undefined,
    flagged: [],
    cold: [],
    baseline: undefined,
    anomalies: 0,
    narrowed: [],
    everywhere: false,
  };
}

function foldCall(state: GuardState, call: Call, context: FoldContext, settings: EnvelopeSettings): void {
  const { agent, at, scope, topic, verdict } = call;
  const kind = WATCHED.find((one) => one === call.kind);
  if (kind === undefined || !isCounted(call) || call.check === 'envelope') return;
  const window = Math.floor(at / settings.windowMs);
  const agents = state.map(AGENTS);
  const known = turnedTo(agents.get(agent) ?? unknownAt(window), window, settings);
  const counted = countedIn(known, window, kind, call.count);
  agents.set(agent, judged(counted, kind, scope === undefined ? undefined : narrowable(context, scope), settings));
  if (topic !== undefined && scope !== undefined && verdict === 'allow')
    noteWriter(state, topicKey(scope, topic), agent, window, settings.concentration);
}

/** The scope that one anomaly narrows: the definition's, so that the names of its children are no way round. @see protocol rule S14 */
function narrowable({ view }: FoldContext, scope: ScopeName): ScopeName {
  return view.definitionOf(scope)?.name ?? scope;
}

/** Ends the current window if `window` comes after it: learns from it unless it was an anomaly. */
function turnedTo(behaviour: Behaviour, window: number, settings: EnvelopeSettings): Behaviour {
  if (window <= behaviour.window) return behaviour;
  const { counts, flagged, cold, baseline } = behaviour;
  const before = window === behaviour.window + 1 ? withoutKinds(counts, flagged) : undefined;
  const turned = { ...behaviour, window, counts: NO_COUNTS, before, flagged: [] };
  if (flagged.length > 0) return turned;
  if (baseline !== undefined) return { ...turned, baseline: learnWindow(baseline, counts) };
  const learnt = [...cold, counts];
  if (learnt.length < settings.coldWindows) return { ...turned, cold: learnt };
  return { ...turned, cold: [], baseline: seedBaseline(learnt) };
}

/** Equal refusals are told together when their window is over: what comes late counts where it belongs, if that is not long ago. */
function countedIn(behaviour: Behaviour, window: number, kind: WatchedKind, count: number): Behaviour {
  const { counts, before } = behaviour;
  if (window >= behaviour.window) return { ...behaviour, counts: { ...counts, [kind]: counts[kind] + count } };
  if (window < behaviour.window - 1 || before === undefined) return behaviour;
  return { ...behaviour, before: { ...before, [kind]: before[kind] + count } };
}

function judged(
  behaviour: Behaviour,
  kind: WatchedKind,
  scope: ScopeName | undefined,
  settings: EnvelopeSettings,
): Behaviour {
  const anomaly = anomalyIn(behaviour, kind, settings);
  if (anomaly === undefined || behaviour.flagged.includes(anomaly)) return behaviour;
  const anomalies = behaviour.anomalies + 1;
  const flagged = [...behaviour.flagged, anomaly];
  if (anomalies >= settings.globalAfter) return { ...behaviour, anomalies, flagged, everywhere: true };
  const { narrowed } = behaviour;
  const covered = scope === undefined || narrowed.some((one) => covers(one, scope));
  return { ...behaviour, anomalies, flagged, narrowed: covered ? narrowed : [...narrowed, scope] };
}

/** The kind that is out of the ordinary now that one more mark of `kind` was counted. */
function anomalyIn(
  { baseline, counts, before }: Behaviour,
  kind: WatchedKind,
  { sigmas, shareShift, minVolume }: EnvelopeSettings,
): WatchedKind | undefined {
  if (baseline === undefined) return undefined;
  const ordinary = ordinaryCount(baseline, kind, sigmas);
  if (counts[kind] > ordinary || counts[kind] + (before?.[kind] ?? 0) > 2 * ordinary) return kind;
  return totalOf(counts) < minVolume ? undefined : shiftedKind(baseline, counts, shareShift);
}

function withoutKinds(counts: Counts, kinds: readonly WatchedKind[]): Counts {
  if (kinds.length === 0) return counts;
  return kinds.reduce((left, kind) => ({ ...left, [kind]: 0 }), counts);
}
