import { type ChildProcessWithoutNullStreams, execFileSync, spawn, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Log, LogWriteError } from './log.ts';
import { recordsOf, rowEntry } from './test-log-contract.ts';
import { openSqliteLog } from './sqlite-log.ts';
import { verifyLog } from './verify-log.ts';

const WRITER = fileURLToPath(new URL('./test-fault-writer.ts', import.meta.url));
const ROUNDS = 8;
/** Of one group commit, in which all of the child's writers take part. */
const WRITERS = 8;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'log-faults-'));
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** The lines a child has written in full; calls `onLine` for each as it comes. */
function linesOf(child: ChildProcessWithoutNullStreams, onLine: (line: string, count: number) => void): string[] {
  const lines: string[] = [];
  let rest = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n');
    rest = parts.pop() ?? '';
    for (const line of parts) onLine(line, lines.push(line));
  });
  return lines;
}

/** Lets a writer write, kills it `delayMs` after the second group commit began to be acknowledged, and returns what it acknowledged. */
async function killedRound(mode: 'log' | 'early', file: string, round: number, delayMs: number): Promise<string[]> {
  const child = spawn(process.execPath, [WRITER, mode, file, String(round)]);
  const lines = linesOf(child, (_, count) => {
    if (count === WRITERS + 1) setTimeout(() => child.kill('SIGKILL'), delayMs);
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (errors += chunk));
  const signal = await new Promise((resolve) => child.once('close', (_code, by) => resolve(by)));
  expect({ signal, errors }).toEqual({ signal: 'SIGKILL', errors: '' });
  return lines;
}

/** Appends until the disk is full, and returns what the append that failed said. */
async function appendUntilFailure(log: Log): Promise<unknown> {
  for (let i = 0; i < 100; i += 1) {
    try {
      await log.append(log.head().seq, [rowEntry(`k${i}`, 'x'.repeat(40_000))]);
    } catch (error) {
      return error;
    }
  }
  return undefined;
}

async function storedKeys(file: string): Promise<string[]> {
  const log = await openSqliteLog(file);
  const keys = (await recordsOf(log)).map(({ key }) => key);
  await log.close();
  return keys;
}

describe('kill -9 during group commit', () => {
  it(`loses nothing acknowledged and doubles nothing, over ${ROUNDS} rounds of 8 writers`, async () => {
    const file = join(folder, 'marks.db');
    const acknowledged: string[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      acknowledged.push(...(await killedRound('log', file, round, 5 + Math.random() * 60)));
      const stored = await storedKeys(file);
      const there = new Set(stored);
      expect(acknowledged.filter((key) => !there.has(key))).toEqual([]);
      expect(there.size).toBe(stored.length);
      expect(await verifyLog(file)).toEqual({ ok: true, records: stored.length });
    }
    expect(acknowledged.length).toBeGreaterThan(ROUNDS * WRITERS);
  }, 120_000);

  it('would be caught losing: a writer that acknowledges before the commit does lose', async () => {
    const file = join(folder, 'marks.db');
    let lost = 0;
    for (let round = 0; round < 20 && lost === 0; round += 1) {
      const acknowledged = await killedRound('early', file, round, 5 + Math.random() * 30);
      const there = new Set(await storedKeys(file));
      lost += acknowledged.filter((key) => !there.has(key)).length;
    }
    expect(lost).toBeGreaterThan(0);
  }, 120_000);
});

const canTrace = spawnSync('strace', ['-f', '-e', 'trace=fsync', process.execPath, '-e', '0']).status === 0;

describe('the order of write, sync and acknowledge', () => {
  it.skipIf(!canTrace)(
    'every acknowledgement comes after a sync that follows the last write to the write-ahead log',
    async () => {
      const trace = join(folder, 'trace');
      const args = ['-f', '-y', '-s', '12', '-e', 'trace=fsync,fdatasync,pwrite64,write', '-o', trace];
      const child = spawn('strace', [...args, process.execPath, WRITER, 'log', join(folder, 'marks.db')], {
        detached: true,
      });
      linesOf(child, (_, count) => {
        if (count === 40 && child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
      });
      await new Promise((resolve) => child.once('close', resolve));
      let unsynced = false;
      let acknowledged = 0;
      const early: string[] = [];
      const calls = readFileSync(trace, 'utf8').split('\n');
      for (const call of calls) {
        if (/pwrite64\(\d+<[^>]*-wal>/u.test(call)) unsynced = true;
        else if (/f(?:data)?sync(?:\(\d+<[^>]*-wal>| resumed>)\) += 0/u.test(call)) unsynced = false;
        else if (/write\(1<[^>]*>, "r0-w/u.test(call)) {
          acknowledged += 1;
          if (unsynced) early.push(call);
        }
      }
      expect(early).toEqual([]);
      expect(acknowledged).toBeGreaterThan(30);
      expect(calls.some((call) => /f(?:data)?sync\(\d+<[^>]*-wal>\)/u.test(call))).toBe(true);
    },
  );
});

const FILE_LIMIT = 600_000;
const canLimit = spawnSync('prlimit', ['--version']).status === 0;

describe('running out of room', () => {
  it.skipIf(!canLimit)(
    'a file-size limit fails the append; the log can be read, and written once the limit is gone',
    async () => {
      const file = join(folder, 'marks.db');
      const child = spawn('prlimit', [`--fsize=${FILE_LIMIT}:unlimited`, process.execPath, WRITER, 'fill', file]);
      const lines = linesOf(child, (line) => {
        if (!line.startsWith('failed')) return;
        execFileSync('prlimit', ['--pid', String(child.pid), '--fsize=unlimited:unlimited']);
        child.stdin.write('go\n');
      });
      const code = await new Promise((resolve) => child.once('close', resolve));
      expect(code).toBe(0);
      const acknowledged = lines.filter((line) => line.startsWith('before-')).length;
      const failure = /^failed (\d+) readable (\d+)$/u.exec(lines.find((line) => line.startsWith('failed')) ?? '');
      // The fault fired: SQLite's primary code is I/O error or full.
      expect([10, 13]).toContain(Number(failure?.[1]) & 0xff);
      expect(acknowledged).toBeGreaterThan(2);
      expect(Number(failure?.[2])).toBe(acknowledged);
      expect(lines.at(-1)).toBe(`readable ${acknowledged + 1}`);
      expect(await verifyLog(file)).toEqual({ ok: true, records: acknowledged + 1 });
    },
  );

  it('a full disk fails the append; the log can be read, and written once there is room', async (context) => {
    const disk = join(folder, 'disk');
    mkdirSync(disk);
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk]).status !== 0)
      context.skip('needs the right to mount');
    try {
      const ballast = join(disk, 'ballast');
      writeFileSync(ballast, Buffer.alloc(400_000));
      const log = await openSqliteLog(join(disk, 'marks.db'));
      const failure = await appendUntilFailure(log);
      expect(failure).toBeInstanceOf(LogWriteError);
      expect(failure).toMatchObject({ cause: { errstr: 'database or disk is full' } });
      const { seq } = log.head();
      expect(seq).toBeGreaterThan(2);
      expect(await recordsOf(log)).toHaveLength(seq);
      rmSync(ballast);
      await log.append(seq, [rowEntry('after', 'x'.repeat(40_000))]);
      expect(await recordsOf(log)).toHaveLength(seq + 1);
      await log.close();
      expect(await verifyLog(join(disk, 'marks.db'))).toEqual({ ok: true, records: seq + 1 });
    } finally {
      spawnSync('umount', [disk]);
    }
  });
});
