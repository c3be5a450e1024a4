import type { IncomingMessage, ServerResponse } from 'node:http';
import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/sdk/types.js';
import type { Rest } from './event-buffer.ts';
import { answer, RPC } from './http-answer.ts';

/** Headers that the SDK reads. The rest, the token with it, stays at the door. */
const PASSED_ON = ['accept', 'content-type', 'mcp-session-id', 'mcp-protocol-version', 'last-event-id', 'user-agent'];

/** The rest of a stream that has ended; 204 tells a client that nothing comes and that it need not come back. */
export function answerRest(response: ServerResponse, { events, ids, lost }: Rest): void {
  const lines = events.map(({ id, message }) => `event: message\nid: ${id}\ndata: ${JSON.stringify(message)}\n\n`);
  if (lost) {
    const error = {
      code: RPC.refused,
      message: 'the answer is not kept any more; whether the call took effect is to be looked up',
    };
    const answered = new Set(events.map(({ message }) => ('id' in message ? message.id : undefined)));
    for (const id of ids)
      if (!answered.has(id)) lines.push(`event: message\ndata: ${JSON.stringify({ jsonrpc: '2.0', id, error })}\n\n`);
  }
  if (lines.length > 0) answer(response, 200, 'text/event-stream', lines.join(''));
  else response.writeHead(204).end();
}

/** The request that a message cancels. */
export function cancelledBy(message: JSONRPCMessage): RequestId | undefined {
  if (!('method' in message) || message.method !== 'notifications/cancelled') return undefined;
  const id = message.params?.['requestId'];
  // The SDK does not hear of 0 and '': such a call goes on and is answered.
  return (typeof id === 'string' || typeof id === 'number') && Boolean(id) ? id : undefined;
}

/** A request as the SDK takes it, its body apart. */
export function webRequest(request: IncomingMessage): Request {
  const headers = new Headers();
  for (const name of PASSED_ON) {
    const value = request.headers[name];
    if (typeof value === 'string') headers.set(name, value);
  }
  // The SDK wants a URL and reads nothing of it.
  return new Request('http://localhost/', { method: request.method ?? 'GET', headers });
}
