import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from 'pg';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CorruptLogError, type Log, LogUnavailableError, LogWriteError, StaleAppendError } from './log.ts';
import { openPostgresLog, type PostgresLogOptions } from './postgres-log.ts';
import { describeLog, recordsOf, rowEntry } from './test-log-contract.ts';
import { runSql, startTestPostgres, TEST_PASSWORD } from './test-postgres.ts';

const server = await startTestPostgres();
const url = server?.url() ?? '';
const READER = fileURLToPath(new URL('./test-postgres-writer.ts', import.meta.url));

let space: string;
const open: Log[] = [];
beforeEach(() => {
  space = `s-${randomUUID()}`;
});
afterEach(async () => {
  for (const log of open.splice(0)) await log.close();
});

async function openLog(options: PostgresLogOptions = {}): Promise<Log> {
  const log = await openPostgresLog(url, { space, ...options });
  open.push(log);
  return log;
}

/** The server's processes, those in a state where one is given. */
async function backends(state = '%'): Promise<number[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  const { rows } = await client.query<{ pid: number }>('SELECT pid FROM pg_stat_activity WHERE state LIKE $1', [state]);
  await client.end();
  return rows.map(({ pid }) => pid);
}

const sql = (text: string, values: readonly unknown[] = [], at = url): Promise<void> => runSql(at, text, values);

