/* oxlint-disable unicorn/prefer-add-event-listener -- a transport of the SDK has one listener of each kind, as a property */
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import {
  isInitializedNotification,
  isInitializeRequest,
  isJSONRPCRequest,
  isJSONRPCResultResponse,
  type JSONRPCMessage,
  type JSONRPCRequest,
  type RequestId,
} from '@modelcontextprotocol/sdk/types.js';
import { BridgeConnection } from './bridge-connection.ts';
import { ServerRefusal, whyUnreachable } from './bridge-fetch.ts';
import { RPC } from './http-answer.ts';

export interface BridgeOptions {
  /** Of the endpoint: `http://127.0.0.1:PORT/mcp`. */
  readonly url: string;
  readonly token?: string;
  /** Where the server is now, asked for when it is no more where it was. @default where it was */
  readonly find?: () => Promise<string | undefined>;
  /** Ends the bridge. */
  readonly signal?: AbortSignal;
  /** How long a server that does not answer is tried again before calls are given up. @default 30 s */
  readonly patienceMs?: number;
  /** What a person may want to know. */
  readonly onNotice?: (text: string) => void;
}

const PATIENCE_MS = 30_000;
const FIRST_PATIENCE_MS = 5000;
const FIRST_WAIT_MS = 100;
const LONGEST_WAIT_MS = 2000;

interface Forwarded {
  readonly message: JSONRPCRequest;
  /** The connection that took it. */
  readonly http: BridgeConnection;
}

/**
 * Passes messages between a client on standard streams and a server over Streamable HTTP, until the client is gone or `signal` aborts.
 *
 * A server that restarts is waited for; the session is opened anew behind the client's back (its subscriptions too). A call that may
 * have been under way when the server went is answered with an error that says so, as only the client can tell whether to repeat it; what only
 * asks is asked again. What the server refuses is told in the server's words.
 */
export function bridge(client: Transport, options: BridgeOptions): Promise<void> {
  return new Bridge(client, options).run();
}

class Bridge {
  readonly #client: Transport;
  readonly #options: BridgeOptions;
  readonly #forwarded = new Map<RequestId, Forwarded>();
  /** Requests whose effect a new session must have too: subscriptions, by URI, and the log level. */
  readonly #standing = new Map<string, JSONRPCRequest>();
  readonly #done = Promise.withResolvers<void>();
  #current: BridgeConnection | undefined;
  #initialize: JSONRPCRequest | undefined;
  #reconnecting: Promise<Error | undefined> | undefined;
  /** The client's `initialized` is on its way: what comes after it must not overtake it. */
  #ready: Promise<void> = Promise.resolve();
  #gaveUp = false;
  #url: string;
  #closed = false;

