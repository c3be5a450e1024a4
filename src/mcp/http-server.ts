import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { hash } from 'node:crypto';
import { isInitializeRequest } from '@modelcontextprotocol/sdk/types.js';
import { answer, answerRefusal, type Refusal, RPC } from './http-answer.ts';
import { CLOSING, NEEDS_SESSION, NO_SESSION, NOT_FOUND, notAllowed, tooMany, unauthorized } from './http-refusals.ts';
import { answerClientError, listen } from './http-listen.ts';
import { parseBody, readBody } from './http-body.ts';
import { bearerOf, type Door, doorOf, isLoopback, strangerProblem } from './http-guard.ts';
import { DEFAULT_HTTP_LIMITS, type HttpLimits } from './http-limits.ts';
import { HttpServerError } from './http-server-error.ts';
import { type Caller, SessionTable } from './http-sessions.ts';
import { Metrics } from './metrics.ts';
import type { Identity, Mount, TokenProblem } from './mount.ts';

export interface HttpServerOptions {
  /** Address to listen on. One that other machines reach needs `authenticate` and `allowedHosts`. @default '127.0.0.1' */
  readonly host?: string;
  /** 0: any that is free. */
  readonly port: number;
  /** What is served; a function is asked at every request, for what comes and goes. */
  readonly mounts: readonly Mount[] | ((path: string) => Mount | undefined);
  /** Whom a token speaks for. Undefined: no tokens are asked for, which is refused on an address that other machines reach. */
  readonly authenticate: ((token: string) => Promise<Identity | { readonly problem: TokenProblem }>) | undefined;
  /** Names under which it is reached besides those of loopback: `name` or `name:port`, in the Host header. */
  readonly allowedHosts?: readonly string[];
  /** Origins of pages that may call it, besides its own: `https://name:port`. */
  readonly allowedOrigins?: readonly string[];
  readonly limits?: Partial<HttpLimits>;
  /** Besides the status, for `GET /health`, which anybody may ask: keep agents' text out of it. */
  readonly health?: () => Readonly<Record<string, unknown>>;
  /** Serve `GET /metrics`, for who has a token; on loopback for everybody. @default false */
  readonly metrics?: boolean;
  /** What went wrong inside, for the operator: clients are told nothing of it. */
  readonly onNotice?: (text: string) => void;
  /** @default performance.now */
  readonly now?: () => number;
}

export interface HttpServer {
  /** `http://127.0.0.1:PORT`, without a path. */
  readonly url: string;
  readonly port: number;
  /** Sessions open now. */
  readonly sessions: number;
  /** Ends all sessions of a path: what was served there is no more. */
  endSessions(path: string): Promise<void>;
  /** Takes nothing new, lets calls under way end for up to `graceMs`, then ends everything. @param graceMs @default 5000 */
  close(graceMs?: number): Promise<void>;
}

/**
 * Serves MCP over Streamable HTTP: who may come in (Host, Origin, token), how much they may ask, and their sessions.
 *
 * @throws {HttpServerError} when the address cannot be had, or would let in whom nobody asked for
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#streamable-http
 */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const host = options.host ?? '127.0.0.1';
  if (!isLoopback(host)) {
    if (options.authenticate === undefined)
      throw new HttpServerError(
        'unsafe',
        `${host} can be reached from other machines: it is not served without tokens`,
      );
    if ((options.allowedHosts ?? []).length === 0)
      throw new HttpServerError(
        'unsafe',
        `${host} can be reached from other machines: say under which names (allowed hosts), or listen on 127.0.0.1`,
      );
  }
  const front = new Front(options, isLoopback(host));
  await front.listen(host, options.port);
  return front;
}

