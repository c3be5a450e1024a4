import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { LogRecord } from '../space/log.ts';
import { TRACE_TABLES, type TraceTables } from './schema.ts';
import { makeTestFolder } from './test-folder.ts';
import { asJson, recordOf, ROWS, rowRecord } from './test-rows.ts';
import { loadTable } from './trace-reader.ts';
import { openTraceWriter, writeTrace } from './trace-writer.ts';

async function* logOf(records: readonly LogRecord[]): AsyncGenerator<LogRecord> {
  yield* records;
}

const tableOf = (folder: string, table: string) => readFile(join(folder, 'trace', `${table}.jsonl`), 'utf8');
const filesOf = async (folder: string) => {
  const names = (await readdir(join(folder, 'trace'))).sort();
  return Promise.all(names.map(async (name) => [name, await readFile(join(folder, 'trace', name), 'utf8')]));
};

const candidate = (generation: number) => ({ ...ROWS.candidates, id: `a/${generation}`, generation });
const LOG: readonly LogRecord[] = [
  recordOf(1, { type: 'define', what: 'scope', value: {} }),
  rowRecord(2, 'candidates', candidate(2)),
  rowRecord(3, 'candidates', candidate(1)),
  rowRecord(4, 'rounds', { round: 1 }),
  recordOf(5, {
    type: 'decision',
    decision: {
      id: 'd1',
      agent: 'a',
      epoch: 'e',
      at: 3,
      call: 'use',
      verdict: 'denied',
      subject: { tool: 'editor' },
      denial: { code: 'tool-budget', check: 'budget', used: 3, limit: 2 },
      mark: 'm1',
    },
  }),
  rowRecord(6, 'edges', ROWS.edges),
];

describe('writeTrace()', () => {
  it('makes every table, empty ones too, and no other file', async () => {
    const folder = await makeTestFolder();
    await writeTrace(folder, logOf([]));
    expect(await filesOf(folder)).toEqual(TRACE_TABLES.toSorted().map((table) => [`${table}.jsonl`, '']));
  });

  it('writes rows in log order and nothing else of the log', async () => {
    const folder = await makeTestFolder();
    const written = await writeTrace(folder, logOf(LOG));
    expect(written).toMatchObject({ lastSeq: 6, problems: [] });
    expect([...written.rows].filter(([, rows]) => rows > 0)).toEqual([
      ['candidates', 2],
      ['edges', 1],
      ['decisions', 1],
    ]);
    expect(await tableOf(folder, 'candidates')).toBe(
      `${JSON.stringify(candidate(2))}\n${JSON.stringify(candidate(1))}\n`,
    );
  });

  it('makes decision rows with the code of the denial', async () => {
    const folder = await makeTestFolder();
    const allowed = { id: 'd2', agent: 'a', epoch: 'e', at: 4, call: 'write', verdict: 'allow', subject: null };
    const blocked = { ...allowed, id: 'd3', verdict: 'blocked', reason: 'busy' };
    const more = [allowed, blocked].map((decision, n) => recordOf(7 + n, { type: 'decision', decision }));
    await writeTrace(folder, logOf([...LOG, ...more]));
    const { rows, badLines } = await loadTable(folder, 'decisions');
    expect(badLines).toBe(0);
    expect(rows.map(({ id, code }) => [id, code])).toEqual([
      ['d1', 'tool-budget'],
      ['d2', undefined],
      ['d3', 'busy'],
    ]);
    expect(rows[0]?.denial).toEqual({ code: 'tool-budget', check: 'budget', used: 3, limit: 2 });
  });

  it('writes a row whose key comes again only once', async () => {
    const folder = await makeTestFolder();
    await writeTrace(
      folder,
      logOf([...LOG, rowRecord(7, 'edges', ROWS.edges, 'k6'), rowRecord(8, 'edges', ROWS.edges)]),
    );
    expect(await tableOf(folder, 'edges')).toBe(`${JSON.stringify(ROWS.edges)}\n`.repeat(2));
  });

  it('leaves the old tables as they were when the log breaks off', async () => {
    const folder = await makeTestFolder();
    await writeTrace(folder, logOf(LOG));
    const before = await tableOf(folder, 'candidates');
    async function* broken(): AsyncGenerator<LogRecord> {
      yield rowRecord(1, 'candidates', candidate(9));
      throw new Error('the log is damaged');
    }
    await expect(writeTrace(folder, broken())).rejects.toThrow('the log is damaged');
    expect(await tableOf(folder, 'candidates')).toBe(before);
  });

  it('names a row that does not fit its table, and goes on', async () => {
    const folder = await makeTestFolder();
    const wrong = rowRecord(7, 'evaluations', { ...ROWS.evaluations, score: null });
    const { problems } = await writeTrace(
      folder,
      logOf([...LOG, wrong, rowRecord(8, 'evaluations', ROWS.evaluations)]),
    );
    expect(problems).toEqual([{ seq: 7, table: 'evaluations', problem: expect.stringMatching(/^score: /) as unknown }]);
    expect(await loadTable(folder, 'evaluations')).toMatchObject({ badLines: 1, rows: [ROWS.evaluations] });
  });

  it('carries every table through to the reader', async () => {
    const folder = await makeTestFolder();
    const records = TRACE_TABLES.map((table, n) => {
      if (table !== 'decisions') return rowRecord(n + 1, table, ROWS[table]);
      const { code: _code, ...decision } = ROWS.decisions;
      return recordOf(n + 1, { type: 'decision', decision: asJson(decision) });
    });
    expect((await writeTrace(folder, logOf(records))).problems).toEqual([]);
    for (const table of TRACE_TABLES) {
      const loaded = await loadTable<keyof TraceTables>(folder, table);
      expect({ table, ...loaded }).toEqual({ table, rows: [ROWS[table]], badLines: 0, bad: [] });
    }
  });
});

