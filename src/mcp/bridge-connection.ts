/* oxlint-disable unicorn/prefer-add-event-listener -- a transport of the SDK has one listener of each kind, as a property */
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  isJSONRPCResultResponse,
  type JSONRPCMessage,
  type JSONRPCRequest,
  type RequestId,
} from '@modelcontextprotocol/sdk/types.js';
import { bridgeFetch, ServerRefusal, whyUnreachable } from './bridge-fetch.ts';

/** For the answer to what the bridge asks of its own accord. */
const OWN_ANSWER_MS = 10_000;
const GOODBYE_MS = 1000;

/** One session with a server over Streamable HTTP. */
export class BridgeConnection {
  readonly #http: StreamableHTTPClientTransport;
  /** Answers to what the bridge asks itself; the client hears nothing of them. */
  readonly #own = new Map<RequestId, (message: JSONRPCMessage) => void>();
  readonly #started: Promise<void>;
  #asked = 0;

  /** @param on `onLost`: a stream cannot be taken up again, as the session has ended, or the server has */
  constructor(
    url: string,
    token: string | undefined,
    on: { readonly onMessage: (message: JSONRPCMessage) => void; readonly onLost: () => void },
  ) {
    const http = new StreamableHTTPClientTransport(new URL(url), {
      fetch: bridgeFetch,
      ...(token === undefined ? {} : { requestInit: { headers: { Authorization: `Bearer ${token}` } } }),
      reconnectionOptions: {
        initialReconnectionDelay: 500,
        maxReconnectionDelay: 2000,
        reconnectionDelayGrowFactor: 2,
        maxRetries: 20,
      },
    });
    http.onmessage = (message) => {
      const own = 'method' in message || message.id === undefined ? undefined : this.#own.get(message.id);
      if (own === undefined) on.onMessage(message);
      else own(message);
    };
    http.onerror = (error) => {
      if (error instanceof ServerRefusal ? error.sessionLost : whyUnreachable(error) === 'ECONNREFUSED') on.onLost();
    };
    this.#http = http;
    this.#started = http.start();
  }

  /** @throws {ServerRefusal} and whatever `fetch` throws */
  async send(message: JSONRPCMessage): Promise<void> {
    await this.#started;
    await this.#http.send(message);
  }

  /** The revision that client and server speak; every request states it. */
  speak(version: unknown): void {
    this.#http.setProtocolVersion(String(version));
  }

  /** Opens the session with the client's own words, without telling it: its `initialize`, and what is to hold in every session. */
  async openAgain(initialize: JSONRPCRequest, standing: readonly JSONRPCRequest[]): Promise<void> {
    const answer = await this.#ask(initialize);
    if (!isJSONRPCResultResponse(answer)) throw new Error('the server takes no new session');
    this.speak(answer.result['protocolVersion']);
    await this.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
    for (const request of standing) await this.#ask(request);
  }

  /** Ends the session, so that the server need not keep it; it may be gone itself. */
  async goodbye(): Promise<void> {
    const said = this.#http.terminateSession().catch(() => undefined);
    await Promise.race([said, new Promise((resolve) => setTimeout(resolve, GOODBYE_MS).unref())]);
    this.release();
  }

  /** Closes the connection without hearing of it again. */
  release(): void {
    this.#http.onmessage = () => undefined;
    this.#http.onerror = () => undefined;
    void this.#http.close();
  }

  async #ask(request: JSONRPCRequest): Promise<JSONRPCMessage> {
    const id = `hivemark-bridge-${++this.#asked}`;
    const { promise, resolve, reject } = Promise.withResolvers<JSONRPCMessage>();
    const timer = setTimeout(() => reject(new Error('the server does not answer')), OWN_ANSWER_MS);
    this.#own.set(id, resolve);
    try {
      await Promise.all([this.send({ ...request, id }), promise]);
      return await promise;
    } finally {
      clearTimeout(timer);
      this.#own.delete(id);
    }
  }
}
