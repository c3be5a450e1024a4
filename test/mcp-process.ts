import { ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Progress } from '@modelcontextprotocol/sdk/types.js';
import { afterAll } from 'vitest';
import { z } from 'zod';
import { type Finished, newFolder } from './run-cli.ts';
import { runInProcess } from './space-cli.ts';

/** The program to start from source, and what goes before its arguments. */
export const CLI: readonly string[] = ['--no-node-snapshot', fileURLToPath(new URL('./cli-entry.ts', import.meta.url))];
/** For a process that starts on a busy machine. */
const APPEARS_MS = 40_000;

/** A folder of a test's own, and an environment whose configuration folder is in it: tokens and secrets are the test's alone. */
export interface Place {
  readonly dir: string;
  /** Where experiments are kept: `--out`. */
  readonly out: string;
  readonly env: Readonly<Record<string, string>>;
  /** Writes a file into it. @returns its path */
  file(name: string, text: string): Promise<string>;
}

export async function newPlace(): Promise<Place> {
  const dir = await newFolder();
  afterAll(() => rm(dir, { recursive: true, force: true, maxRetries: 5 }));
  await mkdir(join(dir, 'config'));
  return {
    dir,
    out: join(dir, 'out'),
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: dir,
      XDG_CONFIG_HOME: join(dir, 'config'),
      HIVEMARK_PRINCIPAL_TOKEN: 'hmp_of-tests-and-long-enough-for-them',
      HIVEMARK_SECRET: 'of-tests',
    },
    file: async (name, text) => {
      await writeFile(join(dir, name), text);
      return join(dir, name);
    },
  };
}

/** A mixed experiment that is quick: a scripted planner, and agents from outside. Its run is `<names>-s42-paired`. */
export function mixedConfig(more: {
  readonly name?: string;
  readonly external?: readonly string[];
  readonly generations?: number;
  readonly rounds?: string;
}): string {
  const { name = 'mixed', external = ['me'], generations = 2, rounds = '{ timeoutMinutes: 10 }' } = more;
  const outside = external.map((agent) => `  - { name: ${agent}, external: mcp }\n`).join('');
  return `name: ${name}\ntask: sine_approx\nagents:\n  - { name: planner, model: scripted/planner }\n${outside}generations: ${generations}\nseeds: [42]\nrounds: ${rounds}\n`;
}

/** A command that goes on until it is ended. */
export interface RunningCli {
  readonly pid: number;
  readonly stderr: string;
  /** Waits until standard error has it. @throws when the process ends before, with what it said */
  said(what: RegExp, ms?: number): Promise<string>;
  kill(signal: NodeJS.Signals): void;
  readonly finished: Promise<Finished>;
}

const running = new Set<ChildProcess>();
afterAll(async () => {
  // What serves ends its own children when it is asked to; it is made to when it does not.
  await Promise.all(
    [...running].map((child) => {
      const closed = new Promise((resolve) => child.once('close', resolve));
      child.kill('SIGTERM');
      setTimeout(() => child.kill('SIGKILL'), 10_000).unref();
      return closed;
    }),
  );
});

/** Starts the command line from source in a process of its own; it ends with the test file at the latest. */
export function startCli(args: readonly string[], place: Place): RunningCli {
  const child = spawn(process.execPath, [...CLI, ...args], {
    cwd: place.dir,
    env: { ...place.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  running.add(child);
  let [stdout, stderr] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  let ended = false;
  const finished = new Promise<Finished>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      ended = true;
      running.delete(child);
      resolve({ code, stdout, stderr });
    });
  });
  return {
    pid: child.pid ?? 0,
    get stderr() {
      return stderr;
    },
    said: (what, ms = APPEARS_MS) =>
      eventually(
        () => {
          const found = what.exec(stderr);
          if (found === null && ended) throw new Error(`it ended without ${String(what)}: ${stderr}`);
          return found?.[1] ?? found?.[0];
        },
        ms,
        () => `${String(what)} in: ${stderr}`,
      ),
    kill: (signal) => child.kill(signal),
    finished,
  };
}

/** Starts a command that serves HTTP. @returns it, and the first address that it says */
export async function startServer(
  args: readonly string[],
  place: Place,
): Promise<RunningCli & { readonly url: string }> {
  const cli = startCli(args, place);
  const url = await cli.said(/served at (http:\S+\/mcp)/u);
  // Its getter must go on to look.
  return Object.assign(Object.create(cli) as RunningCli, { url });
}

/** Looks until there is something. @throws after `ms`, naming what was waited for */
export async function eventually<T>(
  look: () => T | undefined | Promise<T | undefined>,
  ms = APPEARS_MS,
  what: () => string = () => look.toString(),
): Promise<T> {
  for (const until = performance.now() + ms; ; await sleep(25)) {
    const found = await look();
    if (found !== undefined && found !== false) return found;
    if (performance.now() > until) throw new Error(`not within ${ms} ms: ${what()}`);
  }
}

/** A token as `hivemark token` gives it. */
export async function makeToken(place: Place, agent: string, ...flags: readonly string[]): Promise<string> {
  const made = await runInProcess(['token', agent, ...flags], place.env);
  if (made.code !== 0) throw new Error(made.stderr);
  // A server knows it within a quarter of a second.
  await sleep(250);
  return made.stdout.trim();
}

/** What a client of the SDK's was told besides answers. */
export interface Heard {
  /** URIs of resources that became different. */
  readonly updated: string[];
  /** Times that the list of resources became different. */
  listChanged: number;
  /** How far calls were, in the order in which it came: the SDK forgets what comes together with an answer. */
  readonly progress: number[];
}

