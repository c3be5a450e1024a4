import { GENESIS_HASH, type EntryBody, type LogRecord } from '../space/log.ts';
import type { Json } from '../space/marks.ts';
import type { TraceTables } from './schema.ts';

const HASH = 'a'.repeat(64);

/** A row of every table. */
export const ROWS: TraceTables = {
  runs: {
    id: 'demo',
    task: 'sine_approx',
    seed: 42,
    arm: 'paired',
    agents: [{ name: 'a', model: 'scripted/one', scripted: true }],
    generations: 12,
    startedAt: 1,
  },
  candidates: {
    id: 'a/1',
    agent: 'a',
    generation: 1,
    parents: ['a/0'],
    status: 'failed',
    sources: { 'task_agent.ts': HASH },
    createdAt: 2,
    published: false,
    reason: 'it threw',
  },
  evaluations: {
    candidate: 'a/1',
    agent: 'a',
    generation: 1,
    split: 'validation',
    valid: true,
    score: 0.5,
    metrics: { error: 0.1 },
    stagePassed: true,
    cases: 4,
    statuses: { value: 3, timeout: 1 },
    feedback: 'fine',
    wallMs: 12.5,
    detail: HASH,
  },
  edges: { from: 'a/0', to: 'a/1', kind: 'parent' },
  contexts: {
    agent: 'a',
    generation: 1,
    parent: 'a/0',
    strategies: ['strategies/b_gen0'],
    evals: ['evals/gen_0'],
    metaAgentSha256: HASH,
  },
  environments: { hivemark: '0.1.0', node: 'v24', platform: 'linux', cpus: 2, memoryMb: 4096, limits: { wallMs: 5 } },
  exposures: {
    id: 'x1',
    agent: 'a',
    round: 1,
    peer: 'b',
    peerGeneration: 0,
    file: 'strategies/b_gen0/task_agent.ts',
    sha256: HASH,
  },
  reads: { id: 'r1', agent: 'a', generation: 1, toolCall: 2, tool: 'bash', path: 'task_agent.ts', sha256: HASH },
  adoptions: {
    id: 'a/1<b/0',
    agent: 'a',
    generation: 1,
    peer: 'b',
    peerGeneration: 0,
    evidence: { level: 'stated', exposures: ['x1'], reads: ['r1'], statement: { call: 'a/1/1', text: 'as b does' } },
    reuse: 0.5,
    reuseDetail: { lines: 0.5, tokens: 0.4, novelLines: 8, novelTokens: 90, longestRun: 30 },
    share: null,
    before: 0,
    after: 0.5,
  },
  decisions: {
    id: 'd1',
    agent: 'a',
    epoch: 'e',
    at: 3,
    call: 'use',
    verdict: 'denied',
    subject: { tool: 'editor', operation: 'write', path: 'evals/x' },
    code: 'not-editable',
    denial: { code: 'not-editable', check: 'edit-scope', path: 'evals/x' },
  },
  calls: {
    id: 'a/1/1',
    agent: 'a',
    generation: 1,
    provider: 'scripted',
    model: 'one',
    scripted: true,
    requestSha256: HASH,
    replySha256: '',
    inputTokens: 1,
    outputTokens: 2,
    cachedInputTokens: 0,
    usd: 0,
    ms: 3,
    attempts: 1,
    stopReason: 'end',
    toolCalls: 0,
    error: 'timeout',
  },
};

/** A log record; the chain is not this folder's business. */
export function recordOf(seq: number, body: EntryBody, key = `k${seq}`): LogRecord {
  return { seq, key, body, hash: GENESIS_HASH };
}

export function rowRecord(seq: number, table: string, row: unknown, key?: string): LogRecord {
  return recordOf(seq, { type: 'row', table, row: asJson(row) }, key);
}

/** What the log makes of a value. */
export function asJson(value: unknown): Json {
  return JSON.parse(JSON.stringify(value));
}
