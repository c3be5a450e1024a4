import { z } from 'zod';
import type { Json } from '../space/marks.ts';
import type { DecisionRow, TraceTables } from './schema.ts';

/** Anything that came out of a JSON parser; not walked, so that deep nesting costs no stack. */
const json = z.custom<Json>((value) => value !== undefined, 'missing');
const text = z.string();
const count = z.int().nonnegative();
const sha256 = z.string().regex(/^[0-9a-f]{64}$/, 'not a sha256');

const evidence = z.object({
  level: z.enum(['similar', 'exposed', 'read', 'stated']),
  exposures: z.array(text),
  reads: z.array(text),
  readsObserved: z.literal(false).exactOptional(),
  statement: z.object({ call: text, text }).exactOptional(),
});

const reuseMeasure = z.object({
  lines: z.number(),
  tokens: z.number(),
  novelLines: count,
  novelTokens: count,
  longestRun: count,
});

/** What one line of each trace table must hold. Fields that are not known (yet) are let through and left out. */
export const ROW_SCHEMAS: { readonly [T in keyof TraceTables]: z.ZodType<TraceTables[T]> } = {
  runs: z.object({
    id: text,
    task: text,
    seed: z.number(),
    arm: text,
    agents: z.array(z.object({ name: text, model: text, scripted: z.boolean() })),
    generations: count,
    startedAt: z.number(),
  }),
  candidates: z.object({
    id: text,
    agent: text,
    generation: count,
    parents: z.array(text),
    status: z.enum(['accepted', 'rejected', 'failed', 'copy']),
    sources: z.record(text, sha256),
    createdAt: z.number(),
    published: z.boolean(),
    reason: text.exactOptional(),
  }),
  evaluations: z.object({
    candidate: text,
    agent: text,
    generation: count,
    split: z.enum(['train', 'validation', 'test']),
    valid: z.boolean(),
    score: z.number(),
    metrics: z.record(text, z.number()),
    stagePassed: z.boolean(),
    cases: count,
    statuses: z.record(text, z.number()),
    feedback: text,
    wallMs: z.number(),
    detail: sha256,
  }),
  edges: z.object({ from: text, to: text, kind: z.enum(['parent', 'adoption']) }),
  contexts: z.object({
    agent: text,
    generation: count,
    parent: text,
    strategies: z.array(text),
    evals: z.array(text),
    metaAgentSha256: sha256,
    instructionSha256: sha256.exactOptional(),
  }),
  environments: z.object({
    hivemark: text,
    node: text,
    platform: text,
    cpus: count,
    memoryMb: z.number(),
    limits: json,
  }),
  exposures: z.object({
    id: text,
    agent: text,
    round: count,
    peer: text,
    peerGeneration: count,
    file: text,
    sha256,
  }),
  reads: z.object({
    id: text,
    agent: text,
    generation: count,
    toolCall: count,
    tool: text,
    path: text,
    sha256,
  }),
  adoptions: z.object({
    id: text,
    agent: text,
    generation: count,
    peer: text,
    peerGeneration: count,
    evidence,
    reuse: z.number(),
    reuseDetail: reuseMeasure,
    share: z.number().nullable(),
    before: z.number(),
    after: z.number(),
  }),
  decisions: z.object({
    id: text,
    agent: text,
    epoch: text,
    at: z.number(),
    call: text,
    verdict: text,
    subject: json,
    code: text.exactOptional(),
    denial: json.exactOptional(),
    count: count.exactOptional(),
  }),
  calls: z.object({
    id: text,
    agent: text,
    generation: count,
    provider: text,
    model: text,
    scripted: z.boolean(),
    requestSha256: sha256,
    /** Empty when the call failed. */
    replySha256: z.union([sha256, z.literal('')]),
    inputTokens: count,
    outputTokens: count,
    cachedInputTokens: count,
    usd: z.number(),
    ms: z.number(),
    attempts: count,
    stopReason: text,
    toolCalls: count,
    error: text.exactOptional(),
  }),
};

/** A guard's decision record as the log holds it. */
const decisionRecord = z.object({
  id: text,
  agent: text,
  epoch: text,
  at: z.number(),
  call: text,
  verdict: text,
  subject: json,
  denial: json.exactOptional(),
  reason: text.exactOptional(),
});

/** The row of one decision record. `code` says why it was not allowed: the denial's code, or what blocked it. */
export const DECISION_TO_ROW: z.ZodType<DecisionRow> = decisionRecord.transform(
  ({ reason, ...record }): DecisionRow => {
    const code = codeOf(record.denial) ?? reason;
    return code === undefined ? record : { ...record, code };
  },
);

function codeOf(denial: Json | undefined): string | undefined {
  if (typeof denial !== 'object' || denial === null || !('code' in denial)) return undefined;
  return typeof denial.code === 'string' ? denial.code : undefined;
}

/** What is wrong with a row, in one short line: the field and the problem, never the value. */
export function problemOf(error: z.ZodError): string {
  const [first] = error.issues;
  return first ? `${first.path.join('.') || 'row'}: ${first.message}`.slice(0, 200) : 'not a row';
}
