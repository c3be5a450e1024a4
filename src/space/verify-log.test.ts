import {
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chainHash } from './chain.ts';
import { GENESIS_HASH, type LogHead } from './log.ts';
import { recordsOf, rowEntry } from './test-log-contract.ts';
import { openSqliteLog } from './sqlite-log.ts';
import { verifyLog } from './verify-log.ts';

const RECORDS = 200;
let folder: string;
let file: string;
let heads: LogHead[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'verify-log-'));
  file = join(folder, 'marks.db');
  const log = await openSqliteLog(file);
  await log.append(
    0,
    Array.from({ length: RECORDS }, (_, i) => rowEntry(`key${i + 1}`, { text: `row ${i + 1}`.repeat(20) })),
  );
  heads = (await recordsOf(log)).map(({ seq, hash }) => ({ seq, hash }));
  await log.close();
});
afterEach(() => {
  rmSync(folder, { recursive: true, force: true });
});

function tamper(change: (db: DatabaseSync) => void): void {
  const db = new DatabaseSync(file);
  change(db);
  db.close();
}

function anchorAt(seq: number): LogHead {
  const head = heads[seq - 1];
  if (head === undefined) throw new Error(`no record ${seq}`);
  return head;
}

describe('verifyLog()', () => {
  it('finds nothing in a whole log, with and without anchors, and writes nothing (S12)', async () => {
    const before = readdirSync(folder).map((name) => [name, readFileSync(join(folder, name)).toString('base64')]);
    expect(await verifyLog(file)).toEqual({ ok: true, records: RECORDS });
    expect(await verifyLog(file, [anchorAt(7), anchorAt(RECORDS), { seq: 0, hash: GENESIS_HASH }])).toEqual({
      ok: true,
      records: RECORDS,
    });
    expect(readdirSync(folder).map((name) => [name, readFileSync(join(folder, name)).toString('base64')])).toEqual(
      before,
    );
  });

  it.each([
    ['body', `UPDATE log SET body = replace(body, 'row 42', 'row 43') WHERE seq = 42`],
    ['body, by one space', `UPDATE log SET body = body || ' ' WHERE seq = 42`],
    ['body, behind a NUL', `UPDATE log SET body = body || char(0) || 'x' WHERE seq = 42`],
    ['type of the body', 'UPDATE log SET body = CAST(body AS BLOB) WHERE seq = 42'],
    ['key', `UPDATE log SET key = 'other' WHERE seq = 42`],
    ['hash', `UPDATE log SET hash = '${'1'.repeat(64)}' WHERE seq = 42`],
    ['prev', `UPDATE log SET prev = '${'1'.repeat(64)}' WHERE seq = 42`],
    ['letter case of the hash', 'UPDATE log SET hash = upper(hash) WHERE seq = 42'],
    ['position', 'UPDATE log SET seq = 1000 WHERE seq = 42'],
  ])('finds a changed %s and names the record (S12)', async (_, sql) => {
    tamper((db) => db.exec(sql));
    expect(await verifyLog(file, [anchorAt(RECORDS)])).toMatchObject({ ok: false, records: 41, firstBad: { seq: 42 } });
  });

  it('names the first of several (S12)', async () => {
    tamper((db) => db.exec(`UPDATE log SET body = 'x' WHERE seq IN (150, 60, 199)`));
    expect((await verifyLog(file)).firstBad?.seq).toBe(60);
  });

  it.each([
    ['removed', 'DELETE FROM log WHERE seq = 80', 80],
    [
      'removed and closed up',
      'DELETE FROM log WHERE seq = 80; UPDATE log SET seq = -(seq - 1) WHERE seq > 80; UPDATE log SET seq = -seq WHERE seq < 0',
      80,
    ],
    ['removed at the very start', 'DELETE FROM log WHERE seq = 1', 1],
    [
      'swapped',
      'UPDATE log SET seq = -1 WHERE seq = 90; UPDATE log SET seq = 90 WHERE seq = 91; UPDATE log SET seq = 91 WHERE seq = -1',
      90,
    ],
    ['inserted before the first', `INSERT INTO log SELECT 0, hash, prev, 'new', body FROM log WHERE seq = 5`, 1],
    [
      'inserted at the end',
      `INSERT INTO log SELECT ${RECORDS + 1}, hash, prev, 'new', body FROM log WHERE seq = 5`,
      RECORDS + 1,
    ],
  ])('finds a record %s (S12)', async (_, sql, seq) => {
    tamper((db) => db.exec(sql));
    expect(await verifyLog(file)).toMatchObject({ ok: false, firstBad: { seq } });
  });

  it('finds a tail cut before the last anchor, and only that', async () => {
    tamper((db) => db.exec('DELETE FROM log WHERE seq > 120'));
    expect(await verifyLog(file)).toEqual({ ok: true, records: 120 });
    expect(await verifyLog(file, [anchorAt(120)])).toEqual({ ok: true, records: 120 });
    expect(await verifyLog(file, [anchorAt(10), anchorAt(RECORDS)])).toMatchObject({
      ok: false,
      records: 120,
      firstBad: { seq: 121, reason: `missing: the log was anchored at ${RECORDS} and ends at 120` },
    });
  });

  it('finds a chain that was made anew from some record on, by the first anchor after it', async () => {
    tamper((db) => {
      let prev = anchorAt(99).hash;
      for (let seq = 100; seq <= RECORDS; seq += 1) {
        const body = JSON.stringify({ type: 'row', table: 'test', row: 'forged' });
        const hash = chainHash(prev, seq, `key${seq}`, body);
        db.prepare('UPDATE log SET prev = ?, hash = ?, body = ? WHERE seq = ?').run(prev, hash, body, seq);
        prev = hash;
      }
    });
    expect(await verifyLog(file)).toEqual({ ok: true, records: RECORDS });
    expect(await verifyLog(file, [anchorAt(99), anchorAt(100), anchorAt(RECORDS)])).toMatchObject({
      ok: false,
      records: 99,
      firstBad: { seq: 100 },
    });
  });

  it.each([
    ['is not there', () => rmSync(file), /no such file/u],
    ['is not SQLite', () => writeFileSync(file, 'some other text'.repeat(500)), /not a database/u],
    ['is empty', () => writeFileSync(file, ''), /no table log/u],
    ['lacks the table', () => tamper((db) => db.exec('DROP TABLE log')), /no table log/u],
    [
      'has a view in the place of the table',
      () => tamper((db) => db.exec('ALTER TABLE log RENAME TO l2; CREATE VIEW log AS SELECT * FROM l2')),
      /no table log/u,
    ],
    ['has another column', () => tamper((db) => db.exec('ALTER TABLE log ADD COLUMN note TEXT')), /columns/u],
    [
      'has a trigger',
      () => tamper((db) => db.exec('CREATE TRIGGER t AFTER INSERT ON log BEGIN SELECT 1; END')),
      /trigger/u,
    ],
  ])('answers clearly for a file that %s', async (_, damage, reason) => {
    damage();
    const result = await verifyLog(file, [anchorAt(RECORDS)]);
    expect(result).toMatchObject({ ok: false, records: 0, firstBad: { seq: 1 } });
    expect(result.firstBad?.reason).toMatch(reason);
    expect(result.firstBad?.reason).not.toContain(folder);
  });

  it('answers for a truncated file and for overwritten pages, whichever they are', async () => {
    const whole = join(folder, 'whole');
    copyFileSync(file, whole);
    const size = readFileSync(whole).length;
    for (let at = 1; at < size; at += 4096) {
      copyFileSync(whole, file);
      truncateSync(file, at);
      expect(await verifyLog(file), `cut at ${at}`).toMatchObject({ ok: false });
    }
    for (let page = 0; page < size / 4096; page += 1) {
      copyFileSync(whole, file);
      const handle = openSync(file, 'r+');
      writeSync(handle, Buffer.alloc(4096, 0x5a), 0, 4096, page * 4096);
      closeSync(handle);
      const result = await verifyLog(file, [anchorAt(RECORDS)]);
      expect(typeof result.ok, `page ${page}`).toBe('boolean');
      // The chain and the key index cover every page in use; what was hit must be found.
      expect(result.ok, `page ${page}`).toBe(false);
    }
  });

  it('reads beside a live writer, and what a killed one left in its write-ahead log, also copied without shared memory', async () => {
    const writer = await openSqliteLog(file);
    await writer.append(RECORDS, [rowEntry('live')]);
    expect(await verifyLog(file, [writer.head()])).toEqual({ ok: true, records: RECORDS + 1 });
    const copied = join(folder, 'copy.db');
    copyFileSync(file, copied);
    copyFileSync(`${file}-wal`, `${copied}-wal`);
    const names = readdirSync(folder);
    expect(await verifyLog(copied)).toEqual({ ok: true, records: RECORDS + 1 });
    expect(readdirSync(folder)).toEqual(names);
    await writer.close();
  });
});
