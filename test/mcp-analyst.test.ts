import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { loadTable } from '../src/trace/trace-reader.ts';
import {
  type Connected,
  connectHttp,
  connectStdio,
  makeToken,
  newPlace,
  type Place,
  type RunningCli,
  startServer,
} from './mcp-process.ts';
import { runCli } from './run-cli.ts';

/** Whose second round takes the other's code, quickly. */
const CONFIG = `name: two
task: sine_approx
agents: [{ name: planner, model: scripted/planner }, { name: tuner, model: scripted/tuner }]
generations: 3
seeds: [42]
`;
const RUN = 'two/planner+tuner-s42-paired';
const rowsShape = z.object({ rows: z.array(z.record(z.string(), z.unknown())), nextCursor: z.string().optional() });

let place: Place;
let server: RunningCli & { readonly url: string };
const analysts = new Map<string, Connected>();

beforeAll(async () => {
  place = await newPlace();
  const config = await place.file('two.yaml', CONFIG);
  const run = await runCli(['run', config, '--out', place.out], { env: place.env });
  expect(run.code, run.stderr).toBe(0);
  server = await startServer(['mcp', '--results', place.out, '--http', '127.0.0.1:0'], place);
  analysts.set('HTTP', await connectHttp(server.url, await makeToken(place, 'reader')));
  analysts.set('stdio', await connectStdio(['mcp', '--results', 'out'], place));
}, 120_000);
afterAll(async () => {
  await Promise.all([...analysts.values()].map((analyst) => analyst.close()));
  server.kill('SIGTERM');
  expect((await server.finished).code).toBe(0);
});

const runDir = (): string => join(place.out, RUN);

describe.each(['stdio', 'HTTP'])('an analyst asks of finished runs over %s', (transport) => {
  const ask = async (name: string, args: Readonly<Record<string, unknown>> = {}): Promise<Record<string, unknown>> => {
    const answer = await analysts.get(transport)?.call(name, args);
    if (answer === undefined || answer.isError) throw new Error(answer?.text ?? 'not connected');
    return answer.value;
  };
  const rowsOf = async (
    name: string,
    args: Readonly<Record<string, unknown>> = {},
  ): Promise<z.infer<typeof rowsShape>> => rowsShape.parse(await ask(name, args));

  it('by tools that only read', async () => {
    const tools = (await analysts.get(transport)?.client.listTools())?.tools ?? [];
    expect(tools.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['list_runs', 'list_adoptions', 'blame', 'diff', 'lineage', 'list_decisions', 'query']),
    );
    expect(tools.every(({ annotations }) => annotations?.readOnlyHint === true)).toBe(true);
    expect(tools.map(({ name }) => name)).not.toContain('submit');
  });

  it('which runs there are, and who took what from whom, on what evidence', async () => {
    const { rows: runs } = await rowsOf('list_runs');
    expect(runs).toMatchObject([{ run: RUN, task: 'sine_approx', status: 'done' }]);
    const { rows: adoptions } = await rowsOf('list_adoptions', { run: RUN });
    const recorded = (await loadTable(runDir(), 'adoptions')).rows;
    expect(recorded.length).toBeGreaterThan(0);
    expect(adoptions.map(({ adoption }) => adoption)).toEqual(recorded.map(({ id }) => id));
    const [first] = adoptions;
    expect(first).toMatchObject({ agent: 'tuner', peer: 'planner', level: 'stated' });
    const unfolded = await ask('get_adoption', { run: RUN, adoption: first?.['adoption'] });
    expect(unfolded['opened']).not.toEqual([]);
  });

  it('who wrote each line of a program', async () => {
    const [taken] = (await loadTable(runDir(), 'adoptions')).rows;
    const blamed = await ask('blame', { run: RUN, agent: 'tuner', generation: taken?.generation });
    const shares = z.object({ peer: z.number(), own: z.number() }).parse(blamed['shares']);
    expect(shares.peer).toBeGreaterThan(0);
    const { rows } = rowsShape.parse(blamed);
    const source = (await loadTable(runDir(), 'candidates')).rows.find(({ id }) => id === `tuner/${taken?.generation}`)
      ?.sources['task_agent.ts'];
    const text = await readFile(join(runDir(), 'trace', 'blobs', source?.slice(0, 2) ?? '', source ?? ''), 'utf8');
    expect(rows.map((row) => row['text'])).toEqual(text.trimEnd().split('\n').slice(0, rows.length));
  });

  it('how two programs differ', async () => {
    const answer = await ask('diff', { run: RUN, a: 'planner/0', b: 'planner/1' });
    expect(answer).toMatchObject({ a: 'planner/0', b: 'planner/1', identical: false, file: 'task_agent.ts' });
    expect(JSON.stringify(answer)).toMatch(/@@ -\d/u);
    expect(await ask('diff', { run: RUN, a: 'planner/0', b: 'tuner/0' })).toMatchObject({ identical: true });
  });

  it('rows of a table, filtered, a page at a time: all of them, once each', async () => {
    const where = [{ column: 'agent', op: 'eq', value: 'tuner' }];
    const found: unknown[] = [];
    let cursor: string | undefined;
    let pages = 0;
    do {
      const args = { table: 'decisions', run: RUN, where, columns: ['id', 'agent'], limit: 7 };
      const page = await rowsOf('query', { ...args, ...(cursor === undefined ? {} : { cursor }) });
      expect(page.rows.length).toBeLessThanOrEqual(7);
      found.push(...page.rows.map(({ id }) => id));
      cursor = page.nextCursor;
      pages += 1;
    } while (cursor !== undefined && pages < 100);
    const recorded = (await loadTable(runDir(), 'decisions')).rows.filter(({ agent }) => agent === 'tuner');
    expect(pages).toBeGreaterThan(2);
    expect(found).toEqual(recorded.map(({ id }) => id));
  });

  it('and is told in words what cannot be asked', async () => {
    const analyst = analysts.get(transport);
    const wrong = await analyst?.call('blame', { run: RUN, agent: 'nobody' });
    expect([wrong?.isError, wrong?.text]).toEqual([true, expect.stringContaining('nobody')]);
    const page = await analyst?.call('query', { table: 'decisions', run: RUN, cursor: 'made-up' });
    expect(page).toMatchObject({ isError: true, code: 'bad-cursor' });
    const outside = await analyst?.call('list_adoptions', { run: '../../etc' });
    expect(outside).toMatchObject({ isError: true });
    expect(outside?.text).not.toContain(place.dir);
  });
});
