import { randomUUID } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import { chainHash } from './chain.ts';
import { GENESIS_HASH, type LogHead } from './log.ts';
import { openPostgresLog } from './postgres-log.ts';
import { recordsOf, rowEntry } from './test-log-contract.ts';
import { runSql, startTestPostgres } from './test-postgres.ts';
import { verifyPostgresLog } from './verify-postgres-log.ts';

const server = await startTestPostgres();
const url = server?.url() ?? '';

let space: string;
const openLog = (): ReturnType<typeof openPostgresLog> => openPostgresLog(url, { space });
const sql = (text: string, values: readonly unknown[]): Promise<void> => runSql(url, text, values);

describe.skipIf(server === undefined)('verifyPostgresLog()', () => {
  const RECORDS = 60;
  let heads: LogHead[];
  beforeEach(async () => {
    space = `s-${randomUUID()}`;
    const log = await openLog();
    await log.append(
      0,
      Array.from({ length: RECORDS }, (_, i) => rowEntry(`key${i + 1}`, { text: `row ${i + 1}` })),
    );
    heads = (await recordsOf(log)).map(({ seq, hash }) => ({ seq, hash }));
    await log.close();
  });

  it('finds nothing in a whole log, with and without anchors, beside a live writer', async () => {
    const writer = await openLog();
    expect(await verifyPostgresLog(url, [], { space })).toEqual({ ok: true, records: RECORDS });
    await writer.append(RECORDS, [rowEntry('more')]);
    const anchors = [{ seq: 0, hash: GENESIS_HASH }, ...heads, writer.head()];
    expect(await verifyPostgresLog(url, anchors, { space })).toEqual({ ok: true, records: RECORDS + 1 });
    await writer.close();
  });

  it.each([
    [
      'a changed body',
      `UPDATE hivemark.log SET body = replace(body, 'row 42', 'row 43') WHERE space = $1 AND seq = 42`,
      42,
    ],
    ['a changed key', `UPDATE hivemark.log SET key = 'other' WHERE space = $1 AND seq = 42`, 42],
    ['a changed hash', `UPDATE hivemark.log SET hash = upper(hash) WHERE space = $1 AND seq = 42`, 42],
    ['a changed previous hash', `UPDATE hivemark.log SET prev = reverse(prev) WHERE space = $1 AND seq = 42`, 42],
    ['a moved record', 'UPDATE hivemark.log SET seq = 1000 WHERE space = $1 AND seq = 42', 42],
    ['a removed record', 'DELETE FROM hivemark.log WHERE space = $1 AND seq = 42', 42],
    ['a removed first record', 'DELETE FROM hivemark.log WHERE space = $1 AND seq = 1', 1],
    ['a removed last record', `DELETE FROM hivemark.log WHERE space = $1 AND seq = ${RECORDS}`, RECORDS],
    [
      'a record before the first',
      `INSERT INTO hivemark.log SELECT space, 0, hash, prev, 'new', 'x', body FROM hivemark.log WHERE space = $1 AND seq = 5`,
      1,
    ],
    [
      'a record behind the last',
      `INSERT INTO hivemark.log SELECT space, ${RECORDS + 1}, hash, prev, 'new', 'x', body FROM hivemark.log WHERE space = $1 AND seq = 5`,
      RECORDS + 1,
    ],
    ['a key that is no longer found', `UPDATE hivemark.log SET key_id = 'gone' WHERE space = $1 AND seq = 42`, 42],
  ])('finds %s and names the record', async (_, change, seq) => {
    await sql(change, [space]);
    expect(await verifyPostgresLog(url, [], { space })).toMatchObject({ ok: false, firstBad: { seq } });
  });

  it('finds a tail cut before the last anchor, and a chain that was made anew', async () => {
    await sql('DELETE FROM hivemark.log WHERE space = $1 AND seq > 40', [space]);
    await sql('UPDATE hivemark.spaces SET seq = 40, hash = $2 WHERE space = $1', [space, heads[39]?.hash]);
    expect(await verifyPostgresLog(url, heads.slice(0, 40), { space })).toEqual({ ok: true, records: 40 });
    expect(await verifyPostgresLog(url, heads, { space })).toEqual({
      ok: false,
      records: 40,
      firstBad: { seq: 41, reason: `missing: the log was anchored at ${RECORDS} and ends at 40` },
    });
    const body = JSON.stringify({ type: 'row', table: 'test', row: 'forged' });
    const hash = chainHash(heads[38]?.hash ?? '', 40, 'key40', body);
    await sql('UPDATE hivemark.log SET body = $2, hash = $3 WHERE space = $1 AND seq = 40', [space, body, hash]);
    await sql('UPDATE hivemark.spaces SET hash = $2 WHERE space = $1', [space, hash]);
    expect(await verifyPostgresLog(url, [], { space })).toEqual({ ok: true, records: 40 });
    expect(await verifyPostgresLog(url, heads, { space })).toMatchObject({
      ok: false,
      records: 39,
      firstBad: { seq: 40 },
    });
  });

  it('answers for a space or server that is not there', async () => {
    expect(await verifyPostgresLog(url, [], { space: 'not-there' })).toMatchObject({
      ok: false,
      firstBad: { seq: 1, reason: 'there is no space not-there' },
    });
    const away = await verifyPostgresLog(`postgres://u:hunter2@127.0.0.1:1/x`, []);
    expect(away.firstBad?.reason).toMatch(/cannot be reached \(ECONNREFUSED\)/u);
    expect(away.firstBad?.reason).not.toContain('hunter2');
  });
});
