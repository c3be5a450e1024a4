import { Agent, request } from 'node:http';
import { z } from 'zod';

/** Connections of all agents of this process; kept open from call to call. */
export function openConnections(): Agent {
  return new Agent({ keepAlive: true, maxSockets: Infinity, maxFreeSockets: Infinity });
}

const CALL_MS = 60_000;
const VERSION = '2025-11-25';
const INITIALIZE = {
  protocolVersion: VERSION,
  capabilities: {},
  clientInfo: { name: 'hivemark-bench', version: '1' },
};
const ANSWER = z.object({ result: z.looseObject({ isError: z.boolean().optional() }) });

/**
 * One connected agent over Streamable HTTP, by hand: the SDK's client uses about as much of the processor as the server, and what was
 * measured would be the client.
 */
export class WireAgent {
  readonly #url: URL;
  readonly #token: string;
  readonly #connections: Agent;
  #session: string | undefined;
  #id = 0;
  #stream: { destroy(): unknown } | undefined;

  private constructor(url: string, token: string, connections: Agent) {
    this.#url = new URL(url);
    this.#token = token;
    this.#connections = connections;
  }

  /** Opens a session. */
  static async connect(url: string, token: string, connections: Agent): Promise<WireAgent> {
    const agent = new WireAgent(url, token, connections);
    await agent.#ask('initialize', INITIALIZE);
    await agent.#post({ jsonrpc: '2.0', method: 'notifications/initialized' });
    return agent;
  }

  /** Opens the stream on which a server tells of changes, as the SDK's client does. */
  async listen(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const asked = request(this.#url, { method: 'GET', headers: this.#headers(), agent: this.#connections });
    this.#stream = asked;
    asked.once('response', (response) => {
      response.resume();
      if (response.statusCode === 200) resolve();
      else reject(new Error(`the stream of a session was answered ${response.statusCode}`));
    });
    // Once it is open it ends when the session does, however that is.
    asked.on('error', reject);
    asked.end();
    return promise;
  }

  /** @throws when it is refused: nothing else is to be measured */
  async call(name: string, args: Readonly<Record<string, unknown>>): Promise<void> {
    const result = await this.#ask('tools/call', { name, arguments: args });
    if (result.isError === true) throw new Error(`${name} was refused: ${JSON.stringify(result)}`);
  }

  /** Ends the session. */
  async close(): Promise<void> {
    const status = await this.#send('DELETE', '').then(({ status: answered }) => answered);
    this.#stream?.destroy();
    if (status !== 200) throw new Error(`the end of a session was answered ${status}`);
  }

  async #ask(method: string, params: object): Promise<z.output<typeof ANSWER>['result']> {
    this.#id += 1;
    const text = await this.#post({ jsonrpc: '2.0', id: this.#id, method, params });
    // One answer, in the last event of the stream.
    const json = text.startsWith('{') ? text : text.slice(text.lastIndexOf('\ndata: {') + 7);
    const parsed = ANSWER.safeParse(JSON.parse(json));
    if (!parsed.success) throw new Error(`${method} was answered ${text.slice(0, 500)}`);
    return parsed.data.result;
  }

  async #post(message: object): Promise<string> {
    const { status, text } = await this.#send('POST', JSON.stringify(message));
    if (status !== 200 && status !== 202) throw new Error(`a request was answered ${status}: ${text.slice(0, 500)}`);
    return text;
  }

  #send(method: 'POST' | 'DELETE', body: string): Promise<{ readonly status: number; readonly text: string }> {
    const { promise, resolve, reject } = Promise.withResolvers<{ readonly status: number; readonly text: string }>();
    const sent = request(this.#url, {
      method,
      headers: { ...this.#headers(), 'Content-Length': Buffer.byteLength(body) },
      agent: this.#connections,
      timeout: CALL_MS,
    });
    sent.once('response', (response) => {
      const { statusCode = 0, headers } = response;
      const session = headers['mcp-session-id'];
      if (typeof session === 'string') this.#session = session;
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => {
        text += part;
      });
      response.once('end', () => resolve({ status: statusCode, text }));
      response.once('error', reject);
    });
    sent.once('timeout', () => sent.destroy(new Error(`a request was not answered within ${CALL_MS} ms`)));
    sent.once('error', reject);
    sent.end(body);
    return promise;
  }

  #headers(): Record<string, string> {
    return {
      Authorization: `Bearer ${this.#token}`,
      Accept: 'application/json, text/event-stream',
      'Content-Type': 'application/json',
      ...(this.#session === undefined ? {} : { 'Mcp-Session-Id': this.#session, 'Mcp-Protocol-Version': VERSION }),
    };
  }
}
