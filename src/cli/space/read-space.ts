import { decisionIn } from '../../guard/decided.ts';
import type { DecisionRecord } from '../../guard/decision.ts';
import { type Grant, parseGrant } from '../../guard/grants.ts';
import { foldRecord } from '../../guard/parts.ts';
import { FOLDING } from '../../guard/settings.ts';
import { GuardState } from '../../guard/state.ts';
import type { Log, LogHead, LogRecord } from '../../space/log.ts';
import { MarkIndex } from '../../space/mark-index.ts';
import type { AgentName, Mark } from '../../space/marks.ts';
import { decayOf, TRUST_WEIGHTS } from '../../space/strength.ts';
import type { Surroundings } from '../output.ts';
import { findSpace, openForReading, type SpacePlace } from './place.ts';

/** A space as its log says it is, read without a gate: nothing is written, nobody is kept waiting. */
export interface SpaceReading {
  readonly place: SpacePlace;
  readonly head: LogHead;
  readonly index: MarkIndex;
  /** What the guard remembers. How it is set is not in the log: what only its settings turn on (the envelope) is missing here. */
  readonly state: GuardState;
  /** As they were granted last. */
  readonly grants: ReadonlyMap<AgentName, Grant>;
}

/** Records between two looks at whether somebody interrupted. */
const PAGE = 512;

/** Reads a space from its first record to its last. `onDecision` is told of every decision, in order. */
export async function readSpace(
  where: string | undefined,
  world: Surroundings,
  onDecision?: (decision: DecisionRecord) => void,
): Promise<SpaceReading> {
  const place = await findSpace(where, world);
  const log = await openForReading(place);
  try {
    return await foldSpace(place, log, world.signal, onDecision);
  } finally {
    await log.close();
  }
}

async function foldSpace(
  place: SpacePlace,
  log: Log,
  signal: AbortSignal,
  onDecision?: (decision: DecisionRecord) => void,
): Promise<SpaceReading> {
  const index = new MarkIndex();
  const state = new GuardState();
  const grants = new Map<AgentName, Grant>();
  const settings = { trust: TRUST_WEIGHTS, folding: FOLDING };
  let last: LogRecord | undefined;
  for await (const record of log.read()) {
    last = record;
    index.apply(record);
    foldRecord(state, record, { view: index, settings, seq: record.seq });
    const { body, seq } = record;
    if (body.type === 'define' && body.what === 'grant') {
      const grant = parseGrant(body.value);
      grants.set(grant.agent, grant);
    }
    const decision = onDecision === undefined ? undefined : decisionIn(body);
    if (decision !== undefined) onDecision?.(decision);
    if (seq % PAGE !== 0) continue;
    state.keep();
    signal.throwIfAborted();
  }
  state.keep();
  const head = last === undefined ? log.head() : { seq: last.seq, hash: last.hash };
  return { place, head, index, state, grants };
}

/** Whether a mark counts at `now`: neither superseded, withdrawn or resolved, nor expired. */
export function isLive(index: MarkIndex, mark: Mark, now: number): boolean {
  return !index.isSuperseded(mark.id) && decayOf(mark, index.definitionOf(mark.scope), now) > 0;
}
