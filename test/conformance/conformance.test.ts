import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type HttpServer, startHttpServer } from '../../src/mcp/http-server.ts';
import { participantServer } from '../../src/mcp/participant-server.ts';
import { openTestSeat } from '../../src/mcp/test-seat.ts';

const EXPECTED = join(import.meta.dirname, 'expected-failures.yml');
const SUITE_MS = 120_000;
const PROGRAM = join(
  dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json')),
  'dist/index.js',
);

let folder: string;
let server: HttpServer;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'conformance-'));
  const { seat } = await openTestSeat();
  server = await startHttpServer({
    port: 0,
    authenticate: undefined,
    mounts: [
      { path: '/mcp', open: () => Promise.resolve(participantServer(seat, { conformance: true })) },
      { path: '/bare', open: () => Promise.resolve(participantServer(seat)) },
    ],
  });
});

afterAll(async () => {
  await server.close(0);
  rmSync(folder, { recursive: true, force: true });
});

/** Runs the official command line. */
async function conformance(
  ...args: readonly string[]
): Promise<{ readonly out: string; readonly exitCode: number | null }> {
  const child = spawn(process.execPath, [PROGRAM, ...args], {
    cwd: folder,
    env: { PATH: process.env['PATH'], HOME: folder, NO_COLOR: '1' },
    stdio: ['ignore', 'pipe', 'inherit'],
    timeout: SUITE_MS,
    killSignal: 'SIGKILL',
  });
  const exited = new Promise<number | null>((resolve) => child.once('close', resolve));
  return { out: await text(child.stdout), exitCode: await exited };
}

function suite(mount: string, ...options: readonly string[]): ReturnType<typeof conformance> {
  return conformance('server', '--url', `${server.url}${mount}`, '--output-dir', join(folder, 'results'), ...options);
}

describe('the official conformance suite', () => {
  test('passes in every server scenario but those that are listed with a reason, and no entry is stale', {
    timeout: SUITE_MS,
  }, async () => {
    const listed = (await conformance('list', '--server')).out.match(/^ {2}- [\w-]+/gmu) ?? [];
    const { out, exitCode } = await suite('/mcp', '--suite', 'all', '--expected-failures', EXPECTED);
    const ran = [...out.matchAll(/^[✓✗~] ([\w-]+): \d+ passed, (\d+) failed/gmu)];
    expect(new Set(ran.map(([, scenario]) => scenario))).toEqual(new Set(listed.map((line) => line.slice(4))));
    expect(ran.length).toBeGreaterThanOrEqual(32);
    expect(ran.filter(([, , failed]) => failed !== '0')).toEqual([]);
    expect(exitCode, out.slice(out.indexOf('=== SUMMARY'))).toBe(0);
  });

  test('catches a server without its fixtures', { timeout: SUITE_MS }, async () => {
    expect((await suite('/bare', '--scenario', 'tools-call-simple-text')).exitCode).toBe(1);
    expect((await suite('/bare', '--scenario', 'tools-list')).exitCode).toBe(0);
  });

  test('catches an entry that passes', { timeout: SUITE_MS }, async () => {
    const stale = join(folder, 'stale.yml');
    writeFileSync(stale, 'server:\n  - ping\n');
    const { out, exitCode } = await suite('/mcp', '--scenario', 'ping', '--expected-failures', stale);
    expect(out).toContain('Stale baseline entries');
    expect(exitCode).toBe(1);
  });

  test('has a reason for every entry', () => {
    const entries = readFileSync(EXPECTED, 'utf8').match(/^ {2}- .*$/gmu) ?? [];
    expect(entries.filter((line) => !/^ {2}- [\w-]+ # .{20,}$/u.test(line))).toEqual([]);
  });
});

test('a client of the version that knows polling gets its answer though the stream is closed in the middle of the call', async () => {
  const client = new Client({ name: 'test-client', version: '1' });
  const closed: string[] = [];
  const transport = new StreamableHTTPClientTransport(new URL(`${server.url}/mcp`), {
    async fetch(url, init) {
      const answer = await fetch(url, init);
      if (init?.method === 'GET' && new Headers(init.headers).has('last-event-id')) closed.push('resumed');
      return answer;
    },
  });
  await client.connect(transport);
  expect(await client.callTool({ name: 'test_reconnection' })).toMatchObject({
    content: [{ type: 'text', text: 'Reconnected and got the answer.' }],
  });
  expect(closed).toEqual(['resumed']);
  await client.close();
});
