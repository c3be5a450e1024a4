/* oxlint-disable unicorn/prefer-add-event-listener -- a transport of the SDK has one listener of each kind, as a property */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/webStandardStreamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type { JSONRPCMessage, RequestId } from '@modelcontextprotocol/sdk/types.js';
import { EventBuffer } from './event-buffer.ts';
import { type Refusal, RPC } from './http-answer.ts';
import type { Body } from './http-body.ts';
import { type Call, callsProblem, type Reply } from './http-calls.ts';
import type { HttpLimits } from './http-limits.ts';
import { answerRest, cancelledBy, webRequest } from './http-passing.ts';
import { AnswerStream } from './http-stream.ts';
import type { Metrics } from './metrics.ts';
import type { SessionServer } from './mount.ts';
import { TokenBucket } from './rate-limit.ts';

/** The first revision whose clients are told, before anything else, how to come back to an answer. */
const RESUMABLE_SINCE = '2025-11-25';

export interface SessionSetting {
  readonly id: string;
  /** The mount it belongs to. */
  readonly path: string;
  /** Hash of the token it belongs to; '' where none is asked for. */
  readonly owner: string;
  readonly limits: HttpLimits;
  readonly metrics: Metrics;
  readonly now: () => number;
  /** Something failed that the client is told nothing of. */
  readonly onFailure: (what: string, error: unknown) => void;
  readonly onClosed: (session: HttpSession) => void;
}

/**
 * One client's session: the SDK's transport, with what it leaves open. Requests that are under way are known, so that two cannot have
 * one id, that there are only so many, and that a call ends when its client cancels it or is gone for good. A client that only lost its
 * connection comes back to its answers within `resumeMs`, if it speaks a revision that can.
 */
export class HttpSession {
  readonly setting: SessionSetting;
  lastUsedAt: number;
  readonly bucket: TokenBucket;
  readonly #server: SessionServer;
  readonly #inner: WebStandardStreamableHTTPServerTransport;
  readonly #outer: Transport;
  readonly #calls = new Map<RequestId, Call>();
  readonly #streams = new Set<AnswerStream>();
  readonly #events: EventBuffer;
  /** Which POST the SDK is being called for: it does not tell which stream it makes for it. */
  readonly #handling = new AsyncLocalStorage<Reply | undefined>();
  readonly #replies = new Map<string, Reply>();
  #closed = false;

