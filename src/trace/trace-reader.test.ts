import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TRACE_SCHEMA_VERSION } from './schema.ts';
import { collect, makeTestFolder } from './test-folder.ts';
import { ROWS } from './test-rows.ts';
import { loadTable, NAMED_BAD_LINES, readTable } from './trace-reader.ts';

async function folderWith(content: string | Uint8Array, run?: unknown): Promise<string> {
  const folder = await makeTestFolder();
  await mkdir(join(folder, 'trace'));
  await writeFile(join(folder, 'trace', 'edges.jsonl'), content);
  if (run !== undefined) await writeFile(join(folder, 'run.json'), JSON.stringify(run));
  return folder;
}

const EDGE = JSON.stringify(ROWS.edges);

describe('readTable()', () => {
  it('gives the rows in file order, without fields it does not know', async () => {
    const other = { ...ROWS.edges, to: 'a/2' };
    const folder = await folderWith(`${EDGE}\n\n${JSON.stringify({ ...other, weight: 3 })}\r\n`);
    expect(await collect(readTable(folder, 'edges'))).toEqual([ROWS.edges, other]);
  });

  it('throws the file, the line and the field of the first bad line', async () => {
    const rows = readTable(await folderWith(`${EDGE}\n{"from":"a/0","to":7,"kind":"parent"}\n`), 'edges');
    expect((await rows.next()).value).toEqual(ROWS.edges);
    await expect(rows.next()).rejects.toMatchObject({
      name: 'TraceReadError',
      code: 'bad-line',
      file: 'trace/edges.jsonl',
      line: 2,
      message: expect.stringMatching(/^cannot read trace\/edges\.jsonl:2: to: /) as unknown,
    });
  });

  it('names a table that is not there', async () => {
    const rows = readTable(await makeTestFolder(), 'calls');
    await expect(rows.next()).rejects.toMatchObject({ code: 'missing-table', file: 'trace/calls.jsonl' });
  });

  it('reads what earlier and the current schema version wrote, and refuses a later one', async () => {
    for (let schemaVersion = 1; schemaVersion <= TRACE_SCHEMA_VERSION; schemaVersion++) {
      const folder = await folderWith(EDGE, { schemaVersion });
      expect(await collect(readTable(folder, 'edges'))).toEqual([ROWS.edges]);
    }
    const later = readTable(await folderWith(EDGE, { schemaVersion: TRACE_SCHEMA_VERSION + 1 }), 'edges');
    await expect(later.next()).rejects.toMatchObject({ code: 'newer-schema' });
  });

  it('stops reading when the caller does', async () => {
    const folder = await folderWith(`${EDGE}\n`.repeat(1000));
    for await (const row of readTable(folder, 'edges')) {
      expect(row).toEqual(ROWS.edges);
      break;
    }
  });
});

describe('loadTable()', () => {
  it('leaves out bad lines, counts and names them, and reads the rest', async () => {
    const bad = ['{"from":', 'null', '[]', '{"from":"a","to":"b","kind":"cousin"}', `{"from":"${'x'.repeat(200)}"}`];
    const torn = EDGE.slice(0, 12);
    const folder = await folderWith(Buffer.from(`${EDGE}\n${bad.join('\n')}\n${EDGE}\n${torn}`));
    const loaded = await loadTable(folder, 'edges', { maxLineBytes: 150 });
    expect(loaded.rows).toEqual([ROWS.edges, ROWS.edges]);
    expect(loaded.badLines).toBe(6);
    expect(loaded.bad.map(({ line }) => line)).toEqual([2, 3, 4, 5, 6, 8]);
    expect(loaded.bad[0]).toEqual({ file: 'trace/edges.jsonl', line: 2, problem: 'not JSON' });
    expect(loaded.bad[4]?.problem).toBe('longer than the limit');
  });

  it('counts all bad lines but names only the first of many', async () => {
    const loaded = await loadTable(await folderWith('x\n'.repeat(500)), 'edges');
    expect(loaded.badLines).toBe(500);
    expect(loaded.bad).toHaveLength(NAMED_BAD_LINES);
  });

  it('is not upset by deep nesting or by keys named like prototypes', async () => {
    const folder = await folderWith('');
    const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
    const line = JSON.stringify({ ...ROWS.decisions, subject: '?' }).replace('"?"', deep);
    await writeFile(join(folder, 'trace', 'decisions.jsonl'), `${line}\n{"__proto__":{"id":"x"}}\n`);
    const loaded = await loadTable(folder, 'decisions');
    expect(loaded.rows).toHaveLength(1);
    expect(loaded.badLines).toBe(1);
  });
});
