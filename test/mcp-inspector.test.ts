import { execFile } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import {
  CLI,
  connectHttp,
  makeToken,
  mixedConfig,
  newPlace,
  type Place,
  startServer,
  untilRound,
} from './mcp-process.ts';

/** The official inspector, whose code is nobody's here, as its command line. */
const INSPECTOR = join(
  dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/inspector/package.json')),
  'clients/launcher/build/index.js',
);
const INSPECTOR_MS = 60_000;

let place: Place;
let host: Awaited<ReturnType<typeof startServer>>;
let config: string;

beforeAll(async () => {
  place = await newPlace();
  const experiment = await place.file('mixed.yaml', mixedConfig({}));
  host = await startServer(['mcp', '--experiment', experiment, '--http', '127.0.0.1:0', '--out', place.out], place);
  const token = await makeToken(place, 'me');
  const me = await connectHttp(host.url, token);
  await untilRound(me, 1);
  await me.close();
  const servers = {
    http: { type: 'streamable-http', url: host.url, headers: { Authorization: `Bearer ${token}` } },
    stdio: {
      type: 'stdio',
      command: process.execPath,
      args: [...CLI, 'mcp', '--experiment', host.url, '--agent', 'me'],
      env: { ...place.env, HIVEMARK_TOKEN: token },
    },
    stranger: { type: 'streamable-http', url: host.url, headers: { Authorization: 'Bearer hma_nonsense' } },
  };
  config = await place.file('inspector.json', JSON.stringify({ mcpServers: servers }));
}, 90_000);
afterAll(() => host.kill('SIGKILL'));

interface Inspected {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function inspect(server: string, ...args: readonly string[]): Promise<Inspected> {
  const { PATH = '' } = place.env;
  const all = [INSPECTOR, '--cli', '--config', config, '--server', server, ...args];
  try {
    const done = await promisify(execFile)(process.execPath, all, {
      cwd: place.dir,
      env: { PATH, HOME: place.dir, NO_COLOR: '1', MCP_INSPECTOR_SECRET_STORE: 'memory' },
      timeout: INSPECTOR_MS,
      killSignal: 'SIGKILL',
    });
    return { code: 0, ...done };
  } catch (error) {
    const failed = z.object({ code: z.number(), stdout: z.string(), stderr: z.string() }).safeParse(error);
    if (!failed.success) throw error;
    return failed.data;
  }
}

async function answerOf(server: string, ...args: readonly string[]): Promise<Record<string, unknown>> {
  const { code, stdout, stderr } = await inspect(server, ...args);
  if (code !== 0) throw new Error(`the inspector ended with ${code}: ${stderr}${stdout}`);
  return z.record(z.string(), z.unknown()).parse(JSON.parse(stdout));
}

describe.each([
  ['http', 'Streamable HTTP'],
  ['stdio', 'stdio'],
])('the official inspector over %s, with a token', (server) => {
  it('lists the tools, whose schemas it finds portable', async () => {
    const { tools } = await answerOf(server, '--method', 'tools/list', '--strict');
    const names = z
      .array(z.object({ name: z.string() }))
      .parse(tools)
      .map(({ name }) => name);
    for (const name of ['view', 'create', 'submit', 'read_strategy', 'write_need']) expect(names).toContain(name);
  }, 60_000);

  it('calls a tool with arguments', async () => {
    const call = ['--method', 'tools/call', '--tool-name', 'view', '--tool-arg', 'path=task_agent.ts'];
    const { content, structuredContent, isError } = await answerOf(server, ...call, 'view_range=[1, 2]');
    expect(isError ?? false).toBe(false);
    expect(content).toMatchObject([{ type: 'text', text: expect.stringMatching(/^ +1\t.*\n +2\t/u) }]);
    expect(structuredContent).toMatchObject({ wrote: [] });
  }, 60_000);

  it('is refused what may not be done, with a reason', async () => {
    const call = ['--method', 'tools/call', '--tool-name', 'create', '--tool-arg', 'path=README.md', 'file_text=x'];
    const { code, stdout } = await inspect(server, ...call);
    expect(stdout).toContain('not-editable');
    expect(JSON.parse(stdout)).toMatchObject({ isError: true });
    // It tells a tool's error by its exit code.
    expect(code).not.toBe(0);
  }, 60_000);

  it('lists and reads resources', async () => {
    const { resources } = await answerOf(server, '--method', 'resources/list');
    const uris = z
      .array(z.object({ uri: z.string() }))
      .parse(resources)
      .map(({ uri }) => uri);
    expect(uris).toEqual(expect.arrayContaining(['hivemark://standing', 'hivemark://files/task_agent.ts']));
    const { contents } = await answerOf(
      server,
      '--method',
      'resources/read',
      '--uri',
      'hivemark://files/task_agent.ts',
    );
    expect(contents).toMatchObject([{ mimeType: 'text/typescript', text: expect.stringContaining('forward') }]);
  }, 60_000);

  it('gets the prompt', async () => {
    const { messages } = await answerOf(server, '--method', 'prompts/get', '--prompt-name', 'task');
    expect(JSON.stringify(messages)).toContain('sin(x)');
  }, 60_000);
});

it('the official inspector without a good token is let in by neither transport', async () => {
  const { code, stdout, stderr } = await inspect('stranger', '--stored-auth-only', '--method', 'tools/list');
  expect([code === 0, stdout]).toEqual([false, '']);
  expect(stderr).toMatch(/auth_required|401|unknown/u);
  const bridged = await inspect('stdio', '-e', 'HIVEMARK_TOKEN=hma_nonsense', '--method', 'tools/list');
  expect([bridged.code === 0, bridged.stdout]).toEqual([false, '']);
  expect(bridged.stderr).toContain('the token is unknown here; hivemark token <agent> makes one');
}, 60_000);
