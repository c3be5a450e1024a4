import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { anthropicEvents, anthropicMessage } from './anthropic-frames.ts';
import { openAiChunks, openAiCompletion } from './openai-frames.ts';

/** One thing a model says. */
export interface Turn {
  readonly text?: string;
  /** Arguments as the raw text that goes over the wire, so that they can be broken. */
  readonly toolCalls?: readonly { readonly id: string; readonly name: string; readonly arguments: string }[];
  /** Signed reasoning before the answer. */
  readonly reasoning?: string;
  /** null: the server sends no usage at all. @default 100 in, 20 out */
  readonly usage?: {
    readonly input: number;
    readonly output: number;
    readonly cached?: number;
    readonly written?: number;
  } | null;
  /** The wire's own word; @default the one that fits */
  readonly finish?: string;
  /** OpenAI format: all calls under index 0, as some servers send them. */
  readonly sameIndex?: boolean;
}

/** What the server does with one request. */
export type Act =
  | ({ readonly kind: 'turn' } & Turn)
  | {
      readonly kind: 'status';
      readonly status: number;
      readonly headers?: Readonly<Record<string, string>>;
      readonly message?: string;
      readonly type?: string;
    }
  /** Says nothing, or stops in the middle of its stream after `afterFrames`, and keeps the connection open. */
  | { readonly kind: 'stall'; readonly afterFrames?: number }
  /** Ends its stream after `afterFrames`: in good order (`end`) or by destroying the socket. */
  | { readonly kind: 'cut'; readonly turn: Turn; readonly afterFrames: number; readonly how: 'end' | 'destroy' }
  /** Resets the connection before any answer. */
  | { readonly kind: 'reset' }
  /** An error event in a stream that began well. */
  | { readonly kind: 'stream-error'; readonly type: string }
  /** A stream that is not JSON. */
  | { readonly kind: 'garbage' };

export interface SeenRequest {
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: unknown;
}

/** A running server. `fired` counts what it did, by kind and, for statuses, by number: a fault counts only once it was done. */
export interface FakeProvider {
  readonly origin: string;
  readonly seen: readonly SeenRequest[];
  readonly fired: Readonly<Record<string, number>>;
  /** Stalled requests that the client gave up on. */
  readonly abandoned: number;
  /** Acts not yet used. */
  readonly left: number;
  script(...acts: readonly Act[]): void;
  close(): Promise<void>;
}

type Format = 'openai' | 'anthropic';

/**
 * A real HTTP server that speaks OpenAI's chat completions (`/v1/chat/completions`) and Anthropic's messages
 * (`/v1/messages`), streamed or not as the request asks, and does as its script says, one act a request. A request
 * beyond the script gets status 418, which no client retries.
 */
export async function startFakeProvider(...acts: readonly Act[]): Promise<FakeProvider> {
  const script = [...acts];
  const seen: SeenRequest[] = [];
  const fired: Record<string, number> = {};
  let abandoned = 0;
  const fire = (what: string): void => {
    fired[what] = (fired[what] ?? 0) + 1;
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body: unknown = JSON.parse(await textOf(request));
    seen.push({ path: request.url ?? '', headers: request.headers, body });
    const format = formatOf(request.url);
    const act = script.shift();
    if (act === undefined || format === undefined) {
      fire('unscripted');
      return sendJson(response, 418, { error: { message: 'nothing scripted', type: 'invalid_request_error' } });
    }
    switch (act.kind) {
      case 'turn':
        await sendTurn(response, format, act, body);
        return fire('turn');
      case 'status':
        for (const [name, value] of Object.entries(act.headers ?? {})) response.setHeader(name, value);
        fire(`status-${act.status}`);
        return sendJson(response, act.status, {
          type: 'error',
          error: { message: act.message ?? 'scripted failure', type: act.type ?? 'scripted', code: act.type ?? null },
        });
      case 'stall':
        response.on('close', () => {
          abandoned += 1;
        });
        if (act.afterFrames !== undefined)
          await sendFrames(response, frames(format, { text: 'half of a reply' }).slice(0, act.afterFrames));
        return fire('stall');
      case 'cut': {
        const all = frames(format, act.turn);
        await sendFrames(response, all.slice(0, act.afterFrames));
        if (act.afterFrames >= all.length) throw new Error('the cut is after the end');
        if (act.how === 'end') response.end();
        else response.destroy();
        return fire(`cut-${act.how}`);
      }
      case 'reset':
        if (request.socket.resetAndDestroy() !== undefined) return fire('reset');
        return;
      case 'stream-error': {
        const error = { type: 'error', error: { type: act.type, message: 'scripted failure' } };
        await sendFrames(response, [
          ...frames(format, { text: 'half' }).slice(0, 2),
          frame(format === 'anthropic' ? 'error' : undefined, error),
        ]);
        response.end();
        return fire('stream-error');
      }
      case 'garbage':
        await sendFrames(response, ['event: message_start\ndata: {"type": nonsense\n\n']);
        response.end();
        return fire('garbage');
    }
  };

  const server: Server = createServer((request, response) => {
    answer(request, response).catch((error: unknown) => {
      fire('broken-server');
      response.destroy(error instanceof Error ? error : undefined);
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the server has no port');
  return {
    origin: `http://127.0.0.1:${address.port}`,
    seen,
    fired,
    get abandoned() {
      return abandoned;
    },
    get left() {
      return script.length;
    },
    script: (...more) => {
      script.push(...more);
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function formatOf(url: string | undefined): Format | undefined {
  if (url === '/v1/chat/completions') return 'openai';
  return url === '/v1/messages' ? 'anthropic' : undefined;
}

function frame(event: string | undefined, data: unknown): string {
  return `${event === undefined ? '' : `event: ${event}\n`}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`;
}

function frames(format: Format, turn: Turn): string[] {
  return format === 'openai'
    ? [...openAiChunks(turn).map((chunk) => frame(undefined, chunk)), frame(undefined, '[DONE]')]
    : anthropicEvents(turn).map((event) => frame(event.type, event));
}

async function sendTurn(response: ServerResponse, format: Format, turn: Turn, body: unknown): Promise<void> {
  const streamed = typeof body === 'object' && body !== null && 'stream' in body && body.stream === true;
  if (!streamed) return sendJson(response, 200, format === 'openai' ? openAiCompletion(turn) : anthropicMessage(turn));
  await sendFrames(response, frames(format, turn));
  response.end();
}

async function sendFrames(response: ServerResponse, all: readonly string[]): Promise<void> {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  for (const text of all) {
    if (response.destroyed) return;
    // The callback comes once the frame is handed to the system: a cut after it really is a cut in the middle.
    await new Promise<void>((resolve) => {
      response.write(text, () => resolve());
    });
  }
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(body));
}

async function textOf(request: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = [];
  request.on('data', (piece: Buffer) => pieces.push(piece));
  await once(request, 'end');
  return Buffer.concat(pieces).toString('utf8');
}