  constructor(client: Transport, options: BridgeOptions) {
    this.#client = client;
    this.#options = options;
    this.#url = options.url;
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    const stop = () => void this.#close();
    this.#client.onmessage = (message) => void this.#take(message);
    this.#client.onclose = stop;
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted === true) stop();
    else await this.#client.start();
    await this.#done.promise;
    signal?.removeEventListener('abort', stop);
  }

  async #take(message: JSONRPCMessage): Promise<void> {
    if (isInitializeRequest(message) && isJSONRPCRequest(message)) {
      await this.#first(message);
      return;
    }
    this.#remember(message);
    if (!isInitializedNotification(message)) {
      await this.#ready;
      await this.#forward(message);
      return;
    }
    this.#ready = this.#forward(message);
    await this.#ready;
  }

  #remember(message: JSONRPCMessage): void {
    if (!isJSONRPCRequest(message)) return;
    const { method, params } = message;
    if (method === 'resources/subscribe') this.#standing.set(String(params?.['uri']), message);
    else if (method === 'resources/unsubscribe') this.#standing.delete(String(params?.['uri']));
    else if (method === 'logging/setLevel') this.#standing.set(method, message);
  }

  /** Opens the first session. A server that is only being started is waited for, not for long: the client waits too. */
  async #first(message: JSONRPCRequest): Promise<void> {
    this.#initialize = message;
    const until = performance.now() + Math.min(FIRST_PATIENCE_MS, this.#options.patienceMs ?? PATIENCE_MS);
    for (let waitMs = FIRST_WAIT_MS; ; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
      const http = this.#connection();
      this.#forwarded.set(message.id, { message, http });
      // Its answer may be here, and the client's next words with it, before this knows that it was sent.
      this.#current = http;
      try {
        await http.send(message);
        return;
      } catch (error) {
        this.#current = undefined;
        this.#forwarded.delete(message.id);
        http.release();
        const isFinal = error instanceof ServerRefusal && error.status !== 503;
        if (this.#closed) return;
        if (isFinal || performance.now() + waitMs > until) {
          const { message: why } = this.#explain(error);
          this.#options.onNotice?.(why);
          this.#fail(message, why, error instanceof ServerRefusal ? error.data : undefined);
          return;
        }
      }
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }

  /** Sends one message on, over a new session if need be. */
  async #forward(message: JSONRPCMessage): Promise<void> {
    for (;;) {
      // What is known to be lost is not sent on.
      const lost = await this.#reconnecting;
      if (this.#closed) return;
      if (lost !== undefined) {
        this.#fail(message, lost.message);
        return;
      }
      const http = this.#current;
      if (http === undefined) {
        const problem = await this.#reconnect(http);
        if (problem === undefined) continue;
        this.#fail(message, problem.message);
        return;
      }
      if (isJSONRPCRequest(message)) this.#forwarded.set(message.id, { message, http });
      try {
        await http.send(message);
        return;
      } catch (error) {
        if (isJSONRPCRequest(message)) this.#forwarded.delete(message.id);
        if (this.#closed) return;
        if (error instanceof ServerRefusal && !error.sessionLost && error.status !== 503) {
          this.#fail(message, error.message, error.data);
          return;
        }
        const problem = await this.#reconnect(http);
        const refused = error instanceof ServerRefusal || whyUnreachable(error) === 'ECONNREFUSED';
        if (!refused && isJSONRPCRequest(message) && message.method === 'tools/call') {
          this.#fail(message, UNKNOWN_EFFECT);
          return;
        }
        if (problem !== undefined) {
          this.#fail(message, problem.message);
          return;
        }
        // The new session was opened with the client's own request, and needs nobody's cancellations.
        if (!isJSONRPCRequest(message)) return;
      }
    }
  }

  /**
   * A new session in place of `lost`, waited for as long as patience lasts; who asks meanwhile gets the same one.
   *
   * @returns why there is none
   */
  #reconnect(lost: BridgeConnection | undefined): Promise<Error | undefined> {
    if (this.#current !== lost) return Promise.resolve(undefined);
    this.#reconnecting ??= this.#tryAgain(lost).finally(() => {
      this.#reconnecting = undefined;
    });
    return this.#reconnecting;
  }

  async #tryAgain(lost: BridgeConnection | undefined): Promise<Error | undefined> {
    if (lost !== undefined) lost.release();
    // Once given up, each further call is one try: the client need not wait to be told the same.
    const patienceMs = this.#gaveUp ? 0 : (this.#options.patienceMs ?? PATIENCE_MS);
    const until = performance.now() + patienceMs;
    let problem: Error | undefined;
    for (let waitMs = FIRST_WAIT_MS; !this.#closed; waitMs = Math.min(2 * waitMs, LONGEST_WAIT_MS)) {
      const initialize = this.#initialize;
      if (initialize === undefined) return new Error('the client has not said initialize');
      const http = this.#connection();
      try {
        await http.openAgain(initialize, [...this.#standing.values()]);
        this.#current = http;
        this.#gaveUp = false;
        this.#options.onNotice?.(`connected to ${this.#url} again`);
        this.#settleLost(lost);
        // What changed meanwhile was told to nobody.
        for (const { method, params } of this.#standing.values())
          if (method === 'resources/subscribe')
            this.#tell({
              jsonrpc: '2.0',
              method: 'notifications/resources/updated',
              params: { uri: params?.['uri'] },
            });
        return undefined;
      } catch (error) {
        http.release();
        problem = this.#explain(error);
        if (error instanceof ServerRefusal && error.status < 500 && !error.sessionLost && error.status !== 429) break;
      }
      if (performance.now() + waitMs > until) break;
      await new Promise((resolve) => setTimeout(resolve, waitMs));
      await this.#findAgain();
    }
    this.#gaveUp = true;
    this.#current = undefined;
    problem ??= new Error('the connection was closed');
    this.#options.onNotice?.(problem.message);
    for (const [id, { message }] of this.#forwarded) {
      this.#forwarded.delete(id);
      this.#fail(message, message.method === 'tools/call' ? `${problem.message}. ${UNKNOWN_EFFECT}` : problem.message);
    }
    return problem;
  }

  async #findAgain(): Promise<void> {
    try {
      this.#url = (await this.#options.find?.()) ?? this.#url;
    } catch (error) {
      this.#options.onNotice?.(error instanceof Error ? error.message : String(error));
    }
  }

  /** What was under way on a connection that is no more. */
  #settleLost(lost: BridgeConnection | undefined): void {
    for (const [id, { message, http }] of this.#forwarded) {
      if (http !== lost) continue;
      this.#forwarded.delete(id);
      if (message.method === 'tools/call') this.#fail(message, UNKNOWN_EFFECT);
      else void this.#forward(message);
    }
  }

  #connection(): BridgeConnection {
    const { token } = this.#options;
    const connection: BridgeConnection = new BridgeConnection(this.#url, token, {
      onMessage: (message) => this.#answer(connection, message),
      onLost: () => {
        if (!this.#closed && this.#current === connection) void this.#reconnect(connection);
      },
    });
    return connection;
  }

  #answer(http: BridgeConnection, message: JSONRPCMessage): void {
    if (!('method' in message) && message.id !== undefined) {
      const asked = this.#forwarded.get(message.id);
      // An answer nobody waits for any more: it was given up, and the client was told.
      if (asked?.http !== http) return;
      this.#forwarded.delete(message.id);
      if (asked.message.method === 'initialize' && isJSONRPCResultResponse(message))
        http.speak(message.result['protocolVersion']);
    }
    this.#tell(message);
  }

  #fail(message: JSONRPCMessage, why: string, data?: unknown): void {
    if (!isJSONRPCRequest(message) || this.#closed) return;
    const error = { code: RPC.refused, message: why, ...(data === undefined ? {} : { data }) };
    this.#tell({ jsonrpc: '2.0', id: message.id, error });
  }

  #tell(message: JSONRPCMessage): void {
    // A client that cannot be told is about to be gone.
    void this.#client.send(message).catch(() => undefined);
  }

  #explain(error: unknown): Error {
    if (error instanceof ServerRefusal) return error;
    const why = whyUnreachable(error);
    return new Error(
      `the hivemark server at ${this.#url} does not answer${why === undefined ? '' : ` (${why})`}; is it running? Start it again, then repeat the call`,
      { cause: error },
    );
  }

  async #close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    const http = this.#current;
    if (http !== undefined) {
      await http.goodbye();
    }
    this.#client.onclose = () => undefined;
    await this.#client.close();
    this.#done.resolve();
  }
}

const UNKNOWN_EFFECT =
  'the server went away while this call was under way; whether it took effect is not known: look before you repeat it';
