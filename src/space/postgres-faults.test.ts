import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openPostgresLog } from './postgres-log.ts';
import { FaultProxy } from './test-fault-proxy.ts';
import { recordsOf, rowEntry } from './test-log-contract.ts';
import { startTestPostgres } from './test-postgres.ts';
import { verifyPostgresLog } from './verify-postgres-log.ts';

const server = await startTestPostgres();
const WRITER = fileURLToPath(new URL('./test-postgres-writer.ts', import.meta.url));
const LONG = 90_000;

let space: string;
let proxy: FaultProxy;
const writers: Writer[] = [];

interface Writer {
  readonly child: ChildProcessWithoutNullStreams;
  readonly acknowledged: string[];
  readonly ended: Promise<{ readonly code: number | null; readonly signal: string | null; readonly errors: string }>;
}

function startWriter(mode: string, name: string, url: string): Writer {
  const child = spawn(process.execPath, [WRITER, mode, url, space, name]);
  const acknowledged: string[] = [];
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    acknowledged.push(...parts);
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk));
  const ended = new Promise<Awaited<Writer['ended']>>((resolve) =>
    child.once('close', (code, signal) => resolve({ code, signal, errors })),
  );
  const writer = { child, acknowledged, ended };
  writers.push(writer);
  return writer;
}

/** Lets a writer finish what it is at. */
async function stopWriter({ child, ended }: Writer): Promise<void> {
  child.stdin.write('stop\n');
  expect(await ended).toEqual({ code: 0, signal: null, errors: '' });
}

async function untilMore(writer: Writer, than = writer.acknowledged.length): Promise<void> {
  const { child, acknowledged, ended } = writer;
  while (acknowledged.length <= than && child.exitCode === null && child.signalCode === null) await sleep(5);
  if (acknowledged.length <= than) throw new Error(`a writer ended: ${JSON.stringify(await ended)}`);
}

/** What of the acknowledged is not stored, and what is stored twice, under whatever keys. */
async function damage(acknowledged: readonly string[]): Promise<{ lost: number; doubled: number; stored: number }> {
  const log = await openPostgresLog(server?.url() ?? '', { space, mode: 'read' });
  const ids = (await recordsOf(log)).map(({ body }) =>
    JSON.stringify(body.type === 'row' && Reflect.get(Object(body.row), 'id')),
  );
  await log.close();
  const there = new Set(ids);
  const lost = acknowledged.filter((id) => !there.has(JSON.stringify(id))).length;
  return { lost, doubled: ids.length - there.size, stored: ids.length };
}

async function expectWhole(all: readonly Writer[]): Promise<void> {
  const acknowledged = all.flatMap((writer) => writer.acknowledged);
  const { lost, doubled, stored } = await damage(acknowledged);
  expect({ lost, doubled }).toEqual({ lost: 0, doubled: 0 });
  expect(stored).toBeGreaterThanOrEqual(acknowledged.length);
  expect(await verifyPostgresLog(server?.url() ?? '', [], { space })).toEqual({ ok: true, records: stored });
}