describe('openTraceWriter()', () => {
  it('ends with the same bytes as a rebuild, however the log is cut into rounds', async () => {
    const whole = await makeTestFolder();
    await writeTrace(whole, logOf(LOG));
    for (const cut of [0, 1, 3, 6]) {
      const folder = await makeTestFolder();
      const writer = await openTraceWriter(folder, logOf(LOG.slice(0, cut)));
      expect(writer.written.lastSeq).toBe(cut);
      await Promise.all([writer.append(LOG.slice(cut, 4)), writer.append(logOf(LOG.slice(4)))]);
      await writer.close();
      expect(await filesOf(folder)).toEqual(await filesOf(whole));
    }
  });

  it('takes the same stretch of the log twice without a row twice', async () => {
    const folder = await makeTestFolder();
    const writer = await openTraceWriter(folder);
    await writer.append(LOG);
    await writer.append([...LOG, rowRecord(3, 'candidates', candidate(7), 'an old place')]);
    await writer.close();
    expect(writer.written.lastSeq).toBe(6);
    expect((await loadTable(folder, 'candidates')).rows).toHaveLength(2);
  });

  it('has the rows of a round on disk when the append is done', async () => {
    const folder = await makeTestFolder();
    const writer = await openTraceWriter(folder);
    await writer.append(LOG);
    expect((await loadTable(folder, 'candidates')).rows).toHaveLength(2);
    await writer.close();
  });

  it('puts a table right that a crash left torn', async () => {
    const folder = await makeTestFolder();
    await writeTrace(folder, logOf(LOG));
    const whole = await tableOf(folder, 'candidates');
    await writeFile(join(folder, 'trace', 'candidates.jsonl'), whole.slice(0, -20));
    await (await openTraceWriter(folder, logOf(LOG))).close();
    expect(await tableOf(folder, 'candidates')).toBe(whole);
  });

  it('writes a table that is larger than its buffer', async () => {
    const folder = await makeTestFolder();
    const row = { ...ROWS.evaluations, feedback: 'x'.repeat(300_000) };
    const writer = await openTraceWriter(folder);
    await writer.append(Array.from({ length: 12 }, (_, n) => rowRecord(n + 1, 'evaluations', row)));
    await writer.close();
    expect((await loadTable(folder, 'evaluations')).rows).toHaveLength(12);
  });
});
