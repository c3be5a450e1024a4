import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { RequestOptions } from '@modelcontextprotocol/sdk/shared/protocol.js';
import {
  type CallToolResult,
  CallToolResultSchema,
  ErrorCode,
  McpError,
  ResourceListChangedNotificationSchema,
  ResourceUpdatedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { z } from 'zod';
import { type MirrorRemote, type PutAnswer, RemoteAwayError, type RemoteFile } from '../materialize/mirror-remote.ts';
import { bridgeFetch, ServerRefusal, whyUnreachable } from '../mcp/bridge-fetch.ts';
import type { Refused, Standing, SubmitAnswer } from '../mcp/participant.ts';
import { fileShape, standingShape, submitShape } from '../mcp/participant-shapes.ts';
import { RESOURCE_NOT_FOUND } from '../mcp/protocol-handlers.ts';
import { fileUri, STANDING_URI } from '../mcp/resource-uris.ts';
import { VERSION } from '../version.ts';

/** The host said no for good: the token is not (any more) valid, the agent is not external, or what it says is not understood. */
export class HostRefusalError extends Error {
  override readonly name = 'HostRefusalError';
  readonly code = 'host-refusal';
}

/** An agent's place at a host, over MCP; what a folder is kept in step with. */
export interface HostClient extends MirrorRemote {
  standing(): Promise<Standing>;
  /** What `view` shows, on record as a read. */
  view(path: string): Promise<{ readonly ok: true; readonly text: string } | Refused>;
  /** Hands in the program as the space has it and waits for the result; aborting withdraws it. @throws the signal's reason */
  submit(options: {
    readonly reason?: string;
    readonly signal: AbortSignal;
    readonly onProgress: (progress: { readonly step: string; readonly done: number; readonly total: number }) => void;
  }): Promise<SubmitAnswer | Refused>;
  close(): Promise<void>;
}

/** For what is answered at once, milliseconds. */
const CALL_MS = 20_000;
/** For a submission, from one word of progress to the next. */
const SUBMIT_MS = 30 * 60_000;
const SUBSCRIBED_FILES = 900;

const LIST = z.object({ files: z.array(fileShape), nextCursor: z.string().optional() });
const PUT = z.object({ file: fileShape.nullable() });
const STANDING = z.object(standingShape);
const SUBMITTED = z.object(submitShape);
const TEXT = z.object({ text: z.string() });
const FAILURE = z.object({
  error: z.object({
    code: z.string(),
    message: z.string(),
    now: z.object({ sha256: z.string(), text: z.string() }).nullable().optional(),
  }),
});

export interface HostAddress {
  /** `http://.../mcp`. */
  readonly url: string;
  readonly token: string;
  /** Where the host is now, asked when it is not met at `url`; undefined: not known. What it throws is thrown on. */
  readonly find?: () => Promise<string | undefined>;
}

/**
 * Connects to a host as the agent its token speaks for. A session that the host has forgotten is opened anew, a host that went
 * elsewhere is followed.
 *
 * @throws {RemoteAwayError} when it cannot be reached; {HostRefusalError} when it refuses
 */
export async function connectToHost(address: HostAddress): Promise<HostClient> {
  const client = new HttpHostClient(address);
  await client.standing().catch((error: unknown) => {
    if (!(error instanceof RemoteAwayError) || address.find === undefined) throw error;
    return client.standing();
  });
  return client;
}

class HttpHostClient implements HostClient {
  #url: string;
  readonly #token: string;
  readonly #find: HostAddress['find'];
  /** Nobody was met at the address. */
  #missed = false;
  /** There was a session before. */
  #connected = false;
  readonly #listeners = new Set<() => void>();
  #session: Promise<Client> | undefined;
  #subscribed = new Set<string>();
  #closed = false;

  constructor({ url, token, find }: HostAddress) {
    this.#url = url;
    this.#token = token;
    this.#find = find;
  }

  async list(): Promise<readonly RemoteFile[]> {
    const files: RemoteFile[] = [];
    for (let cursor: string | undefined; ; ) {
      const answer = await this.#call('list_files', cursor === undefined ? {} : { cursor });
      const page = valueOf(answer, LIST);
      files.push(...page.files);
      cursor = page.nextCursor;
      if (cursor === undefined) break;
    }
    await this.#follow(files.filter(({ kind }) => kind === 'own').map(({ path }) => path));
    return files;
  }

  async read(path: string): Promise<string | undefined> {
    return this.#ask(async (client) => {
      try {
        const { contents } = await client.readResource({ uri: fileUri(path) }, { timeout: CALL_MS });
        const text = contents[0];
        return text !== undefined && 'text' in text ? text.text : undefined;
      } catch (error) {
        if (error instanceof McpError && error.code === RESOURCE_NOT_FOUND) return undefined;
        throw error;
      }
    });
  }

  async put(path: string, text: string | null, expected: string | null): Promise<PutAnswer> {
    const answer = await this.#call('put_file', { path, text, expected_sha256: expected });
    if (answer.isError !== true) return { ok: true, sha256: valueOf(answer, PUT).file?.sha256 ?? null };
    const { now, ...refusal } = refusalOf(answer);
    return { ...refusal, ...(now === undefined ? {} : { now }) };
  }

  async refuse(path: string, problem: string): Promise<void> {
    // Longer than any path or problem that matters is cut, as the tool would refuse to take it.
    await this.#call('put_file', {
      path: path.slice(0, 1000).toWellFormed(),
      problem: problem.slice(0, 500).toWellFormed(),
    });
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async standing(): Promise<Standing> {
    const answer = await this.#call('standing', {});
    const { run, peers, ...rest } = valueOf(answer, STANDING);
    return {
      ...rest,
      run,
      peers: peers.map(({ model, ...peer }) => (model === undefined ? peer : { ...peer, model })),
    };
  }

  async view(path: string): Promise<{ readonly ok: true; readonly text: string } | Refused> {
    const answer = await this.#call('view', { path });
    return answer.isError === true ? refusalOf(answer) : { ok: true, text: valueOf(answer, TEXT).text };
  }

  async submit(options: Parameters<HostClient['submit']>[0]): Promise<SubmitAnswer | Refused> {
    const { reason, signal, onProgress } = options;
    const answer = await this.#call('submit', reason === undefined ? {} : { reason }, {
      signal,
      timeout: SUBMIT_MS,
      resetTimeoutOnProgress: true,
      onprogress: ({ progress, total, message }) =>
        onProgress({ step: message ?? 'evaluating', done: progress, total: total ?? 0 }),
    });
    if (answer.isError === true) return refusalOf(answer);
    const { reason: why, ...rest } = valueOf(answer, SUBMITTED);
    return why === undefined ? rest : { ...rest, reason: why };
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#listeners.clear();
    const client = await this.#session?.catch(() => undefined);
    if (client === undefined) return;
    // Saying goodbye frees the host of the session; it may be gone itself.
    await Promise.race([goodbye(client), new Promise((resolve) => setTimeout(resolve, 1000).unref())]);
    await client.close();
  }

  async #call(
    name: string,
    args: Readonly<Record<string, unknown>>,
    options: RequestOptions = { timeout: CALL_MS },
  ): Promise<CallToolResult> {
    return this.#ask(async (client) => {
      const request = { method: 'tools/call' as const, params: { name, arguments: { ...args } } };
      return client.request(request, CallToolResultSchema, options);
    }, options.signal);
  }

  /** Asks over the session there is, or over a new one where the host has forgotten it (it did nothing then). */
  async #ask<T>(question: (client: Client) => Promise<T>, signal?: AbortSignal): Promise<T> {
    for (let attempt = 1; ; attempt += 1) {
      if (this.#closed) throw new HostRefusalError('the connection to the host was closed');
      const session = this.#open();
      try {
        return await question(await session);
      } catch (error) {
        signal?.throwIfAborted();
        const refusal = error instanceof ServerRefusal ? error : undefined;
        if (refusal?.sessionLost === true && attempt < 3) {
          this.#drop(session);
          continue;
        }
        throw this.#explain(error, session);
      }
    }
  }

  #explain(error: unknown, session: Promise<Client>): Error {
    if (error instanceof ServerRefusal) {
      const passing = error.status >= 500 || error.status === 429 || error.sessionLost;
      if (passing) return new RemoteAwayError(`the host at ${this.#url} says: ${error.message}`, { cause: error });
      return new HostRefusalError(`the host at ${this.#url} refuses: ${error.message}`, { cause: error });
    }
    if (error instanceof McpError && !isLost(error)) {
      return new HostRefusalError(`the host at ${this.#url} refuses: ${error.message}`, { cause: error });
    }
    if (error instanceof z.ZodError) {
      return new HostRefusalError(`the host at ${this.#url} answers in a way that is not understood`, { cause: error });
    }
    this.#drop(session);
    if (error instanceof LookupFailure) return error.cause;
    this.#missed = true;
    const why = whyUnreachable(error);
    const what = `the host at ${this.#url} does not answer${why === undefined ? '' : ` (${why})`}`;
    return new RemoteAwayError(what, { cause: error });
  }

  #open(): Promise<Client> {
    this.#session ??= this.#connect();
    return this.#session;
  }

  async #connect(): Promise<Client> {
    if (this.#missed && this.#find !== undefined) {
      const found = await this.#find().catch((error: unknown) => {
        throw new LookupFailure(error);
      });
      this.#url = found ?? this.#url;
    }
    const client = new Client({ name: 'hivemark', version: VERSION });
    const tell = (): void => this.#tell();
    client.setNotificationHandler(ResourceUpdatedNotificationSchema, tell);
    client.setNotificationHandler(ResourceListChangedNotificationSchema, tell);
    const transport = new StreamableHTTPClientTransport(new URL(this.#url), {
      fetch: bridgeFetch,
      requestInit: { headers: { Authorization: `Bearer ${this.#token}` } },
      reconnectionOptions: {
        initialReconnectionDelay: 200,
        maxReconnectionDelay: 2000,
        reconnectionDelayGrowFactor: 2,
        maxRetries: 10,
      },
    });
    this.#subscribed = new Set();
    await client.connect(transport, { timeout: CALL_MS });
    this.#missed = false;
    const session = this.#session;
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the SDK's client is no event target
    client.onerror = (error) => {
      // The stream of notifications ended and could not be taken up again: whoever listens asks, and finds out.
      if (this.#session !== session || session === undefined) return;
      if (error instanceof ServerRefusal ? error.sessionLost : whyUnreachable(error) !== undefined) {
        this.#drop(session);
        this.#tell();
      }
    };
    await this.#subscribe(client, STANDING_URI);
    // Nobody told of what became different while there was none.
    if (this.#connected) this.#tell();
    this.#connected = true;
    return client;
  }

  /** Lets go of a session; the next question opens another. */
  #drop(session: Promise<Client>): void {
    if (this.#session !== session) return;
    this.#session = undefined;
    session.then((client) => client.close()).catch(() => undefined);
  }

  async #follow(paths: readonly string[]): Promise<void> {
    const uris = paths.map(fileUri).filter((uri) => !this.#subscribed.has(uri));
    if (uris.length === 0) return;
    await this.#ask(async (client) => {
      for (const uri of uris) if (this.#subscribed.size < SUBSCRIBED_FILES) await this.#subscribe(client, uri);
    });
  }

  async #subscribe(client: Client, uri: string): Promise<void> {
    await client.subscribeResource({ uri }, { timeout: CALL_MS });
    this.#subscribed.add(uri);
  }

  #tell(): void {
    for (const listener of this.#listeners) listener();
  }
}

