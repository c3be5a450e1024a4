import type { IncomingMessage } from 'node:http';
import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/sdk/types.js';
import { JSONRPCMessageSchema, RequestIdSchema } from '@modelcontextprotocol/sdk/types.js';
import { type Refusal, RPC } from './http-answer.ts';
import type { HttpLimits } from './http-limits.ts';

/** Characters of a request's id that is text. */
const MAX_ID_LENGTH = 256;

/** What a client sent, checked for its shape. */
export interface Body {
  readonly messages: readonly JSONRPCMessage[];
  /** One message alone, or an array. */
  readonly json: JSONRPCMessage | readonly JSONRPCMessage[];
}

/** Reads a body, up to the limit: what says it is longer is not read at all, what is longer is not read to its end. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer | Refusal | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > maxBytes) return tooLarge(maxBytes);
  const chunks: Buffer[] = [];
  let bytes = 0;
  const { promise, resolve } = Promise.withResolvers<Buffer | Refusal | undefined>();
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes > maxBytes) {
      request.pause();
      chunks.length = 0;
      resolve(tooLarge(maxBytes));
    } else chunks.push(chunk);
  });
  request.once('end', () => resolve(Buffer.concat(chunks, bytes)));
  // Cut off before its end: there is nobody to answer.
  request.once('close', () => resolve(undefined));
  request.on('error', () => resolve(undefined));
  const body = await promise;
  request.removeAllListeners('data');
  return body;
}

function tooLarge(maxBytes: number): Refusal {
  const message = `the request's body is larger than ${maxBytes} bytes`;
  return { status: 413, code: RPC.refused, message, reason: 'body-too-large' };
}

/** Parses a body as one JSON-RPC message or a batch. */
export function parseBody(bytes: Buffer, limits: HttpLimits): Body | Refusal {
  let json: unknown;
  try {
    json = JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return malformed(RPC.parse, 'the body is not JSON in UTF-8');
  }
  const problem = jsonProblem(json, limits);
  if (problem !== undefined) return malformed(RPC.invalid, problem);
  const list: readonly unknown[] = Array.isArray(json) ? json : [json];
  if (list.length === 0) return malformed(RPC.invalid, 'the batch is empty');
  if (list.length > limits.maxBatch)
    return malformed(RPC.invalid, `the batch has ${list.length} messages, more than ${limits.maxBatch}`);
  const messages: JSONRPCMessage[] = [];
  for (const item of list) {
    const parsed = JSONRPCMessageSchema.safeParse(item);
    if (!parsed.success)
      return malformed(
        RPC.invalid,
        'not a JSON-RPC 2.0 message: give jsonrpc "2.0", a method, an id that is text or a whole number',
        idOf(item),
      );
    if ('id' in parsed.data && typeof parsed.data.id === 'string' && parsed.data.id.length > MAX_ID_LENGTH)
      return malformed(RPC.invalid, `an id may have ${MAX_ID_LENGTH} characters`);
    messages.push(parsed.data);
  }
  const [first] = messages;
  return { messages, json: Array.isArray(json) || first === undefined ? messages : first };
}

function malformed(code: number, message: string, id?: RequestId): Refusal {
  return { status: 400, code, message, reason: 'malformed', ...(id === undefined ? {} : { id }) };
}

/** The id of something malformed, so that its sender learns which it was. */
function idOf(item: unknown): RequestId | undefined {
  if (typeof item !== 'object' || item === null || !('id' in item) || !('method' in item)) return undefined;
  const parsed = RequestIdSchema.safeParse(item.id);
  return parsed.success && String(parsed.data).length <= MAX_ID_LENGTH ? parsed.data : undefined;
}

/** What makes a value unfit for whoever handles it by recursion or by copying keys. Walks without recursion. */
export function jsonProblem(
  value: unknown,
  limits: Pick<HttpLimits, 'maxJsonDepth' | 'maxJsonValues'>,
): string | undefined {
  let level: unknown[] = [value];
  let seen = 0;
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > limits.maxJsonDepth) return `the JSON is nested deeper than ${limits.maxJsonDepth} levels`;
    const next: unknown[] = [];
    for (const item of level) {
      if (typeof item !== 'object' || item === null) continue;
      if (Object.hasOwn(item, '__proto__')) return 'a key may not be __proto__';
      const values: readonly unknown[] = Array.isArray(item) ? item : Object.values(item);
      seen += values.length;
      if (seen > limits.maxJsonValues) return `the JSON has more than ${limits.maxJsonValues} values`;
      for (const child of values) if (typeof child === 'object' && child !== null) next.push(child);
    }
    level = next;
  }
  return undefined;
}