class Front implements HttpServer {
  url = '';
  port = 0;
  readonly #options: HttpServerOptions;
  readonly #loopback: boolean;
  readonly #limits: HttpLimits;
  readonly #metrics = new Metrics();
  readonly #table: SessionTable;
  readonly #server: Server;
  #door: Door = { hosts: new Set(), origins: new Set() };
  #sweeping: NodeJS.Timeout | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: HttpServerOptions, loopback: boolean) {
    const limits = { ...DEFAULT_HTTP_LIMITS, ...options.limits };
    this.#options = options;
    this.#loopback = loopback;
    this.#limits = limits;
    this.#table = new SessionTable(limits, this.#metrics, options.now ?? (() => performance.now()), this.#onFailure);
    const { headersTimeoutMs, requestTimeoutMs } = limits;
    this.#server = createServer({
      headersTimeout: Math.min(headersTimeoutMs, requestTimeoutMs),
      requestTimeout: requestTimeoutMs,
      connectionsCheckingInterval: Math.max(50, Math.min(headersTimeoutMs, requestTimeoutMs, 4000) / 4),
      keepAliveTimeout: 30_000,
      // The guard answers for a missing Host, in the protocol's terms.
      requireHostHeader: false,
    });
    this.#server.maxConnections = limits.maxConnections;
    this.#server.on('request', (request, response) => void this.#serve(request, response, false));
    this.#server.on('checkContinue', (request, response) => void this.#serve(request, response, true));
    this.#server.on('clientError', answerClientError);
  }

  get sessions(): number {
    return this.#table.gauges().sessions;
  }

  async listen(host: string, port: number): Promise<void> {
    const bound = await listen(this.#server, host, port);
    this.#server.on('error', (error) => this.#onFailure('the HTTP server', error));
    this.port = bound;
    this.url = `http://${host.includes(':') ? `[${host}]` : host}:${bound}`;
    this.#door = doorOf(host, bound, this.#options.allowedHosts, this.#options.allowedOrigins);
    this.#sweepLater();
  }

  async endSessions(path: string): Promise<void> {
    await this.#table.end((session) => session.setting.path === path);
  }

  close(graceMs = 5000): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  async #close(graceMs: number): Promise<void> {
    clearTimeout(this.#sweeping);
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const until = performance.now() + graceMs; this.#table.callsUnderWay > 0 && performance.now() < until; )
      await new Promise((resolve) => setTimeout(resolve, 10));
    await this.#table.end(() => true);
    // A moment for the answers just given to leave.
    for (let i = 0; i < 10; i++) {
      this.#server.closeIdleConnections();
      const done = await Promise.race([
        closed.then(() => true),
        new Promise((resolve) => setTimeout(resolve, 20, false)),
      ]);
      if (done === true) return;
    }
    this.#server.closeAllConnections();
    await closed;
  }

  #sweepLater(): void {
    this.#sweeping = setTimeout(() => {
      void this.#sweep().finally(() => {
        if (this.#closing === undefined) this.#sweepLater();
      });
    }, this.#limits.sweepMs).unref();
  }

  async #sweep(): Promise<void> {
    try {
      await this.#table.sweep();
      for (const { owner, token } of this.#table.tokens()) {
        const who = await this.#options.authenticate?.(token);
        if (who !== undefined && 'problem' in who) await this.#table.end((session) => session.setting.owner === owner);
      }
    } catch (error) {
      this.#onFailure('looking for what has run out', error);
    }
  }

  async #serve(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): Promise<void> {
    response.once('finish', () => this.#metrics.answered(response.statusCode));
    response.on('error', () => undefined);
    try {
      const refusal = await this.#route(request, response, expectsContinue);
      if (refusal === undefined) return;
      this.#metrics.refused(refusal.reason);
      // A small body has come with its head, but is parsed after it.
      if (isUnread(request)) await new Promise((resolve) => setImmediate(resolve));
      answerRefusal(response, refusal, isUnread(request));
    } catch (error) {
      this.#onFailure('a request failed', error);
      answerRefusal(
        response,
        { status: 500, code: RPC.internal, message: 'internal error', reason: 'internal' },
        isUnread(request),
      );
    }
  }

  async #route(
    request: IncomingMessage,
    response: ServerResponse,
    expectsContinue: boolean,
  ): Promise<Refusal | undefined> {
    const stranger = strangerProblem(request, this.#door);
    if (stranger !== undefined) return { status: 403, code: RPC.refused, message: stranger, reason: 'stranger' };
    const path = (request.url ?? '').split('?', 1)[0] ?? '';
    if (path === '/health' || (path === '/metrics' && this.#loopback)) return this.#serveOwn(path, request, response);
    const caller = await this.#callerOf(request);
    if ('status' in caller) return caller;
    if (path === '/metrics') return this.#serveOwn(path, request, response);
    const { mounts } = this.#options;
    const mount = typeof mounts === 'function' ? mounts(path) : mounts.find((one) => one.path === path);
    if (mount === undefined) return NOT_FOUND;
    const { method } = request;
    if (method !== 'POST' && method !== 'GET' && method !== 'DELETE') return notAllowed('GET, POST, DELETE');
    if (this.#closing !== undefined) return CLOSING;
    const id = request.headers['mcp-session-id'];
    const session = typeof id === 'string' ? this.#table.find(id, path, caller.owner) : undefined;
    if (typeof id === 'string' && session === undefined) return NO_SESSION;
    const limited = session === undefined ? 0 : session.bucket.take(1, this.#now());
    if (limited > 0) return tooMany(limited);
    if (session !== undefined) session.lastUsedAt = this.#now();
    if (method !== 'POST') {
      if (session === undefined) return NEEDS_SESSION;
      await session.other(request, response);
      return undefined;
    }
    if (expectsContinue && !(Number(request.headers['content-length'] ?? 0) > this.#limits.maxBodyBytes))
      response.writeContinue();
    const bytes = await readBody(request, this.#limits.maxBodyBytes);
    if (bytes === undefined) return undefined;
    if (!Buffer.isBuffer(bytes)) return bytes;
    const body = parseBody(bytes, this.#limits);
    if ('status' in body) return body;
    if (session !== undefined) {
      const more = session.bucket.take(body.messages.length - 1, this.#now());
      return more > 0 ? tooMany(more) : session.post(request, response, body);
    }
    const [first] = body.messages;
    if (body.messages.length !== 1 || !isInitializeRequest(first)) return NEEDS_SESSION;
    const opened = await this.#table.open(mount, path, caller);
    if ('status' in opened) return opened;
    const refusal = await opened.post(request, response, body);
    // Not let in by the SDK after all: nobody knows the session's id.
    if (refusal !== undefined || response.statusCode !== 200) await opened.close();
    return refusal;
  }

  async #callerOf(request: IncomingMessage): Promise<Caller | Refusal> {
    const { authenticate } = this.#options;
    if (authenticate === undefined) return { identity: null, token: undefined, owner: '' };
    const token = bearerOf(request);
    if (token === undefined) return unauthorized('missing');
    const who = await authenticate(token);
    const owner = hash('sha256', token);
    if ('name' in who) return { identity: who, token, owner };
    await this.#table.end((session) => session.setting.owner === owner);
    return unauthorized(who.problem);
  }

  #serveOwn(path: string, request: IncomingMessage, response: ServerResponse): Refusal | undefined {
    if (path === '/metrics' && this.#options.metrics !== true) return NOT_FOUND;
    if (request.method !== 'GET') return notAllowed('GET');
    if (path === '/metrics') {
      answer(response, 200, 'text/plain; version=0.0.4; charset=utf-8', this.#metrics.text(this.#table.gauges()));
      return undefined;
    }
    const closing = this.#closing !== undefined;
    const health = { status: closing ? 'closing' : 'ok', ...this.#options.health?.() };
    answer(response, closing ? 503 : 200, 'application/json', JSON.stringify(health));
    return undefined;
  }

  #now(): number {
    return (this.#options.now ?? performance.now.bind(performance))();
  }

  readonly #onFailure = (what: string, error: unknown): void => {
    this.#options.onNotice?.(`${what}: ${error instanceof Error ? error.message : String(error)}`);
  };
}

/** Some of the request has a body that has not arrived. */
function isUnread({ headers, complete }: IncomingMessage): boolean {
  return !complete && (headers['content-length'] !== undefined || headers['transfer-encoding'] !== undefined);
}