/** The message of the error that opening `at` ends in. */
async function refusal(at: string, options: PostgresLogOptions = {}): Promise<string> {
  const error: unknown = await openPostgresLog(at, options).then(
    (log) => log.close(),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(LogUnavailableError);
  return error instanceof Error ? error.message : '';
}

describe.skipIf(server === undefined)('with a real server', () => {
  describeLog('the PostgreSQL log', () => openPostgresLog(url, { space: `s-${randomUUID()}` }));

  describe('the PostgreSQL log', () => {
    it('keeps the spaces of one database apart', async () => {
      const one = await openLog();
      const two = await openLog({ space: `${space}/two` });
      await one.append(0, [rowEntry('a', 'of one')]);
      await two.append(0, [rowEntry('a', 'of two'), rowEntry('b')]);
      expect((await recordsOf(one)).map(({ body }) => body.type === 'row' && body.row)).toEqual(['of one']);
      expect([one.head().seq, two.head().seq]).toEqual([1, 2]);
    });

    it('lets two log objects share a space: the one that is behind is refused, catches up, and goes on', async () => {
      const [one, two] = [await openLog(), await openLog()];
      await one.append(0, [rowEntry('a')]);
      const refused = two.append(0, [rowEntry('b')]);
      await expect(refused).rejects.toThrow(StaleAppendError);
      await expect(refused).rejects.toMatchObject({ expectedSeq: 0, actualSeq: 1 });
      expect((await recordsOf(two)).map(({ key }) => key)).toEqual(['a']);
      await two.append(1, [rowEntry('b')]);
      expect((await recordsOf(one)).map(({ key }) => key)).toEqual(['a', 'b']);
      expect(one.head()).toEqual(two.head());
    });

    it('refuses what was decided on an append of its own that lost its place to another writer', async () => {
      const [one, two] = [await openLog(), await openLog()];
      await one.append(0, [rowEntry('theirs')]);
      const results = await Promise.allSettled([
        two.append(0, [rowEntry('mine')]),
        two.append(1, [rowEntry('on mine')]),
      ]);
      // Position 1 is taken, but not by what the second append was decided on.
      expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
      expect((await recordsOf(one)).map(({ key }) => key)).toEqual(['theirs']);
    });

    it('skips a key that another log object stored, however long it is', async () => {
      const [one, two] = [await openLog(), await openLog()];
      // Longer in UTF-8 than an index of PostgreSQL takes, and not to be compressed.
      const long = Array.from({ length: 1_024 }, (_, i) => String.fromCodePoint(0x4e00 + ((i * 7_919) % 20_000))).join(
        '',
      );
      await one.append(0, [rowEntry(long, 'first')]);
      await recordsOf(two);
      expect((await two.append(1, [rowEntry('a'), rowEntry(long, 'second')])).map(({ key }) => key)).toEqual(['a']);
      expect(await two.append(2, [rowEntry(long)])).toEqual([]);
      expect((await recordsOf(one)).map(({ seq, key }) => [seq, key])).toEqual([
        [1, long],
        [2, 'a'],
      ]);
    });

    it('holds the space for a writer that was refused twice, and lets go when it does not come back', async () => {
      const [one, two] = [await openLog(), await openLog()];
      await one.append(0, [rowEntry('a')]);
      await expect(two.append(0, [rowEntry('x')])).rejects.toThrow(StaleAppendError);
      await expect(two.append(0, [rowEntry('x')])).rejects.toThrow(StaleAppendError);
      let isThrough = false;
      const waiting = one.append(1, [rowEntry('b')]).then(() => (isThrough = true));
      await sleep(100);
      expect(isThrough).toBe(false);
      const holders = await backends('idle in transaction');
      expect(holders).toHaveLength(1);
      await waiting;
      expect((await recordsOf(two)).map(({ key }) => key)).toEqual(['a', 'b']);
      await two.append(2, [rowEntry('x')]);
      // Before the server would take the turn away, and the connection with it.
      expect(await backends()).toEqual(expect.arrayContaining(holders));
    });

    it('tells a watcher of what others write, and not of what it wrote itself', async () => {
      const [one, two] = [await openLog(), await openLog()];
      const heard: number[] = [];
      const unwatch = one.watch?.((seq) => heard.push(seq));
      await sleep(100);
      for (let seq = 0; seq < 100; seq += 1) await one.append(seq, [rowEntry(`own${seq}`)]);
      await two.append(0, [rowEntry('x')]).catch(() => undefined);
      for (let seq = 100; seq < 106; seq += 1) await two.append(seq, [rowEntry(`b${seq}`)]);
      while (heard.at(-1) !== 106) await sleep(2);
      expect(Math.min(...heard)).toBeGreaterThan(100);
      expect(heard).toEqual([...heard].sort((a, b) => a - b));
      expect(one.head()).toEqual(two.head());
      unwatch?.();
    });

    it('can be opened for reading beside writers, and changes nothing then', async () => {
      const writer = await openLog();
      await writer.append(0, [rowEntry('a')]);
      const reader = await openLog({ mode: 'read' });
      await writer.append(1, [rowEntry('b')]);
      expect((await recordsOf(reader)).map(({ key }) => key)).toEqual(['a', 'b']);
      expect(reader.head()).toEqual(writer.head());
      await expect(reader.append(2, [rowEntry('c')])).rejects.toThrow(/reading only/u);
    });

    it('meets a damaged record when it is read, and names it', async () => {
      const log = await openLog();
      await log.append(
        0,
        Array.from({ length: 8 }, (_, i) => rowEntry(`k${i + 1}`, { i })),
      );
      await sql(`UPDATE hivemark.log SET body = replace(body, '4', '5') WHERE space = $1 AND seq = 5`, [space]);
      const again = await openLog();
      await expect(recordsOf(again)).rejects.toMatchObject({ code: 'corrupt-log', seq: 5 });
    });

    it('refuses to open a space whose end is not its newest record', async () => {
      const log = await openLog();
      await log.append(0, [rowEntry('a'), rowEntry('b'), rowEntry('c')]);
      await sql('DELETE FROM hivemark.log WHERE space = $1 AND seq = 3', [space]);
      await expect(openLog()).rejects.toThrow(CorruptLogError);
      await expect(openLog()).rejects.toMatchObject({ seq: 3 });
    });

    it('closes rather than go on when the database was set back behind it', async () => {
      const log = await openLog();
      const [first] = await log.append(0, [rowEntry('a')]);
      await log.append(1, [rowEntry('b')]);
      await sql('DELETE FROM hivemark.log WHERE space = $1 AND seq = 2', [space]);
      await sql('UPDATE hivemark.spaces SET seq = 1, hash = $2 WHERE space = $1', [space, first?.hash]);
      await expect(log.append(2, [rowEntry('c')])).rejects.toThrow(/was set back/u);
    });

    it('stores nothing of an append when the right to write is taken away, and says so', async () => {
      const role = `role_${randomUUID().slice(0, 8)}`;
      const writer = await openLog();
      await writer.append(0, [rowEntry('a')]);
      await sql(`CREATE ROLE ${role} LOGIN PASSWORD 'x'`);
      await sql(
        `GRANT USAGE ON SCHEMA hivemark TO ${role}; GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA hivemark TO ${role}`,
      );
      const at = `postgres://${role}:x@127.0.0.1:${server?.port}/postgres`;
      const other = await openPostgresLog(at, { space });
      open.push(other);
      await other.append(1, [rowEntry('b')]);
      await sql(`REVOKE INSERT ON hivemark.log FROM ${role}`);
      const refused = other.append(2, [rowEntry('c')]);
      await expect(refused).rejects.toThrow(LogWriteError);
      await expect(refused).rejects.toThrow(/permission denied.*nothing of this append counts/u);
      expect((await recordsOf(writer)).map(({ key }) => key)).toEqual(['a', 'b']);
      await sql(`REVOKE INSERT, UPDATE ON ALL TABLES IN SCHEMA hivemark FROM ${role}`);
      expect(await refusal(at, { space })).toMatch(/permission denied.*have the right granted/u);
      expect((await recordsOf(await openPostgresLog(at, { space, mode: 'read' }))).length).toBe(2);
      await sql(`REVOKE SELECT ON hivemark.log FROM ${role}`);
      expect(await refusal(at, { space, mode: 'read' })).toMatch(
        /cannot be read: permission denied.*have the right granted/u,
      );
    });

    it('opens a new database from several processes at once', async () => {
      await sql('CREATE DATABASE fresh');
      const at = `postgres://tester:${encodeURIComponent(TEST_PASSWORD)}@127.0.0.1:${server?.port}/fresh`;
      const logs = await Promise.all(Array.from({ length: 6 }, () => openPostgresLog(at)));
      await logs[0]?.append(0, [rowEntry('a')]);
      expect(await recordsOf(logs[5] ?? (await openLog()))).toHaveLength(1);
      for (const log of logs) await log.close();
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
      const child = spawnSync(process.execPath, ['--max-old-space-size=40', READER, 'count', url, space], {
        encoding: 'utf8',
      });
      expect({ status: child.status, out: child.stdout, errors: child.stderr }).toEqual({
        status: 0,
        out: `${records}\n`,
        errors: '',
      });
    });
  });

  describe('a log that cannot be opened', () => {
    it('says what is missing, and never the password', async () => {
      const port = server?.port ?? 0;
      const at = (rest: string, user = 'tester', password = TEST_PASSWORD): string =>
        `postgres://${user}:${encodeURIComponent(password)}@127.0.0.1:${rest}`;
      const said = {
        unreachable: await refusal(at('1/postgres')),
        database: await refusal(at(`${port}/nowhere`)),
        password: await refusal(at(`${port}/postgres`, 'tester', 'wrong-hunter2')),
        user: await refusal(at(`${port}/postgres`, 'nobody-here')),
        tls: await refusal(`${at(`${port}/postgres`)}?sslmode=require`),
        none: await refusal(`postgres://tester@127.0.0.1:${port}/postgres`),
        space: await refusal(at(`${port}/postgres`), { space: 'not-there', mode: 'read' }),
      };
      expect(said).toEqual({
        unreachable:
          'PostgreSQL at 127.0.0.1:1/postgres cannot be reached (ECONNREFUSED); is it running, and is the address right?',
        database: `there is no such database at 127.0.0.1:${port}/nowhere; make it with createdb, or name another`,
        password: `PostgreSQL at 127.0.0.1:${port}/postgres refused the user or the password`,
        user: `PostgreSQL at 127.0.0.1:${port}/postgres refused the user or the password`,
        tls: `PostgreSQL at 127.0.0.1:${port}/postgres does not speak TLS; use sslmode=disable only on a network you trust`,
        none: `PostgreSQL at 127.0.0.1:${port}/postgres asks for a password; put one into the address or into PGPASSWORD`,
        space: `there is no space not-there at 127.0.0.1:${port}/postgres; open it for writing once, or name another`,
      });
      for (const message of Object.values(said)) expect(message).not.toMatch(/hivemark#|hunter2|p@ss|p%40ss/u);
    });

    it('refuses tables of another version, and ones that were tampered with', async () => {
      await sql('CREATE DATABASE odd');
      const at = `postgres://tester:${encodeURIComponent(TEST_PASSWORD)}@127.0.0.1:${server?.port}/odd`;
      expect(await refusal(at, { mode: 'read' })).toMatch(
        /there is no log in this database; open it for writing once/u,
      );
      await (await openPostgresLog(at)).close();
      await sql('UPDATE hivemark.format SET version = 7', [], at);
      expect(await refusal(at)).toMatch(/its tables are of version 7, this release knows version 1/u);
      await sql('UPDATE hivemark.format SET version = 1', [], at);
      await sql(
        `CREATE FUNCTION hide() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
         CREATE TRIGGER hide BEFORE INSERT ON hivemark.log FOR EACH ROW EXECUTE FUNCTION hide()`,
        [],
        at,
      );
      expect(await refusal(at)).toMatch(/a trigger hide does not belong/u);
    });

    it('refuses a database that cannot hold every text', async () => {
      await sql("CREATE DATABASE narrow ENCODING 'LATIN1' TEMPLATE template0");
      const at = `postgres://tester:${encodeURIComponent(TEST_PASSWORD)}@127.0.0.1:${server?.port}/narrow`;
      expect(await refusal(at)).toMatch(/encoded in LATIN1 .* make one with ENCODING 'UTF8'/u);
    });
  });
});