/** Looking for the host failed for good. */
class LookupFailure extends Error {
  override readonly name = 'LookupFailure';
  override readonly cause: Error;

  constructor(cause: unknown) {
    super('the host cannot be found');
    this.cause = cause instanceof Error ? cause : new Error(String(cause));
  }
}

async function goodbye(client: Client): Promise<void> {
  const { transport } = client;
  if (transport instanceof StreamableHTTPClientTransport) await transport.terminateSession().catch(() => undefined);
}

/** The answer did not come, or the connection ended under the question. */
const LOST: ReadonlySet<number> = new Set([ErrorCode.RequestTimeout, ErrorCode.ConnectionClosed]);

function isLost(error: McpError): boolean {
  return LOST.has(error.code);
}

function valueOf<T>(answer: CallToolResult, shape: z.ZodType<T>): T {
  if (answer.isError === true) throw new HostRefusalError(`the host refuses: ${refusalOf(answer).message}`);
  const parsed = shape.safeParse(answer.structuredContent);
  if (parsed.success) return parsed.data;
  throw new HostRefusalError('the host answers in a way that is not understood', { cause: parsed.error });
}

function refusalOf(answer: CallToolResult): Refused & { now?: { sha256: string; text: string } | null } {
  const parsed = FAILURE.safeParse(answer.structuredContent);
  if (!parsed.success) throw new HostRefusalError('the host refuses without saying why', { cause: parsed.error });
  const { code, message, now } = parsed.data.error;
  return { ok: false, code, message, ...(now === undefined ? {} : { now }) };
}
