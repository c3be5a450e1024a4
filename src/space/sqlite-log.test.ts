import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CorruptLogError, type Log, LogWriteError } from './log.ts';
import { connectForWriting } from './log-connection.ts';
import { describeLog, recordsOf, rowEntry } from './test-log-contract.ts';
import { openSqliteLog } from './sqlite-log.ts';

const READER = fileURLToPath(new URL('./test-fault-writer.ts', import.meta.url));
let folder: string;
const open: Log[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sqlite-log-'));
});
afterEach(async () => {
  for (const log of open.splice(0)) await log.close();
  rmSync(folder, { recursive: true, force: true });
});

async function openLog(mode: 'write' | 'read' = 'write'): Promise<Log> {
  const log = await openSqliteLog(join(folder, 'marks.db'), { mode });
  open.push(log);
  return log;
}

async function filled(count: number): Promise<void> {
  const log = await openLog();
  await log.append(
    0,
    Array.from({ length: count }, (_, i) => rowEntry(`k${i + 1}`, { i })),
  );
  await log.close();
}

function tamper(sql: string): void {
  const db = new DatabaseSync(join(folder, 'marks.db'));
  db.exec(sql);
  db.close();
}

describeLog('the SQLite log', () => openLog());

describe('the SQLite log', () => {
  it('syncs every commit: WAL and synchronous FULL on the connection it writes with', async () => {
    const { db, release } = connectForWriting(join(folder, 'marks.db'));
    expect(db.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
    expect(db.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 });
    await release();
  });

  it('has its records and its head after it is opened again', async () => {
    const log = await openLog();
    await log.append(0, [rowEntry('a'), rowEntry('b')]);
    const head = log.head();
    await log.close();
    const again = await openLog();
    expect(again.head()).toEqual(head);
    expect((await recordsOf(again)).map(({ key }) => key)).toEqual(['a', 'b']);
    expect(await again.append(2, [rowEntry('a')])).toEqual([]);
  });

  it('puts the appends of one turn into one transaction', async () => {
    const log = await openLog();
    await log.append(0, [rowEntry('first')]);
    const wal = join(folder, 'marks.db-wal');
    const before = statSync(wal).size;
    await log.append(1, [rowEntry('one')]);
    const one = statSync(wal).size - before;
    await Promise.all(Array.from({ length: 8 }, (_, i) => log.append(i + 2, [rowEntry(`g${i}`)])));
    // One commit writes each changed page once, however many appends share it.
    expect(statSync(wal).size - before - one).toBeLessThan(3 * one);
  });

  it('refuses a second writer, also in the same process, and says what to do', async () => {
    const first = await openLog();
    const second = openSqliteLog(join(folder, 'marks.db'));
    await expect(second).rejects.toThrow(LogWriteError);
    await expect(second).rejects.toThrow(/open for writing in another process; wait for it or stop it/u);
    await first.append(0, [rowEntry('a')]);
    await first.close();
    const third = await openLog();
    expect(third.head().seq).toBe(1);
  });

  it('can be read beside a live writer, who goes on', async () => {
    const writer = await openLog();
    await writer.append(0, [rowEntry('a')]);
    const reader = await openLog('read');
    expect((await recordsOf(reader)).map(({ key }) => key)).toEqual(['a']);
    await writer.append(1, [rowEntry('b')]);
    expect((await recordsOf(reader)).map(({ key }) => key)).toEqual(['a', 'b']);
    expect(reader.head()).toEqual(writer.head());
    await expect(reader.append(2, [rowEntry('c')])).rejects.toThrow(/reading only/u);
  });

  it('leaves nothing behind in the folder it reads', async () => {
    await filled(3);
    const before = readdirSync(folder);
    const reader = await openLog('read');
    expect(await recordsOf(reader)).toHaveLength(3);
    await reader.close();
    expect(readdirSync(folder)).toEqual(before);
  });

  it('does not make a log by reading one that is not there', async () => {
    await expect(openLog('read')).rejects.toMatchObject({ code: 'ENOENT' });
    expect(readdirSync(folder)).toEqual([]);
  });

  it.each([
    ['a changed body', `UPDATE log SET body = replace(body, '4', '5') WHERE seq = 5`, 5],
    ['a removed record', 'DELETE FROM log WHERE seq = 3', 3],
    [
      'swapped records',
      'UPDATE log SET seq = -2 WHERE seq = 2; UPDATE log SET seq = 2 WHERE seq = 4; UPDATE log SET seq = 4 WHERE seq = -2',
      2,
    ],
  ])('refuses to open with %s and names the record', async (_, sql, seq) => {
    await filled(8);
    tamper(sql);
    for (const mode of ['write', 'read'] as const) {
      const opened = openLog(mode);
      await expect(opened).rejects.toThrow(CorruptLogError);
      await expect(opened).rejects.toMatchObject({ seq });
    }
  });

  it('refuses a file that is not a database, one that is another database, and a folder that is not there', async () => {
    const file = join(folder, 'marks.db');
    writeFileSync(file, 'this is not a database at all, but it is long enough to be asked');
    await expect(openLog()).rejects.toThrow(CorruptLogError);
    rmSync(file);
    tamper('CREATE TABLE other (x)');
    await expect(openLog()).rejects.toThrow(/no table log/u);
    await expect(openSqliteLog(join(folder, 'missing', 'marks.db'))).rejects.toThrow(
      /is its folder there and writable/u,
    );
  });

  it('refuses a log with a trigger in it', async () => {
    await filled(2);
    tamper('CREATE TRIGGER hide AFTER INSERT ON log BEGIN DELETE FROM log WHERE seq = new.seq; END');
    await expect(openLog()).rejects.toThrow(/trigger hide does not belong/u);
  });

  it('opens with every record or not at all, whichever page of its file is overwritten', async () => {
    const records = 1_200;
    await filled(records);
    const file = join(folder, 'marks.db');
    const whole = readFileSync(file);
    const named = new Set<number>();
    let short = 0;
    for (let page = 1; page < whole.length / 4_096; page += 1) {
      writeFileSync(file, Buffer.from(whole).fill(0x5a, page * 4_096, (page + 1) * 4_096));
      const opened = await openLog().catch((error: unknown) => error);
      if (opened instanceof CorruptLogError) named.add(opened.seq);
      else short += open.at(-1)?.head().seq === records ? 0 : 1;
      for (const log of open.splice(0)) await log.close();
    }
    expect(short).toBe(0);
    // Pages of the table name their first record; those of the key index are `verifyLog`'s to find.
    expect(named.size).toBeGreaterThan(20);
    expect(Math.max(...named)).toBeGreaterThan(1_000);
  });

  it.each([
    ['100 000 records of 500 characters', 100_000, 500, 4_000],
    ['64 records of 900 000 characters', 64, 900_000, 4],
  ])('reads %s with a heap of 40 megabytes', { timeout: 120_000 }, async (_, records, chars, perAppend) => {
    const log = await openLog();
    const text = 'x'.repeat(chars);
    for (let at = 0; at < records; at += perAppend)
      await log.append(
        at,
        Array.from({ length: perAppend }, (_unused, i) => rowEntry(`k${at + i}`, text)),
      );
    await log.close();
    const child = spawnSync(process.execPath, ['--max-old-space-size=40', READER, 'count', join(folder, 'marks.db')], {
      encoding: 'utf8',
    });
    expect({ status: child.status, out: child.stdout, errors: child.stderr }).toEqual({
      status: 0,
      out: `readable ${records}\n`,
      errors: '',
    });
  });
});
