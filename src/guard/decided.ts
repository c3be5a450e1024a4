import { isRecord } from '../space/json-value.ts';
import type { EntryBody, LogRecord } from '../space/log.ts';
import type { Json, Mark } from '../space/marks.ts';
import type { DecisionRecord } from './decision.ts';
import { epochOf, sessionOf } from './session-id.ts';
import { subjectOfMark } from './subject.ts';

/**
 * The call that let a mark in, as the mark's record carries it: an allowed write is one record, the mark and what of the decision the mark
 * does not say itself.
 */
export interface MarkCall {
  /** Last part of the decision's id; the rest is the mark's. */
  readonly c: string;
  readonly call: 'write' | 'execute';
  /** Why it has to wait although it is stored; absent: it was allowed. */
  readonly reason?: string;
  readonly flags?: readonly string[];
}

/** The same, short, for a plain call that was allowed: its number; below 0 for an execution. Most records have this. */
export type PlainCall = number;

/** A call in full. */
export function callOf(call: MarkCall | PlainCall): MarkCall {
  return typeof call === 'number' ? { c: `c${Math.abs(call)}`, call: call < 0 ? 'execute' : 'write' } : call;
}

/** The decision that a record holds, of its own or with the mark that it let in; undefined for a record without one. */
export function decisionIn(body: EntryBody): DecisionRecord | undefined {
  if (body.type === 'decision') {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the gate wrote it, and the chain vouches for it
    return isRecord(body.decision) ? (body.decision as unknown as DecisionRecord) : undefined;
  }
  if (body.type !== 'mark') return undefined;
  const call = markCallIn(body);
  return call === undefined ? undefined : decisionOn(body.mark, callOf(call));
}

/** The decision record that a mark and its call stand for. */
function decisionOn(mark: Mark, { c, call, reason, flags }: MarkCall): DecisionRecord {
  return {
    id: `${sessionOf(mark.id)}/${c}`,
    agent: mark.agent,
    epoch: epochOf(mark.id),
    at: mark.createdAt,
    call,
    verdict: reason === undefined ? 'allow' : 'blocked',
    subject: subjectOfMark(mark),
    ...(reason === undefined ? {} : { reason }),
    mark: mark.id,
    ...(flags === undefined ? {} : { flags }),
  };
}

/** The call that let a mark in, if its record has one. */
export function markCallIn({ call }: Extract<EntryBody, { type: 'mark' }>): MarkCall | PlainCall | undefined {
  if (typeof call === 'number') return call;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the gate wrote it, and the chain vouches for it
  return isRecord(call) ? (call as unknown as MarkCall) : undefined;
}

/** The records of a log with every mark that a call let in replaced by that call's decision: what tables of decisions are made from. */
export async function* tellDecisions(records: AsyncIterable<LogRecord>): AsyncIterable<LogRecord> {
  for await (const record of records) {
    const { body } = record;
    const decision = body.type === 'mark' ? decisionIn(body) : undefined;
    if (decision === undefined) yield record;
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a decision record is plain JSON
    else yield { ...record, key: decision.id, body: { type: 'decision', decision: decision as unknown as Json } };
  }
}