  private constructor(server: SessionServer, setting: SessionSetting) {
    const { id, limits, now } = setting;
    this.setting = setting;
    this.lastUsedAt = now();
    this.bucket = new TokenBucket(limits.requestsPerSecond, limits.requestBurst, now());
    this.#server = server;
    this.#events = new EventBuffer(limits.maxReplayBytes, now, (streamId) => {
      const reply = this.#handling.getStore();
      if (reply === undefined || reply.streamId !== undefined) return;
      reply.streamId = streamId;
      this.#replies.set(streamId, reply);
    });
    const inner = new WebStandardStreamableHTTPServerTransport({
      sessionIdGenerator: () => id,
      eventStore: this.#events,
      retryInterval: limits.retryMs,
      keepAliveMs: limits.keepAliveMs,
    });
    const outer: Transport = {
      sessionId: id,
      start: () => inner.start(),
      send: (message, options) => this.#send(message, options?.relatedRequestId),
      close: () => inner.close(),
    };
    inner.onmessage = (message, extra) => outer.onmessage?.(message, extra);
    inner.onerror = (error) => outer.onerror?.(error);
    inner.onclose = () => {
      outer.onclose?.();
      this.#end();
    };
    this.#inner = inner;
    this.#outer = outer;
  }

  /** Connects a server to a new session. */
  static async open(server: SessionServer, setting: SessionSetting): Promise<HttpSession> {
    const session = new HttpSession(server, setting);
    await server.connect(session.#outer);
    return session;
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Somebody is at the other end now. */
  get connected(): boolean {
    return this.#streams.size > 0;
  }

  get callsUnderWay(): number {
    return this.#calls.size;
  }

  get streams(): number {
    return this.#streams.size;
  }

  get unreadBytes(): number {
    let bytes = 0;
    for (const stream of this.#streams) bytes += stream.unread;
    return bytes;
  }

  /** Serves a POST whose body has been read. Resolves when it is answered or its client is gone; a refusal is the caller's to send. */
  async post(request: IncomingMessage, response: ServerResponse, body: Body): Promise<Refusal | undefined> {
    const requests = body.messages.filter((message) => 'method' in message && 'id' in message);
    const problem = callsProblem(this.#calls, requests, this.setting.limits.maxCallsPerSession);
    if (problem !== undefined) return problem;
    const version = request.headers['mcp-protocol-version'];
    const ids = requests.map(({ id }) => id);
    const reply: Reply = {
      ids,
      pending: new Set(ids),
      resumable: typeof version === 'string' && version >= RESUMABLE_SINCE,
    };
    const startedAt = this.setting.now();
    for (const { id, method } of requests) this.#calls.set(id, { method, startedAt, reply });
    const answered = await this.#handling.run(reply, () =>
      this.#inner.handleRequest(webRequest(request), { parsedBody: body.json }),
    );
    if (answered.status !== 200) for (const id of ids) this.#calls.delete(id);
    for (const message of body.messages) {
      const cancelled = cancelledBy(message);
      if (cancelled !== undefined && this.#calls.has(cancelled)) {
        this.setting.metrics.cancelled();
        this.#abandon(cancelled);
      }
    }
    await this.#deliver(answered, response, reply);
    return undefined;
  }

  /** Serves a GET (a stream of messages, or of what is left of one) or a DELETE. */
  async other(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const lastEventId = request.method === 'GET' ? request.headers['last-event-id'] : undefined;
    const resumed = typeof lastEventId === 'string' ? lastEventId : undefined;
    if (resumed !== undefined) {
      const rest = this.#events.rest(resumed);
      if (rest !== undefined) {
        answerRest(response, rest);
        return;
      }
    }
    const reply = this.#replies.get((resumed === undefined ? undefined : this.#events.streamOf(resumed)) ?? '');
    if (reply?.stream !== undefined) {
      // Its client says that it lost the connection before, which we may not have noticed.
      reply.stream.stop();
      reply.stream.cut();
      reply.stream = undefined;
      reply.detachedAt = this.setting.now();
    }
    await this.#deliver(await this.#inner.handleRequest(webRequest(request)), response, reply);
  }

  /** What has run out by now: calls whose client did not come back, readers that take nothing, messages kept for nobody. */
  sweep(now: number): void {
    const { resumeMs, stalledReaderMs } = this.setting.limits;
    for (const stream of this.#streams) {
      if (!stream.isStalled(now, stalledReaderMs)) continue;
      this.setting.metrics.cut();
      stream.cut();
    }
    for (const { pending, detachedAt } of this.#replies.values())
      if (detachedAt !== undefined && now - detachedAt >= resumeMs) for (const id of pending) this.#cancel(id);
    this.#events.expire(now - resumeMs);
  }

  /** Ends the session: calls under way are aborted, streams end. */
  async close(): Promise<void> {
    try {
      await this.#server.close();
    } catch (error) {
      this.setting.onFailure('a session could not be closed', error);
    }
    await this.#inner.close();
    this.#end();
  }

  async #deliver(answered: Response, response: ServerResponse, reply: Reply | undefined): Promise<void> {
    const stream = new AnswerStream(answered, response, () => this.#keepRoom());
    this.#streams.add(stream);
    response.once('close', () => {
      this.#streams.delete(stream);
      this.lastUsedAt = this.setting.now();
    });
    if (response.closed) this.#streams.delete(stream);
    if (reply !== undefined && answered.ok) {
      reply.stream = stream;
      reply.detachedAt = undefined;
    }
    await stream.finished;
    if (reply?.stream !== stream) return;
    reply.stream = undefined;
    // Something is left to say: the client went, or was told to come back for it.
    if (this.#closed || reply.pending.size === 0) return;
    if (reply.resumable) reply.detachedAt = this.setting.now();
    else for (const id of reply.pending) this.#cancel(id);
  }

  /** More waits than may: the stream on which the most does is cut off; its client may come back to it. */
  #keepRoom(): void {
    if (this.unreadBytes <= this.setting.limits.maxUnreadBytes) return;
    let worst: AnswerStream | undefined;
    for (const stream of this.#streams) if (worst === undefined || stream.unread > worst.unread) worst = stream;
    this.setting.metrics.cut();
    worst?.cut();
  }

  async #send(message: JSONRPCMessage, relatedRequestId: RequestId | undefined): Promise<void> {
    if ('method' in message) {
      // What belongs to a call that has ended is for nobody.
      if (relatedRequestId !== undefined && !this.#calls.has(relatedRequestId)) return;
      const reply = relatedRequestId === undefined ? undefined : this.#calls.get(relatedRequestId)?.reply;
      await this.#inSend(reply, message, relatedRequestId);
      return;
    }
    const { id } = message;
    const call = id === undefined ? undefined : this.#calls.get(id);
    if (id === undefined || call === undefined) return;
    const sent = this.#inSend(call.reply, this.#scrubbed(message));
    this.#forget(id, call.reply);
    this.setting.metrics.called(call.method, this.setting.now() - call.startedAt);
    // With nobody there to take it, there is nothing to be done about that.
    await sent.catch(() => undefined);
  }

  /** The message of a call is sent in that call's name, that of none in nobody's, wherever it was made. */
  #inSend(reply: Reply | undefined, message: JSONRPCMessage, relatedRequestId?: RequestId): Promise<void> {
    const options = relatedRequestId === undefined ? {} : { relatedRequestId };
    return this.#handling.run(reply, () => this.#inner.send(message, options));
  }

  /** What failed inside is not for the client: its message may name files and hosts. */
  #scrubbed(message: JSONRPCMessage): JSONRPCMessage {
    if (!('error' in message) || message.error.code !== RPC.internal) return message;
    this.setting.onFailure('a call failed', new Error(message.error.message));
    return { ...message, error: { code: RPC.internal, message: 'internal error' } };
  }

  #cancel(id: RequestId): void {
    const params = { requestId: id, reason: 'the client is gone' };
    this.#outer.onmessage?.({ jsonrpc: '2.0', method: 'notifications/cancelled', params });
    this.setting.metrics.cancelled();
    this.#abandon(id);
  }

  /** A cancelled call gets no answer, so its stream would stay open and its id taken: the SDK lets go of both when it sends one. */
  #abandon(id: RequestId): void {
    const call = this.#calls.get(id);
    if (call === undefined) return;
    const { reply } = call;
    if (reply.pending.size === 1) reply.stream?.stop();
    this.#forget(id, reply, true);
    const error = { code: RPC.refused, message: 'the request was cancelled' };
    void this.#inner.send({ jsonrpc: '2.0', id, error }).catch(() => undefined);
  }

  #forget(id: RequestId, reply: Reply, cancelled = false): void {
    this.#calls.delete(id);
    reply.pending.delete(id);
    if (reply.pending.size > 0 || reply.streamId === undefined) return;
    this.#replies.delete(reply.streamId);
    this.#events.end(reply.streamId, reply.ids, cancelled);
  }

  #end(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#calls.clear();
    this.#replies.clear();
    const left = [...this.#streams];
    // A client that reads gets to the end of what it was sent; one that does not must not keep it.
    if (left.length > 0) setTimeout(() => left.forEach((stream) => stream.cut()), 1000).unref();
    this.setting.onClosed(this);
  }
}
