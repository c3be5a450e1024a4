import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Log, LogEntry } from '../space/log.ts';
import { createMemoryLog } from '../space/memory-log.ts';
import { defineScope, type ScopeDefinition } from '../space/scope.ts';
import { openSqliteLog } from '../space/sqlite-log.ts';
import { agentName, scopeName } from '../space/test-marks.ts';
import { type Gate, type GateOptions, openGate } from './gate.ts';
import { decisionIn } from './decided.ts';
import type { DecisionRecord } from './decision.ts';
import type { Grant } from './grants.ts';

export const ANN = agentName('ann');
export const BOB = agentName('bob');
export const EVE = agentName('eve');
export const BOSS = agentName('boss');
export const LAB = scopeName('lab');
export const HIDDEN = scopeName('hidden');
export const OWN = scopeName('agents/ann');

export const SCOPES: readonly ScopeDefinition[] = [
  defineScope({ name: LAB, observationTopics: ['*'], warningTopics: ['*'], actionVerbs: ['do'] }),
  defineScope({ name: HIDDEN, visibility: 'classified', observationTopics: ['*'] }),
  defineScope({ name: scopeName('agents'), visibility: 'classified', observationTopics: ['*'] }),
];

const all = (scope: Grant['read'][number]): Grant['write'] =>
  (['intent', 'action', 'observation', 'warning', 'need'] as const).map((kind) => ({ kind, scope }));

export const GRANTS: readonly Grant[] = [
  {
    agent: ANN,
    read: [LAB, OWN],
    write: [...all(LAB), { kind: 'observation', scope: OWN }],
    edit: { scope: OWN, editable: ['task.ts', 'notes.md'], required: ['task.ts'], maxFileBytes: 100_000 },
  },
  { agent: BOB, read: [LAB], write: [...all(LAB), { kind: 'intent', scope: HIDDEN }] },
  { agent: EVE, read: [], write: [] },
  {
    agent: BOSS,
    read: [LAB, HIDDEN, scopeName('agents')],
    write: [...all(LAB), ...all(HIDDEN), ...all(scopeName('agents'))],
    principal: true,
  },
];

/** Something seen in `lab`. */
export function seen(topic: string, content: unknown = { text: topic }): Record<string, unknown> {
  return { scope: LAB, topic, content, confidence: 0.5, source: 'fleet' };
}

/** A file of ann's. */
export function file(path: string, text: string | null): Record<string, unknown> {
  return { scope: OWN, topic: path, content: text === null ? null : { text }, confidence: 1, source: 'fleet' };
}

export function plan(resource: string, rest: Record<string, unknown> = {}): Record<string, unknown> {
  return { scope: LAB, resource, action: 'do', confidence: 0.5, ...rest };
}

/** A gate over `log` with a clock that stands where `clock.now` says. */
export async function openTestGate(
  log: Log,
  rest: Partial<GateOptions> = {},
): Promise<{ readonly gate: Gate; readonly clock: { now: number } }> {
  const clock = { now: 1_000_000 };
  const gate = await openGate({
    log,
    run: 'run-1',
    clock: () => clock.now,
    monotonic: () => 0,
    scopes: SCOPES,
    grants: GRANTS,
    ...rest,
  });
  return { gate, clock };
}

export async function decisionsOf(log: Pick<Log, 'read'>): Promise<DecisionRecord[]> {
  const decisions: DecisionRecord[] = [];
  for await (const { body } of log.read()) {
    const decision = decisionIn(body);
    if (decision !== undefined) decisions.push(decision);
  }
  return decisions;
}

export async function keysOf(log: Pick<Log, 'read'>, type: LogEntry['body']['type']): Promise<string[]> {
  const keys: string[] = [];
  for await (const { key, body } of log.read()) if (body.type === type) keys.push(key);
  return keys;
}

/** Both logs, each with a way to open the same one again. */
export const LOGS: readonly (readonly [string, () => { open(): Promise<Log>; dispose(): void }])[] = [
  [
    'the memory log',
    () => {
      const log = createMemoryLog();
      // What closes a memory log ends it; here it has to outlive its gate.
      const kept: Log = {
        head: () => log.head(),
        append: (expectedSeq, entries) => log.append(expectedSeq, entries),
        read: (fromSeq) => log.read(fromSeq),
        close: () => Promise.resolve(),
      };
      return { open: () => Promise.resolve(kept), dispose: () => undefined };
    },
  ],
  [
    'the SQLite log',
    () => {
      const folder = mkdtempSync(join(tmpdir(), 'gate-'));
      return {
        open: () => openSqliteLog(join(folder, 'marks.db')),
        dispose: () => rmSync(folder, { recursive: true, force: true }),
      };
    },
  ],
];
