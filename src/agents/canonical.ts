import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Json } from '../space/marks.ts';
import { MODEL_ERROR_CODES, ModelError } from './model.ts';
import type { ModelReply, ModelRequest } from './model.ts';

/**
 * JSON with the keys of every object sorted by code unit and no white space: equal values give equal bytes.
 * Fields that are `undefined` are left out, as in JSON.
 *
 * @throws TypeError for what JSON cannot carry (functions, symbols, NaN, infinities).
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value);
  if (typeof value === 'number') {
    if (!Number.isFinite(value)) throw new TypeError(`canonical JSON cannot carry ${value}`);
    return JSON.stringify(value);
  }
  if (Array.isArray(value)) return `[${value.map((item: unknown) => canonicalJson(item)).join(',')}]`;
  if (typeof value === 'object') {
    const fields = Object.entries(value)
      .filter(([, field]) => field !== undefined)
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
      .map(([key, field]) => `${JSON.stringify(key)}:${canonicalJson(field)}`);
    return `{${fields.join(',')}}`;
  }
  throw new TypeError(`canonical JSON cannot carry a ${typeof value}`);
}

/** What of a request decides its answer: messages and tools. Limits, temperature and the abort signal are left out. */
export function canonicalRequest(request: ModelRequest): string {
  return canonicalJson({ messages: request.messages, tools: request.tools });
}

/** sha256 (hex) of `canonicalRequest`: `requestSha256` of a call row, and what a replay checks. */
export function requestSha256(request: ModelRequest): string {
  return sha256(canonicalRequest(request));
}

/** A reply as it is stored in a blob; `parseReply` reads it back. */
export function canonicalReply(reply: ModelReply): string {
  return canonicalJson(reply);
}

/** sha256 of a text's UTF-8 bytes, in hex. */
export function sha256(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex');
}

const count = z.number().int().nonnegative();
const json: z.ZodType<Json> = z.json();
const replySchema = z.strictObject({
  text: z.string(),
  toolCalls: z.array(
    z.strictObject({ id: z.string(), name: z.string(), arguments: json, malformed: z.string().exactOptional() }),
  ),
  stopReason: z.enum(['end', 'tool-calls', 'length', 'refused', 'other']),
  usage: z.strictObject({
    inputTokens: count,
    outputTokens: count,
    cachedInputTokens: count.exactOptional(),
    cacheWriteInputTokens: count.exactOptional(),
    missing: z.literal(true).exactOptional(),
  }),
  attempts: count,
  continuation: json.exactOptional(),
});

/**
 * Reads a stored reply back, checking every field: a results folder may have been made by others.
 * @throws SyntaxError for text that is not JSON, z.ZodError for JSON that is not a reply.
 */
export function parseReply(text: string): ModelReply {
  return replySchema.parse(JSON.parse(text));
}

/** A failed call as one line, `<code>: <message>`: the `error` of a call row, which a replay turns back into the same error. */
export function describeFailure(error: ModelError): string {
  return `${error.code}: ${error.message}`;
}

/** The error a `describeFailure` line tells of; a line of another form becomes `unavailable`. */
export function recordedFailure(line: string, provider: string): ModelError {
  const colon = line.indexOf(': ');
  const code = MODEL_ERROR_CODES.find((known) => known === line.slice(0, colon));
  return code === undefined
    ? new ModelError('unavailable', provider, line, 0)
    : new ModelError(code, provider, line.slice(colon + 2), 0);
}
