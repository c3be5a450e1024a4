import { isRecord } from '../space/json-value.ts';
import type { LogRecord } from '../space/log.ts';
import type { Mark, ScopeName } from '../space/marks.ts';
import { isMarkKind } from '../space/marks.ts';
import { decisionIn, type MarkCall, markCallIn, type PlainCall } from './decided.ts';
import { epochOf } from './session-id.ts';
import type { DecisionRecord } from './decision.ts';
import type { GuardEvent } from './guard-event.ts';
import type { FoldContext, Happened } from './happened.ts';
import { barrierPart } from './parts/barrier.ts';
import { budgetPart } from './parts/budget.ts';
import { claimsPart } from './parts/claims.ts';
import { envelopePart } from './parts/envelope.ts';
import { probePart } from './parts/probe.ts';
import { ratePart } from './parts/rate.ts';
import { sessionsPart } from './parts/sessions.ts';
import { subscriptionsPart } from './parts/subscriptions.ts';
import { type GuardState, stateKey } from './state.ts';

const EVENTS = stateKey<number>('events');

/** The key of the next event: events are counted, so that the same history makes the same keys. */
export function nextEventKey(state: GuardState, run: string): string {
  return `${run}/event/${(state.map(EVENTS).get('') ?? 0) + 1}`;
}

/** Folds into everything the guard remembers, one part a concern. A new one is a file in `parts` and a line here. */
function fold(state: GuardState, happened: Happened, context: FoldContext): void {
  sessionsPart.fold(state, happened, context);
  barrierPart.fold(state, happened, context);
  envelopePart.fold(state, happened, context);
  budgetPart.fold(state, happened, context);
  ratePart.fold(state, happened, context);
  probePart.fold(state, happened, context);
  claimsPart.fold(state, happened, context);
  subscriptionsPart.fold(state, happened, context);
}

export function foldMark(state: GuardState, mark: Mark, context: FoldContext): void {
  fold(state, { type: 'mark', mark }, context);
}

export function foldEvent(state: GuardState, event: GuardEvent, at: number, context: FoldContext): void {
  state.map(EVENTS).set('', (state.map(EVENTS).get('') ?? 0) + 1);
  fold(state, { type: 'event', at, event }, context);
}

/** The call that let a mark in. */
export function foldCall(
  state: GuardState,
  mark: Mark,
  call: MarkCall | PlainCall,
  context: FoldContext,
  epoch = epochOf(mark.id),
): void {
  const plain = typeof call === 'number';
  fold(
    state,
    {
      type: 'call',
      at: mark.createdAt,
      agent: mark.agent,
      epoch,
      call: plain ? (call < 0 ? 'execute' : 'write') : call.call,
      verdict: plain || call.reason === undefined ? 'allow' : 'blocked',
      check: undefined,
      kind: mark.kind,
      scope: mark.scope,
      topic: 'topic' in mark ? mark.topic : undefined,
      resource: 'resource' in mark ? mark.resource : undefined,
      mark: mark.id,
      repeated: undefined,
      count: 1,
    },
    context,
  );
}

/** A decision with a record of its own. What its subject says in short is taken from its mark where there is one. */
export function foldDecision(state: GuardState, record: DecisionRecord, context: FoldContext): void {
  const { at, agent, epoch, call, verdict, denial, mark, count = 1 } = record;
  const about = mark === undefined ? undefined : context.view.byId(mark);
  const subject = about ?? (isRecord(record.subject) ? record.subject : {});
  const { kind, scope } = subject;
  const topic = 'topic' in subject ? subject.topic : undefined;
  const resource = 'resource' in subject ? subject.resource : undefined;
  fold(
    state,
    {
      type: 'call',
      at,
      agent,
      epoch,
      call,
      verdict,
      check: denial?.check,
      kind: isMarkKind(kind) ? kind : undefined,
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the subject of a draft whose scope was checked
      scope: typeof scope === 'string' ? (scope as ScopeName) : undefined,
      topic: typeof topic === 'string' ? topic : undefined,
      resource: typeof resource === 'string' ? resource : undefined,
      mark,
      // What a decision let in is in its mark's record.
      repeated: mark === undefined ? undefined : true,
      count,
    },
    context,
  );
}

/** Folds a record of the log that the index has folded already. */
export function foldRecord(state: GuardState, { body }: Pick<LogRecord, 'body'>, context: FoldContext): void {
  if (body.type === 'mark') {
    const call = markCallIn(body);
    if (call !== undefined) foldCall(state, body.mark, call, context);
    foldMark(state, body.mark, context);
  } else if (body.type === 'decision') {
    const decision = decisionIn(body);
    if (decision !== undefined) foldDecision(state, decision, context);
  } else if (body.type === 'event' && isRecord(body.event)) {
    const at = typeof body.event['at'] === 'number' ? body.event['at'] : 0;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the gate wrote it, and the chain vouches for it
    foldEvent(state, body.event as unknown as GuardEvent, at, context);
  }
}
