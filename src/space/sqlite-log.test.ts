import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CorruptLogError, type Log, LogWriteError } from './log.ts';
import { connectForWriting } from './log-connection.ts';
import { describeLog, recordsOf, rowEntry } from './test-log-contract.ts';
import { openSqliteLog } from './sqlite-log.ts';

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
});
