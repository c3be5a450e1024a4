import type { Grant } from '../../guard/grants.ts';
import { type Gate, openGate, type Session } from '../../guard/gate.ts';
import type { Log } from '../../space/log.ts';
import { defineScope, parseAgentName, parseScopeName, type ScopeDefinition } from '../../space/scope.ts';

/** Callers that are under way at a time. */
export const CALLERS = 64;
/** All marks are in this one scope. */
export const LAB = parseScopeName('lab');
const SCOPES: readonly ScopeDefinition[] = [
  defineScope({ name: LAB, observationTopics: ['*'], intentVerbs: ['do'], actionVerbs: ['do'] }),
];
/** Marks per topic, and marks per block: two blocks of four hold one topic and two resources (an intent and an action each). */
const PER_TOPIC = 4;
const TEXT = 'x'.repeat(64);

/** A space with a session for each caller. */
export interface BenchSpace {
  readonly gate: Gate;
  readonly sessions: readonly Session[];
}

/** Opens a space over `log`; `process` keeps the callers of several processes apart. */
export async function openBenchSpace(log: Log, processName = 'p0'): Promise<BenchSpace> {
  const names = Array.from({ length: CALLERS }, (_, n) => parseAgentName(`${processName}-${n}`));
  const grants = names.map(
    (agent): Grant => ({
      agent,
      read: [],
      write: [
        { kind: 'intent', scope: LAB },
        { kind: 'action', scope: LAB },
        { kind: 'observation', scope: LAB },
      ],
    }),
  );
  const gate = await openGate({ log, run: 'bench', clock: Date.now, scopes: SCOPES, grants });
  const epoch = `e${gate.head().seq}`;
  return { gate, sessions: names.map((agent) => gate.session(agent, epoch)) };
}

/** What a population of `marks` holds: topics of four marks each, and resources that are taken, of two marks each. */
export function populationOf(marks: number): { readonly topics: number; readonly resources: number } {
  const topics = Math.max(1, Math.floor(marks / (2 * PER_TOPIC)));
  return { topics, resources: Math.max(1, Math.floor((marks - topics * PER_TOPIC) / 2)) };
}

/** Fills a space with `marks` marks through the gate: half observations, half intents with the actions that took their place. */
export async function populate({ sessions }: BenchSpace, marks: number): Promise<void> {
  const { topics, resources } = populationOf(marks);
  await callAll(sessions, topics * PER_TOPIC, (session, n) => observe(session, n % topics), FILLERS);
  await callAll(sessions, resources, (session, n) => book(session, `taken-${n}`), FILLERS);
}

const FILLERS = 512;

/** Makes `calls` calls, `width` at a time; call `n` is made by caller `n` modulo {@link CALLERS}. */
export async function callAll(
  sessions: readonly Session[],
  calls: number,
  call: (session: Session, n: number) => unknown,
  width = CALLERS,
): Promise<void> {
  let next = 0;
  const caller = async (): Promise<void> => {
    for (let n = next++; n < calls; n = next++) {
      const session = sessions[n % sessions.length];
      if (session !== undefined) await call(session, n);
    }
  };
  await Promise.all(Array.from({ length: width }, caller));
}

/** What is measured. Each throws when the guard does not answer as it should. */
export type Op = 'write' | 'execute' | 'refused-execute' | 'read-by-resource' | 'read-by-topic';
export const OPS: readonly Op[] = ['write', 'execute', 'refused-execute', 'read-by-resource', 'read-by-topic'];

/** One call of an operation, on a population of `marks`. `unique` makes names that no call had before. */
export function callOf(op: Op, marks: number, unique: string): (session: Session, n: number) => unknown {
  const { topics, resources } = populationOf(marks);
  switch (op) {
    case 'write':
      return (session, n) => observe(session, n % topics);
    case 'execute':
      return (session, n) => book(session, `free-${unique}-${n}`);
    case 'refused-execute':
      // Taken by caller n; asked for by the next one.
      return (session, n) => execute(session, `taken-${(n + resources - 1) % resources}`).then(expectConflict);
    case 'read-by-resource':
      return (session, n) => expect(session.read({ scope: LAB, resource: `taken-${n % resources}` }).length === 2, op);
    case 'read-by-topic':
      break;
  }
  return (session, n) => expect(session.read({ scope: LAB, topic: `topic-${n % topics}` }).length >= PER_TOPIC, op);
}

function observe(session: Session, topic: number): Promise<void> {
  const content = { text: TEXT };
  const draft = { scope: LAB, topic: `topic-${topic}`, content, confidence: 0.5, source: 'fleet' };
  return session.write(draft).then(expectAllow);
}

function book(session: Session, resource: string): Promise<void> {
  return execute(session, resource).then(expectAllow);
}

// One function each, made once: what is measured is the guard, not who calls it.
const expectAllow = answered('allow');
const expectConflict = answered('conflict');

function answered(expected: string): (outcome: { readonly verdict: string }) => void {
  return ({ verdict }) => {
    if (verdict !== expected) throw unexpected(`a call was answered ${verdict}, not ${expected}`);
  };
}

function execute(session: Session, resource: string): ReturnType<Session['execute']> {
  return session.execute({ scope: LAB, resource, action: 'do', confidence: 0.5 }, () => TEXT);
}

function expect(holds: boolean, what: string): void {
  if (!holds) throw unexpected(what);
}

function unexpected(what: string): Error {
  return new Error(`the benchmark was answered otherwise than expected: ${what}`);
}
