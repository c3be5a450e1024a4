import { appendFile, mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { writeRunFile } from '../trace/run-folder.ts';
import { collect, makeTestFolder } from '../trace/test-folder.ts';
import { ROWS } from '../trace/test-rows.ts';
import { openResults } from './analyst-folder.ts';
import { DECISIONS, decisionRow, HYPER, makeResults, PAIR, RUN_FILE, writeRun, writeTable } from './test-results.ts';

const eager = { rescanAfterMs: 0 };

describe('openResults()', () => {
  test('finds runs of any kind at any depth, sorted, by where they lie', async () => {
    const results = await openResults(await makeResults());
    expect(await results.runs()).toEqual([PAIR, 'demo/a-s7-solo', HYPER]);
    expect(await results.card(PAIR)).toMatchObject({
      experiment: 'demo',
      task: 'sine_approx',
      status: 'done',
      arm: 'paired',
    });
    expect(await results.card('demo/a-s7-solo')).toMatchObject({ status: 'running' });
    expect(await results.card(HYPER)).toMatchObject({ format: 'hyperspace', seed: 1, status: null });
  });

  test('takes a run itself, and one of the same name in it', async () => {
    const root = join(await makeTestFolder(), 'same');
    await writeRun(root);
    await writeRun(join(root, 'same'));
    expect(await (await openResults(root)).runs()).toEqual(['./same', 'same']);
  });

  test('refuses a file and a folder that is not there', async () => {
    const root = await makeTestFolder();
    await writeFile(join(root, 'f'), '');
    await expect(openResults(join(root, 'f'))).rejects.toThrow(
      /is no folder of results, it is a file; name the folder/,
    );
    await expect(openResults(join(root, 'g'))).rejects.toMatchObject({ code: 'no-such-folder' });
  });

  test.each([
    '../',
    '/etc',
    `../x/${PAIR}`,
    `./${PAIR}`,
    `${PAIR}/`,
    `${PAIR}/trace`,
    '',
    '__proto__',
    'constructor',
    '\0',
  ])('knows no run %j: ids are those that were listed', async (id) => {
    const results = await openResults(await makeResults());
    for (const ask of [
      results.open(id),
      results.card(id),
      results.version(id),
      results.tables(id),
      collect(results.rows(id, 'calls')),
    ])
      await expect(ask).rejects.toMatchObject({ code: 'no-such-run' });
  });

  test('names the run that was meant', async () => {
    const results = await openResults(await makeResults());
    await expect(results.open('a+b-s7-paired')).rejects.toThrow(`there are: "${PAIR}", `);
  });
});

describe('what a run is read from', () => {
  test('is read again when it has changed, and only then', async () => {
    const root = await makeResults();
    const results = await openResults(root, eager);
    const first = await results.open(PAIR);
    expect(await results.open(PAIR)).toBe(first);
    const more = { ...ROWS.candidates, id: 'a/9', agent: 'a', generation: 9, sources: {} };
    await appendFile(join(root, PAIR, 'trace/candidates.jsonl'), `${JSON.stringify(more)}\n`);
    const second = await results.open(PAIR);
    expect(second.version).not.toBe(first.version);
    expect(second.run.agents[0]?.generations.at(-1)?.id).toBe('a/9');
    await writeRunFile(join(root, PAIR), { ...RUN_FILE, status: 'stopped: budget' });
    expect(await results.card(PAIR)).toMatchObject({ status: 'stopped', stopped: 'budget' });
  });

  test('may be half written: the row that is cut off is missing', async () => {
    const root = await makeResults();
    const results = await openResults(root, eager);
    await appendFile(join(root, PAIR, 'trace/decisions.jsonl'), JSON.stringify(decisionRow(1)).slice(0, 40));
    expect(await collect(results.rows(PAIR, 'decisions'))).toHaveLength(DECISIONS);
    await mkdir(join(root, 'demo/new/trace'), { recursive: true });
    await writeRunFile(join(root, 'demo/new'), { ...RUN_FILE, status: 'running' });
    expect(await results.runs()).toContain('demo/new');
    expect((await results.open('demo/new')).run.agents.map(({ generations }) => generations)).toEqual([[], []]);
  });

  test('is kept for a few runs only', async () => {
    const results = await openResults(await makeResults(), { maxRuns: 1 });
    const first = await results.open(PAIR);
    await results.open(HYPER);
    expect(await results.open(PAIR)).not.toBe(first);
  });

  test('costs one reading however many ask at the same time', async () => {
    const results = await openResults(await makeResults());
    const [one, two] = await Promise.all([results.open(PAIR), results.open(PAIR)]);
    expect(one).toBe(two);
  });

  test('is not read at all where it is broken, with the reason', async () => {
    const root = await makeResults();
    await writeFile(join(root, PAIR, 'run.json'), '{');
    const results = await openResults(root);
    expect((await results.card(PAIR)).problem).toMatch(/run\.json: not JSON/);
    const failure = results.open(PAIR);
    await expect(failure).rejects.toMatchObject({ code: 'unreadable-run' });
    await expect(failure).rejects.not.toThrow(root);
  });
});

describe('a link that leaves the results', () => {
  test.each([
    'trace/exposures.jsonl',
    'trace/decisions.jsonl',
    'summary.json',
    'trace/blobs',
    'trace',
  ])('as %s keeps its run from being read', async (name) => {
    const root = await makeResults();
    const outside = join(await makeTestFolder(), 'outside');
    await rm(outside, { recursive: true, force: true });
    const path = join(root, PAIR, name);
    await rename(path, outside).catch(() => writeFile(outside, '{}'));
    await symlink(outside, path);
    if (name === 'trace') await writeFile(join(root, PAIR, 'marks.db'), '');
    const results = await openResults(root);
    const failure = results.open(PAIR);
    await expect(failure).rejects.toMatchObject({ code: 'unreadable-run' });
    await expect(failure).rejects.not.toThrow(outside);
    await expect(collect(results.rows(PAIR, 'decisions'))).rejects.toMatchObject({ code: 'unreadable-run' });
  });

  test('is no run, as a folder', async () => {
    const root = await makeResults();
    const outside = join(await makeTestFolder(), 'run');
    await writeRun(outside);
    await symlink(outside, join(root, 'linked'));
    expect(await (await openResults(root)).runs()).not.toContain('linked');
  });
});

describe('rows()', () => {
  test('begin where the ones before ended', async () => {
    const results = await openResults(await makeResults());
    for (const run of [PAIR, HYPER]) {
      const table = run === PAIR ? 'decisions' : 'candidates';
      const all = await collect(results.rows(run, table));
      for (const { row, at, next } of all.slice(0, 4)) {
        const [here] = await collect(results.rows(run, table, { at }));
        expect(here).toEqual({ row, at, next });
        const [after] = await collect(results.rows(run, table, { at: next }));
        expect(after).toEqual(all[all.findIndex((one) => one.at === at) + 1]);
      }
    }
  });

  test('have no details of hidden cases, and no path of the host', async () => {
    const results = await openResults(await makeResults());
    const rows = await collect(results.rows(PAIR, 'evaluations'));
    expect(rows.length).toBeGreaterThan(0);
    for (const { row } of rows) expect(row).not.toHaveProperty('detail');
  });

  test('of a place that was written anew have another seal', async () => {
    const root = await makeResults();
    const results = await openResults(root, eager);
    const [, second] = await collect(results.rows(PAIR, 'decisions'));
    const seal = await results.seal(PAIR, 'decisions', second?.at ?? 0);
    expect(await results.seal(PAIR, 'decisions', second?.at ?? 0)).toBe(seal);
    await writeTable(join(root, PAIR), 'decisions', [{ ...decisionRow(0), id: 'dX' }, decisionRow(1)]);
    expect(await results.seal(PAIR, 'decisions', second?.at ?? 0)).not.toBe(seal);
    expect(await results.seal(PAIR, 'decisions', 1e9)).toBeUndefined();
  });
});

describe('remember()', () => {
  test('makes an answer once for a version, again after a failure, and for one whose neighbour gave up', async () => {
    const results = await openResults(await makeResults());
    let made = 0;
    const make = () => Promise.resolve(++made);
    expect([await results.remember('k', '1', make), await results.remember('k', '1', make)]).toEqual([1, 1]);
    expect(await results.remember('k', '2', make)).toBe(2);
    await expect(results.remember('k', '3', () => Promise.reject(new Error('x')))).rejects.toThrow('x');
    expect(await results.remember('k', '3', make)).toBe(3);
    const gone = new AbortController();
    const waits = results.remember(
      's',
      '1',
      () =>
        new Promise((_, reject) => gone.signal.addEventListener('abort', () => reject(gone.signal.reason as Error))),
      gone.signal,
    );
    const other = results.remember('s', '1', make, new AbortController().signal);
    gone.abort();
    await expect(waits).rejects.toMatchObject({ name: 'AbortError' });
    expect(await other).toBe(4);
  });
});
