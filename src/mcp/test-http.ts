import { connect } from 'node:net';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { z } from 'zod';
import type { HttpLimits } from './http-limits.ts';
import { type HttpServer, type HttpServerOptions, startHttpServer } from './http-server.ts';

/** What happened to the calls of `slow`. */
export interface Calls {
  started: number;
  finished: number;
  aborted: number;
}

/** A call of `slow` that waits. */
interface Waiting {
  readonly text: string;
  readonly end: (inTime: boolean) => void;
}

/** A small server: echo, slow (waits, and notices when it is cancelled), big (so many characters), steps (progress), boom (fails inside). */
export function tinyServer(calls: Calls, owner = 'nobody', waiting: Set<Waiting> = new Set()): McpServer {
  const server = new McpServer({ name: 'tiny', version: '1' }, { capabilities: { logging: {} } });
  const text = (value: string) => ({ content: [{ type: 'text' as const, text: value }] });
  server.registerTool('echo', { inputSchema: { text: z.string() } }, ({ text: said }) => text(said));
  server.registerTool('whose', {}, () => text(owner));
  server.registerTool('big', { inputSchema: { characters: z.number() } }, ({ characters }) =>
    text('x'.repeat(characters)),
  );
  server.registerTool(
    'slow',
    { inputSchema: { ms: z.number(), text: z.string() } },
    async ({ ms, text: said }, { signal }) => {
      calls.started++;
      const waited = await new Promise<boolean>((resolve) => {
        const call: Waiting = {
          text: said,
          end: (inTime) => {
            clearTimeout(timer);
            waiting.delete(call);
            resolve(inTime);
          },
        };
        const timer = setTimeout(() => call.end(true), ms);
        waiting.add(call);
        signal.addEventListener('abort', () => call.end(false));
      });
      if (waited) calls.finished++;
      else calls.aborted++;
      return text(said);
    },
  );
  server.registerTool('steps', { inputSchema: { count: z.number(), ms: z.number() } }, async ({ count, ms }, extra) => {
    const progressToken = extra._meta?.progressToken;
    for (let progress = 1; progress <= count; progress++) {
      await new Promise((resolve) => setTimeout(resolve, ms));
      if (progressToken !== undefined)
        await extra.sendNotification({
          method: 'notifications/progress',
          params: { progressToken, progress, total: count },
        });
    }
    return text(`${count} steps`);
  });
  server.server.setRequestHandler(z.object({ method: z.literal('boom') }), () => {
    throw new Error('cannot open /srv/private/marks.db');
  });
  return server;
}

export interface Started extends HttpServer {
  readonly calls: Calls;
  readonly notices: string[];
  /** Ends the calls of `slow` that were to say this, as if their time had come. */
  finish(text: string): void;
}

/** The tiny server at `/mcp`, on a free port. Tokens `token-<name>` are good unless something else is said. */
export async function startTiny(
  options: Partial<HttpServerOptions> & { readonly limits?: Partial<HttpLimits> } = {},
): Promise<Started> {
  const calls: Calls = { started: 0, finished: 0, aborted: 0 };
  const notices: string[] = [];
  const waiting = new Set<Waiting>();
  const server = await startHttpServer({
    port: 0,
    mounts: [{ path: '/mcp', open: (identity) => Promise.resolve(tinyServer(calls, identity?.name, waiting)) }],
    authenticate: (token) => {
      const name = /^token-([a-z]+)$/u.exec(token)?.[1];
      return Promise.resolve(name === undefined ? { problem: 'unknown' as const } : { name });
    },
    onNotice: (text) => notices.push(text),
    ...options,
  });
  const finish = (text: string): void => {
    for (const call of waiting) if (call.text === text) call.end(true);
  };
  return Object.assign(server, { calls, notices, finish });
}

