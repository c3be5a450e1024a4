import type { Action, AgentName, Intent, Mark, MarkId, Need, Observation, ScopeName, Warning } from './marks.ts';
import type { LogRecord } from './log.ts';
import { parseAgentName, parseScopeName } from './scope.ts';

export function markId(id: string): MarkId {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- tests name marks freely
  return id as MarkId;
}
export const agentName: (name: string) => AgentName = parseAgentName;
export const scopeName: (name: string) => ScopeName = parseScopeName;

function base(id: string): Pick<Mark, 'id' | 'agent' | 'scope' | 'createdAt' | 'strength'> {
  return { id: markId(id), agent: agentName('ann'), scope: scopeName('lab'), createdAt: 0, strength: 1 };
}

export function intentOf(id: string, rest: Partial<Intent> = {}): Intent {
  return { ...base(id), kind: 'intent', resource: 'r', action: 'do', confidence: 0.5, ...rest };
}
export function actionOf(id: string, rest: Partial<Action> = {}): Action {
  return { ...base(id), kind: 'action', resource: 'r', action: 'do', result: { ok: true }, ...rest };
}
export function observationOf(id: string, rest: Partial<Observation> = {}): Observation {
  return {
    ...base(id),
    kind: 'observation',
    topic: 't',
    content: { text: 'x' },
    confidence: 1,
    source: 'fleet',
    ...rest,
  };
}
export function warningOf(id: string, rest: Partial<Warning> = {}): Warning {
  return { ...base(id), kind: 'warning', topic: 't', reason: 'no longer', severity: 'info', ...rest };
}
export function needOf(id: string, rest: Partial<Need> = {}): Need {
  return { ...base(id), kind: 'need', question: 'which?', context: { a: 1 }, priority: 0.5, blocking: false, ...rest };
}

export function markRecord(seq: number, mark: Mark): Pick<LogRecord, 'seq' | 'body'> {
  return { seq, body: { type: 'mark', mark } };
}
