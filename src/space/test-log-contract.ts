import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GENESIS_HASH, type Log, type LogEntry, type LogRecord, StaleAppendError } from './log.ts';
import { chainHash } from './chain.ts';

/** A row entry, the simplest thing a log can hold. */
export function rowEntry(key: string, row: LogRecordRow = key): LogEntry {
  return { key, body: { type: 'row', table: 'test', row } };
}
type LogRecordRow = Extract<LogEntry['body'], { type: 'row' }>['row'];

export async function recordsOf(log: Log, fromSeq?: number): Promise<LogRecord[]> {
  const records: LogRecord[] = [];
  for await (const record of log.read(fromSeq)) records.push(record);
  return records;
}

/** What every log must do. `open` makes an empty one; what it leaves outside memory is the caller's to remove. */
export function describeLog(name: string, open: () => Promise<Log>): void {
  describe(`${name} keeps the contract of a log`, () => {
    let log: Log;
    beforeEach(async () => {
      log = await open();
    });
    afterEach(async () => {
      await log.close();
    });

    it('is empty at first', async () => {
      expect(log.head()).toEqual({ seq: 0, hash: GENESIS_HASH });
      expect(await recordsOf(log)).toEqual([]);
    });

    it('numbers records from 1 without gaps, chains their hashes, and reads them back in order', async () => {
      const appended = await log.append(0, [rowEntry('a', { n: [1, 'x', null] }), rowEntry('b')]);
      expect(appended.map(({ seq }) => seq)).toEqual([1, 2]);
      await log.append(2, [rowEntry('c')]);
      const records = await recordsOf(log);
      expect(records.map(({ seq, key }) => `${seq}${key}`)).toEqual(['1a', '2b', '3c']);
      const fields = ({ seq, hash, key, body }: LogRecord): unknown => ({ seq, hash, key, body });
      expect(records.slice(0, 2).map(fields)).toEqual(appended.map(fields));
      let prev = GENESIS_HASH;
      for (const { seq, hash, key, body } of records) {
        expect(hash).toBe(chainHash(prev, seq, key, JSON.stringify(body)));
        prev = hash;
      }
      expect(log.head()).toEqual({ seq: 3, hash: prev });
    });

    it('refuses an append decided on another position, and says which it is at', async () => {
      await log.append(0, [rowEntry('a')]);
      for (const expected of [0, 2]) {
        const refused = log.append(expected, [rowEntry('b')]);
        await expect(refused).rejects.toThrow(StaleAppendError);
        await expect(refused).rejects.toMatchObject({ expectedSeq: expected, actualSeq: 1 });
      }
      expect(await recordsOf(log)).toHaveLength(1);
    });

    it('skips entries whose key is stored, also twice in one call, and appends the rest', async () => {
      await log.append(0, [rowEntry('a', 'first')]);
      const appended = await log.append(1, [
        rowEntry('a', 'second'),
        rowEntry('b'),
        rowEntry('b', 'again'),
        rowEntry('c'),
      ]);
      expect(appended.map(({ seq, key }) => `${seq}${key}`)).toEqual(['2b', '3c']);
      expect((await recordsOf(log)).map(({ body }) => body.type === 'row' && body.row)).toEqual(['first', 'b', 'c']);
      expect(await log.append(3, [rowEntry('a')])).toEqual([]);
      expect(log.head().seq).toBe(3);
    });

    it('appends all entries of a call or none', async () => {
      await expect(log.append(0, [rowEntry('a'), rowEntry('')])).rejects.toThrow(TypeError);
      expect(await recordsOf(log)).toEqual([]);
      await log.append(0, [rowEntry('a')]);
      expect(log.head().seq).toBe(1);
    });

    it('lets one of several appends on the same position through', async () => {
      const results = await Promise.allSettled(['a', 'b', 'c'].map((key) => log.append(0, [rowEntry(key)])));
      expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'rejected']);
      expect((await recordsOf(log)).map(({ key }) => key)).toEqual(['a']);
    });

    it('takes appends that are chained to each other without waiting', async () => {
      const all = await Promise.all([0, 1, 2, 3].map((n) => log.append(n, [rowEntry(`k${n}`)])));
      expect(all.flat().map(({ seq }) => seq)).toEqual([1, 2, 3, 4]);
    });

    it('skips a key that an append still under way brings', async () => {
      const [first, second] = await Promise.all([
        log.append(0, [rowEntry('a', 'first')]),
        log.append(1, [rowEntry('a', 'second'), rowEntry('b')]),
      ]);
      expect([...first, ...second].map(({ seq, key }) => `${seq}${key}`)).toEqual(['1a', '2b']);
    });

    it('reads from a position to the head there was when reading began', async () => {
      await log.append(0, [rowEntry('a'), rowEntry('b'), rowEntry('c')]);
      expect((await recordsOf(log, 2)).map(({ key }) => key)).toEqual(['b', 'c']);
      expect(await recordsOf(log, 4)).toEqual([]);
      const seen: string[] = [];
      for await (const { key } of log.read()) {
        seen.push(key);
        if (seen.length === 1) await log.append(3, [rowEntry('late')]);
      }
      expect(seen).toEqual(['a', 'b', 'c']);
    });

    it('keeps what it was given when the caller changes it afterwards', async () => {
      const row = { list: [1] };
      const entry = { key: 'a', body: { type: 'row' as const, table: 'test', row } };
      await log.append(0, [entry]);
      row.list.push(2);
      const [record] = await recordsOf(log);
      expect(record?.body).toEqual({ type: 'row', table: 'test', row: { list: [1] } });
    });

    it('carries any text exactly: quotes, NUL, surrogates, a megabyte, many pages', async () => {
      const texts = ['"\'\\', 'a\0b', '\ud800 alone', '🎉é', 'x'.repeat(1_048_576), ''];
      await log.append(
        0,
        texts.map((text, i) => rowEntry(`t${i} ; DROP TABLE log`, text)),
      );
      expect((await recordsOf(log)).map(({ body }) => body.type === 'row' && body.row)).toEqual(texts);
      await log.append(
        6,
        Array.from({ length: 700 }, (_, i) => rowEntry(`p${i}`)),
      );
      expect((await recordsOf(log)).map(({ seq }) => seq)).toEqual(Array.from({ length: 706 }, (_, i) => i + 1));
    });

    it('refuses to write once closed', async () => {
      await log.close();
      await expect(log.append(0, [rowEntry('a')])).rejects.toMatchObject({ code: 'log-write' });
      await log.close();
    });
  });
}