/** The SDK's own client, connected. */
export async function connectClient(
  url: string,
  token: string | undefined = 'token-a',
): Promise<{ readonly client: Client; readonly transport: StreamableHTTPClientTransport }> {
  const headers = token === '' ? {} : { Authorization: `Bearer ${token}` };
  const transport = new StreamableHTTPClientTransport(new URL('/mcp', url), { requestInit: { headers } });
  const client = new Client({ name: 'test', version: '1' });
  await client.connect(transport);
  return { client, transport };
}

/** The text of a tool's answer. */
export function textOf(result: unknown): string {
  return z
    .object({ content: z.array(z.object({ text: z.string() })) })
    .parse(result)
    .content.map(({ text }) => text)
    .join('');
}

export interface RawAnswer {
  readonly status: number;
  readonly head: string;
  readonly body: string;
}

/** Sends bytes over a socket of its own and reads until the other side closes, or for `ms`. */
export function raw(port: number, bytes: string | Buffer, ms = 5000): Promise<RawAnswer> {
  return new Promise((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    const finish = () => {
      socket.destroy();
      const split = text.indexOf('\r\n\r\n');
      const head = split < 0 ? text : text.slice(0, split);
      resolve({
        status: Number(/^HTTP\/1\.1 (\d+)/u.exec(head)?.[1] ?? 0),
        head,
        body: split < 0 ? '' : text.slice(split + 4),
      });
    };
    const timer = setTimeout(finish, ms);
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      clearTimeout(timer);
      finish();
    });
  });
}

export const INITIALIZE = {
  jsonrpc: '2.0',
  id: 0,
  method: 'initialize',
  params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'raw', version: '1' } },
} as const;

export interface Posting {
  readonly token?: string;
  readonly session?: string;
  readonly version?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  readonly path?: string;
}

export function headersFor({
  token = 'token-a',
  session,
  version = '2025-11-25',
  headers,
}: Posting): Record<string, string> {
  return {
    Accept: 'application/json, text/event-stream',
    'Content-Type': 'application/json',
    ...(token === '' ? {} : { Authorization: `Bearer ${token}` }),
    ...(session === undefined ? {} : { 'Mcp-Session-Id': session, 'Mcp-Protocol-Version': version }),
    ...headers,
  };
}

/** One POST, as impolite as it is asked to be. */
export function post(url: string, body: unknown, posting: Posting = {}): Promise<Response> {
  return fetch(new URL(posting.path ?? '/mcp', url), {
    method: 'POST',
    headers: headersFor(posting),
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...(posting.signal === undefined ? {} : { signal: posting.signal }),
  });
}

/** Opens a session by hand. @returns its id */
export async function openSession(url: string, posting: Posting = {}): Promise<string> {
  const { version = '2025-11-25' } = posting;
  const answer = await post(
    url,
    { ...INITIALIZE, params: { ...INITIALIZE.params, protocolVersion: version } },
    posting,
  );
  await answer.text();
  const session = answer.headers.get('mcp-session-id');
  if (session === null) throw new Error(`no session: ${answer.status}`);
  await (await post(url, { jsonrpc: '2.0', method: 'notifications/initialized' }, { ...posting, session })).text();
  return session;
}

export function call(id: number | string, name: string, args: Readonly<Record<string, unknown>>): object {
  return { jsonrpc: '2.0', id, method: 'tools/call', params: { name, arguments: args } };
}

/** The JSON-RPC messages of an answer, be it JSON or a stream of events that ends. */
export async function messagesOf(answer: Response): Promise<readonly Record<string, unknown>[]> {
  const text = await answer.text();
  const parse = (json: string) => z.record(z.string(), z.unknown()).parse(JSON.parse(json));
  if (answer.headers.get('content-type')?.includes('json') === true) return [parse(text)];
  return [...text.matchAll(/^data: (.+)$/gmu)].map((match) => parse(match[1] ?? ''));
}

/** Waits until it is so. */
export async function until(what: () => boolean | Promise<boolean>, ms = 20_000): Promise<void> {
  for (const end = performance.now() + ms; !(await what()); ) {
    if (performance.now() > end) throw new Error(`not within ${ms} ms: ${what.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