describe.skipIf(server === undefined)('two processes write to one space', () => {
  beforeEach(async () => {
    space = `s-${randomUUID()}`;
    proxy = await FaultProxy.start(server?.port ?? 0);
  });
  afterEach(async () => {
    for (const { child } of writers.splice(0)) child.kill('SIGKILL');
    await proxy.stop();
  });

  /** Two writers through the proxy; `fault` strikes again and again while they write; each must go on after every strike. */
  async function struck(strikes: number, fault: () => Promise<void>, mode = 'log'): Promise<Writer[]> {
    const url = server?.url(proxy.port) ?? '';
    const pair = ['a', 'b'].map((name) => startWriter(mode, name, url));
    for (const writer of pair) await untilMore(writer, 0);
    for (let i = 0; i < strikes; i += 1) {
      await fault();
      for (const writer of pair) await untilMore(writer);
    }
    for (const writer of pair) await stopWriter(writer);
    return pair;
  }

  async function dropCommit(): Promise<void> {
    const before = proxy.droppedCommits;
    proxy.set('drop-commits');
    while (proxy.droppedCommits === before) await sleep(1);
    proxy.set('none');
  }

  it('connections reset in the middle: nothing acknowledged is lost, nothing doubled', { timeout: LONG }, async () => {
    const pair = await struck(12, async () => {
      await sleep(20 + Math.random() * 60);
      // Whoever is still on its way back from the last strike.
      while (proxy.connections < 2) await sleep(1);
      proxy.resetAll();
    });
    expect(proxy.resets).toBeGreaterThanOrEqual(24);
    await expectWhole(pair);
  });

  it('replies dropped after the server committed: the client finds out that it had', { timeout: LONG }, async () => {
    const pair = await struck(10, dropCommit);
    // The fault fired: commits that nobody heard of.
    expect(proxy.droppedCommits).toBeGreaterThanOrEqual(10);
    await expectWhole(pair);
  });

  it('acknowledges, rather than refuses, what the server committed and could not say', async () => {
    const log = await openPostgresLog(server?.url(proxy.port) ?? '', { space });
    await log.append(0, [rowEntry('a')]);
    const [appended] = await Promise.all([log.append(1, [rowEntry('b'), rowEntry('c')]), dropCommit()]);
    expect(proxy.droppedCommits).toBe(1);
    expect(appended.map(({ seq, key }) => `${seq}${key}`)).toEqual(['2b', '3c']);
    await log.append(3, [rowEntry('d')]);
    expect((await recordsOf(log)).map(({ key }) => key)).toEqual(['a', 'b', 'c', 'd']);
    await log.close();
  });

  it('would be caught doubling: repeating an unknown outcome under new keys does double', {
    timeout: LONG,
  }, async () => {
    const pair = await struck(6, dropCommit, 'new-keys');
    expect(proxy.droppedCommits).toBeGreaterThanOrEqual(6);
    const { doubled } = await damage(pair.flatMap(({ acknowledged }) => acknowledged));
    expect(doubled).toBeGreaterThan(0);
  });

  it('a black hole is noticed and left', { timeout: LONG }, async () => {
    const pair = await struck(2, async () => {
      const before = proxy.swallowed;
      proxy.set('black-hole');
      await sleep(2_500);
      while (proxy.swallowed < before + 2) await sleep(5);
      proxy.set('none');
    });
    expect(proxy.swallowed).toBeGreaterThanOrEqual(4);
    await expectWhole(pair);
  });

  it('the server is killed and started again', { timeout: LONG }, async () => {
    const pair = await struck(2, async () => {
      await server?.crash();
      await expect(openPostgresLog(server?.url() ?? '', { space })).rejects.toThrow(/cannot be reached/u);
      await sleep(300);
      await server?.start();
    });
    await expectWhole(pair);
  });

  it('kill -9 of one and of the other, in turns, while its peer goes on', { timeout: LONG }, async () => {
    const url = server?.url() ?? '';
    const all: Writer[] = [];
    let [a, b] = [startWriter('log', 'a', url), startWriter('log', 'b', url)];
    for (let round = 0; round < 6; round += 1) {
      all.push(a);
      await untilMore(a, 0);
      await untilMore(b, 0);
      await sleep(Math.random() * 60);
      a.child.kill('SIGKILL');
      expect((await a.ended).signal).toBe('SIGKILL');
      await untilMore(b);
      [a, b] = [b, startWriter('log', `r${round}`, url)];
    }
    for (const writer of [a, b]) {
      await untilMore(writer, 0);
      await stopWriter(writer);
    }
    await expectWhole([...all, a, b]);
  });

  it('would be caught losing: a writer that acknowledges before the commit does lose', { timeout: LONG }, async () => {
    const writer = startWriter('early', 'e', server?.url(proxy.port) ?? '');
    await untilMore(writer, 0);
    // Killed while what it acknowledged last is on its way.
    proxy.set('swallow-requests');
    while (proxy.swallowed === 0) await sleep(1);
    writer.child.kill('SIGKILL');
    await writer.ended;
    expect((await damage(writer.acknowledged)).lost).toBeGreaterThan(0);
  });

  it('neither starves the other, and both see one order', { timeout: LONG }, async () => {
    const url = server?.url() ?? '';
    const watcher = await openPostgresLog(url, { space });
    const heard: number[] = [];
    watcher.watch?.((seq) => heard.push(seq));
    const pair = ['a', 'b'].map((name) => startWriter('log', name, url));
    for (const writer of pair) await untilMore(writer, 0);
    const before = pair.map(({ acknowledged }) => acknowledged.length);
    await sleep(2_000);
    // Until the slower has done so much that a pause of its process is not taken for starving.
    for (const [i, writer] of pair.entries()) await untilMore(writer, (before[i] ?? 0) + 4_000);
    const gained = pair.map(({ acknowledged }, i) => acknowledged.length - (before[i] ?? 0));
    for (const writer of pair) await stopWriter(writer);
    expect(Math.min(...gained)).toBeGreaterThan(Math.max(...gained) / 10);
    await expectWhole(pair);
    // Heard, before it is read from the log itself.
    const stored = pair.reduce((sum, { acknowledged }) => sum + acknowledged.length, 0);
    await expect.poll(() => heard.at(-1), { timeout: 20_000 }).toBe(stored);
    expect(heard.length).toBeGreaterThan(1);
    expect(heard).toEqual([...heard].sort((x, y) => x - y));
    const records = await recordsOf(watcher);
    expect(heard.at(-1)).toBe(records.length);
    await watcher.close();
  });

  it('a lost listening connection is made again, and what was missed is told', { timeout: LONG }, async () => {
    const reader = await openPostgresLog(server?.url(proxy.port) ?? '', { space, statementTimeoutMs: 2_000 });
    const writer = await openPostgresLog(server?.url() ?? '', { space });
    const heard: number[] = [];
    const unwatch = reader.watch?.((seq) => heard.push(seq));
    const until = async (seq: number): Promise<void> => {
      while (heard.at(-1) !== seq) await sleep(5);
    };
    await writer.append(0, [rowEntry('a')]);
    await until(1);
    proxy.resetAll();
    await writer.append(1, [rowEntry('b'), rowEntry('c')]);
    await until(3);
    proxy.set('black-hole');
    await writer.append(3, [rowEntry('d')]);
    await sleep(200);
    expect(heard.at(-1)).toBe(3);
    proxy.set('none');
    await until(4);
    expect((await recordsOf(reader, 4)).map(({ key }) => key)).toEqual(['d']);
    unwatch?.();
    await writer.append(4, [rowEntry('e')]);
    await sleep(100);
    expect(heard.at(-1)).toBe(4);
    await Promise.all([reader.close(), writer.close()]);
  });

  it('gives up in bounded time when the server stays away, and says that nothing is known', {
    timeout: LONG,
  }, async () => {
    const log = await openPostgresLog(server?.url(proxy.port) ?? '', {
      space,
      statementTimeoutMs: 2_000,
      giveUpAfterMs: 1_000,
    });
    await log.append(0, [rowEntry('a')]);
    proxy.set('black-hole');
    const started = performance.now();
    await expect(log.append(1, [rowEntry('b')])).rejects.toMatchObject({
      code: 'log-write',
      message: expect.stringMatching(/could not be written: .*; whether this append counts is seen when/u),
    });
    // Three seconds, the server's share and ours; without being told it would be thirty.
    expect(performance.now() - started).toBeLessThan(15_000);
    expect(proxy.swallowed).toBeGreaterThan(0);
    proxy.set('none');
    await log.append(1, [rowEntry('b')]);
    expect((await recordsOf(log)).map(({ key }) => key)).toEqual(['a', 'b']);
    await log.close();
  });

  it('an append that counts though it was given up makes stale what was decided without it', {
    timeout: LONG,
  }, async () => {
    const log = await openPostgresLog(server?.url(proxy.port) ?? '', {
      space,
      statementTimeoutMs: 2_000,
      connectTimeoutMs: 2_000,
      giveUpAfterMs: 1_000,
    });
    proxy.set('last-commit');
    await expect(log.append(0, [rowEntry('a')])).rejects.toMatchObject({ code: 'log-write' });
    expect(proxy.droppedCommits).toBe(1);
    proxy.set('none');
    // The second follows the first, in whose place there is another.
    const pair = await Promise.allSettled([log.append(0, [rowEntry('b')]), log.append(1, [rowEntry('c')])]);
    for (const append of pair) expect(append).toMatchObject({ reason: { code: 'stale-append', actualSeq: 1 } });
    await log.append(1, [rowEntry('d')]);
    expect((await recordsOf(log)).map(({ key }) => key)).toEqual(['a', 'd']);
    await log.close();
  });
});