export interface Connected {
  readonly client: Client;
  readonly heard: Heard;
  /** Names of the tools that were called, in order. */
  readonly made: readonly string[];
  /** Calls a tool: what it gave, or what stood against it. */
  call(name: string, args?: Readonly<Record<string, unknown>>, options?: CallOptions): Promise<Answer>;
  close(): Promise<void>;
}

export interface CallOptions {
  readonly signal?: AbortSignal;
  readonly onprogress?: (progress: Progress) => void;
}

export interface Answer {
  readonly isError: boolean;
  /** Structured content. */
  readonly value: Record<string, unknown>;
  /** All text blocks. */
  readonly text: string;
  /** Code of the error; undefined where there is none. */
  readonly code: string | undefined;
}

const resultShape = z.object({
  isError: z.boolean().optional(),
  structuredContent: z.record(z.string(), z.unknown()),
  content: z.array(z.object({ type: z.literal('text'), text: z.string() })),
});
const failureShape = z.object({ error: z.object({ code: z.string(), message: z.string() }) });
/** For one call, a submission that waits for an evaluation included. */
const CALL_MS = 60_000;

function connected(client: Client, heard: Heard): Connected {
  const made: string[] = [];
  return {
    client,
    heard,
    made,
    async call(name, args = {}, options = {}) {
      made.push(name);
      const given = await client.callTool({ name, arguments: { ...args } }, undefined, {
        timeout: CALL_MS,
        ...options,
      });
      const { isError = false, structuredContent: value, content } = resultShape.parse(given);
      const text = content.map((block) => block.text).join('\n');
      return { isError, value, text, code: isError ? failureShape.parse(value).error.code : undefined };
    },
    close: () => client.close(),
  };
}

function newClient(): { readonly client: Client; readonly heard: Heard } {
  const client = new Client({ name: 'test', version: '1' });
  const heard: Heard = { updated: [], listChanged: 0, progress: [] };
  client.fallbackNotificationHandler = ({ method, params }) => {
    if (method === 'notifications/resources/updated') heard.updated.push(String(params?.['uri']));
    if (method === 'notifications/resources/list_changed') heard.listChanged += 1;
    return Promise.resolve();
  };
  return { client, heard };
}

export interface StdioConnected extends Connected {
  readonly pid: number;
  readonly stderr: string;
}

/** Hears of progress where it comes in. */
function hearProgress({ transport }: Client, { progress }: Heard): void {
  if (transport === undefined) return;
  const pass = transport.onmessage;
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- a transport of the SDK has one listener, as a property
  transport.onmessage = (message, extra) => {
    if ('method' in message && message.method === 'notifications/progress')
      progress.push(Number(message.params?.['progress']));
    pass?.(message, extra);
  };
}

/** The SDK's client over the standard streams of a command that it starts. */
export async function connectStdio(args: readonly string[], place: Place): Promise<StdioConnected> {
  const { client, heard } = newClient();
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [...CLI, ...args],
    env: { ...place.env },
    cwd: place.dir,
    stderr: 'pipe',
  });
  let stderr = '';
  transport.stderr?.on('data', (text: Buffer) => {
    stderr += text.toString();
  });
  try {
    await client.connect(transport, { timeout: APPEARS_MS });
  } catch (error) {
    throw new Error(`no connection over stdio: ${stderr}`, { cause: error });
  }
  hearProgress(client, heard);
  const pid = transport.pid ?? 0;
  const close = async (): Promise<void> => {
    await endInput(transport);
    await client.close();
  };
  return Object.defineProperties(Object.assign(connected(client, heard), { pid, stderr, close }), {
    stderr: { get: () => stderr },
  });
}

/** Ends the input of the process and waits until it has ended by itself: the SDK would kill it after four seconds. */
async function endInput(transport: StdioClientTransport): Promise<void> {
  const child: unknown = Reflect.get(transport, '_process');
  if (!(child instanceof ChildProcess)) return;
  const closed = once(child, 'close', { signal: AbortSignal.timeout(APPEARS_MS) });
  child.stdin?.end();
  await closed;
}

export interface HttpConnected extends Connected {
  /** Cuts what is open of its connections, as a network would. */
  cut(): void;
}

/** The SDK's client over HTTP. */
export async function connectHttp(url: string, token: string): Promise<HttpConnected> {
  const { client, heard } = newClient();
  let cutting = new AbortController();
  const transport = new StreamableHTTPClientTransport(new URL(url), {
    requestInit: { headers: { Authorization: `Bearer ${token}` } },
    fetch: (address, init) => {
      const signals = [cutting.signal, ...(init?.signal ? [init.signal] : [])];
      return fetch(address, { ...init, signal: AbortSignal.any(signals) });
    },
  });
  await client.connect(transport, { timeout: APPEARS_MS });
  hearProgress(client, heard);
  const cut = (): void => {
    cutting.abort(new Error('the connection was cut'));
    cutting = new AbortController();
  };
  return Object.assign(connected(client, heard), { cut });
}

const standingShape = z.object({
  run: z.object({ phase: z.string(), round: z.number(), waitingFor: z.array(z.string()) }),
  peers: z.array(z.object({ agent: z.string(), generation: z.number() })),
});

/** Waits until a round is open for the agent, or one that follows, or all is over. */
export function untilRound(agent: Connected, round: number): Promise<z.infer<typeof standingShape>> {
  return eventually(
    async () => {
      const standing = standingShape.parse((await agent.call('standing')).value);
      const { phase, round: now } = standing.run;
      return phase === 'over' || (phase === 'open' && now >= round) ? standing : undefined;
    },
    APPEARS_MS,
    () => `round ${round}`,
  );
}

/** The process is there no more. */
export function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}
