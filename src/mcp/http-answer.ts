import type { ServerResponse } from 'node:http';
import type { RequestId } from '@modelcontextprotocol/sdk/types.js';

/** Codes of refusals at the door, where the protocol names none. */
export const RPC = {
  parse: -32700,
  invalid: -32600,
  internal: -32603,
  refused: -32000,
  noSession: -32001,
  busy: -32029,
} as const;

/** A request is not served: an HTTP status, and the same in JSON-RPC's terms. The message is for the client's eyes, and ours alone. */
export interface Refusal {
  readonly status: number;
  readonly code: number;
  readonly message: string;
  /** Why, in one word of ours: a label of the metrics. */
  readonly reason: string;
  /** Of the one request that was refused, where it is known. */
  readonly id?: RequestId | undefined;
  readonly retryAfterMs?: number;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Answers with a refusal. With `close` the connection ends with it: something of the request was not read. */
export function answerRefusal(response: ServerResponse, refusal: Refusal, close = false): void {
  const { status, code, message, id, retryAfterMs, headers } = refusal;
  const error = { code, message, ...(retryAfterMs === undefined ? {} : { data: { retryAfterMs } }) };
  const body = JSON.stringify({ jsonrpc: '2.0', id: id ?? null, error });
  answer(
    response,
    status,
    'application/json',
    body,
    {
      ...headers,
      ...(retryAfterMs === undefined ? {} : { 'Retry-After': String(Math.ceil(retryAfterMs / 1000)) }),
      ...(close ? { Connection: 'close' } : {}),
    },
    close,
  );
}

/** How long a client that still sends has for reading why we stopped listening. */
const LINGER_MS = 250;

/** One whole answer. */
export function answer(
  response: ServerResponse,
  status: number,
  contentType: string,
  body: string,
  headers: Readonly<Record<string, string>> = {},
  linger = false,
): void {
  if (response.headersSent || response.destroyed) return;
  response.writeHead(status, {
    'Content-Type': contentType,
    'Content-Length': Buffer.byteLength(body),
    'Cache-Control': 'no-store',
    'X-Content-Type-Options': 'nosniff',
    ...headers,
  });
  if (!linger) {
    response.end(body);
    return;
  }
  // Ending now would reset a connection with unread bytes in it, and the answer with it: it waits, without reading on.
  response.write(body);
  setTimeout(() => response.end(), LINGER_MS).unref();
}
