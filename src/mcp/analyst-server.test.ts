import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { DIAGNOSTICS } from '../analysis/registry.ts';
import { ANALYST_TOOLS } from './analyst-server.ts';
import { type Answer, TestAnalyst } from './test-analyst.ts';
import { callTool, textsOf } from './test-mcp-client.ts';
import { DECISIONS, GENERATIONS, HYPER, makeResults, PAIR, programText } from './test-results.ts';

let root = '';
let analyst: TestAnalyst;

beforeEach(async () => {
  root = await makeResults();
  analyst = await TestAnalyst.open(root);
});

const byText = (a: string, b: string): number => a.localeCompare(b);

describe('tools', () => {
  test('only read, say so, and refuse what they do not know', async () => {
    const { tools } = await analyst.client.listTools();
    expect(tools.map(({ name }) => name)).toEqual(ANALYST_TOOLS.map(({ definition }) => definition.name));
    for (const { name, annotations, inputSchema, outputSchema, description } of tools) {
      expect(annotations, name).toMatchObject({ readOnlyHint: true, destructiveHint: false });
      expect(inputSchema, name).toMatchObject({ additionalProperties: false });
      expect(outputSchema, name).toBeDefined();
      expect(description?.length, name).toBeGreaterThan(40);
      expect(await analyst.refusal(name, { author: 'me' })).toMatch(/^malformed/);
    }
    expect(await analyst.refusal('get_run', { run: PAIR, agnt: 'a' })).toMatch(
      /^malformed: "agnt" is not an argument: get_run takes run/,
    );
    await expect(analyst.client.callTool({ name: 'list_run' })).rejects.toThrow(
      /Unknown tool "list_run"; the tools are list_runs/,
    );
  });

  test('list_runs narrows, and names the hosts files nowhere', async () => {
    const all = await analyst.ask('list_runs');
    expect(all.total).toBe(3);
    expect(all.rows.map(({ run }) => run)).toEqual([PAIR, 'demo/a-s7-solo', HYPER]);
    const running = await analyst.ask('list_runs', { status: 'running', experiment: 'demo' });
    expect(running.rows.map(({ run }) => run)).toEqual(['demo/a-s7-solo']);
    expect((await analyst.ask('list_runs', { agent: 'x' })).rows.map(({ run }) => run)).toEqual([HYPER]);
    expect((await analyst.ask('list_runs', { task: 'none' })).rows).toEqual([]);
  });

  test('get_run describes a run of ours and an imported one', async () => {
    const ours = await analyst.ask<Record<string, unknown>>('get_run', { run: PAIR });
    expect(ours).toMatchObject({
      status: 'done',
      adoptions: 1,
      config: { task: 'sine', url: 'https://models.example/v1/chat' },
    });
    expect(ours['agents']).toMatchObject([
      { name: 'a', programs: GENERATIONS, best: { candidate: 'a/5' } },
      { model: 'replay/b.jsonl' },
    ]);
    const imported = await analyst.ask<Record<string, unknown>>('get_run', { run: HYPER });
    expect(imported).toMatchObject({ format: 'hyperspace', adoptions: null, config: null, tables: { candidates: 4 } });
  });

  test('list_candidates filters and sorts', async () => {
    const ids = async (args: Record<string, unknown>) =>
      (await analyst.ask('list_candidates', { run: PAIR, ...args })).rows.map(({ candidate }) => candidate);
    expect(await ids({ agent: 'a' })).toEqual(['a/0', 'a/1', 'a/2', 'a/3', 'a/4', 'a/5']);
    expect(await ids({ agent: 'b', order: 'best', limit: 2 })).toEqual(['b/5', 'b/4']);
    expect(await ids({ status: 'rejected' })).toEqual(['a/4', 'b/4']);
    expect(await ids({ published: false })).toEqual(['a/4', 'b/4']);
    expect(await ids({ min_score: 0.35, max_score: 0.45 })).toEqual(['a/4', 'b/4']);
    expect(await ids({ from_generation: 1, to_generation: 1, order: 'newest' })).toEqual(['a/1', 'b/1']);
    expect(await analyst.refusal('list_candidates', { run: PAIR, agent: 'c' })).toBe(
      `no-such-agent: the run "${PAIR}" has no agent "c"; there are: "a", "b"`,
    );
  });

  test('get_candidate shows scores and kin, and a file as one block of text', async () => {
    const one = await analyst.ask<Record<string, unknown>>('get_candidate', { run: PAIR, candidate: 'a/3' });
    expect(one).toMatchObject({ parents: ['a/2'], children: ['a/4'], scores: { validation: 0.3 } });
    expect(one['evaluations']).toMatchObject([{ split: 'train' }, { split: 'validation', score: 0.3, cases: 4 }]);
    expect(one['sources']).toMatchObject([{ path: 'meta_agent.ts' }, { path: 'task_agent.ts' }]);
    const result = await callTool(analyst.client, 'get_candidate', {
      run: PAIR,
      candidate: 'a/best',
      file: 'task_agent.ts',
    });
    expect(textsOf(result)).toEqual([programText('a', 5, true)]);
    expect(await analyst.refusal('get_candidate', { run: PAIR, candidate: 'a/99' })).toMatch(
      /^no-such-candidate: .*"a\/99"; nearest: "a\/0"/,
    );
    expect(await analyst.refusal('get_candidate', { run: PAIR, candidate: 'a/1', file: '../../run.json' })).toMatch(
      /^no-such-file: "a\/1" has no file "..\/..\/run.json"; there are: /,
    );
  });

  test('a long file comes in parts that are the file together', async () => {
    const text = Array.from({ length: 9_000 }, (_, n) => `const line${n} = "${n}é\\n";`).join('\n');
    await writeFile(join(root, HYPER, 'x/gen_1/repo/task_agent.py'), text);
    // The folder's own time does not change with a file far below it; a new generation's does.
    await writeFile(join(root, HYPER, 'x/new'), '');
    let all = '';
    for (let offset: number | undefined = 0; offset !== undefined; ) {
      const one: { file: { text: string; nextOffset?: number; characters: number } } = await analyst.ask(
        'get_candidate',
        {
          run: HYPER,
          candidate: 'x/1',
          file: 'task_agent.py',
          offset,
        },
      );
      expect(one.file.characters).toBe(text.length);
      all += one.file.text;
      offset = one.file.nextOffset;
    }
    expect(all).toBe(text);
  });

  test('diff gives a unified diff and which files differ', async () => {
    const result = await callTool(analyst.client, 'diff', { run: PAIR, a: 'a/2', b: 'a/3' });
    expect(result.structuredContent).toMatchObject({
      identical: false,
      differs: ['task_agent.ts'],
      file: 'task_agent.ts',
    });
    expect(textsOf(result)[0]).toMatch(/^--- a\/2\/task_agent.ts\n\+\+\+ a\/3\/task_agent.ts\n@@ /);
    expect(await analyst.ask('diff', { run: PAIR, a: 'a/2', b: 'a/2' })).toMatchObject({ identical: true, text: '' });
    expect(await analyst.refusal('diff', { run: PAIR, a: 'a/2', b: 'a/3', file: 'x' })).toMatch(/^no-such-file/);
  });

  test('lineage goes back over parents and adoptions, and forward', async () => {
    const up = await analyst.rowsOf('lineage', { run: PAIR, candidate: 'a/3' });
    expect(up[0]).toMatchObject({ candidate: 'a/3', steps: 0, via: [] });
    expect(up.find(({ candidate }) => candidate === 'b/2')).toMatchObject({
      steps: 1,
      via: [{ candidate: 'a/3', kind: 'adoption' }],
    });
    expect(up.map(({ candidate }) => String(candidate)).toSorted(byText)).toEqual([
      'a/0',
      'a/1',
      'a/2',
      'a/3',
      'b/0',
      'b/1',
      'b/2',
    ]);
    const own = await analyst.rowsOf('lineage', { run: PAIR, candidate: 'a/3', adoptions: false, limit: 2 });
    expect(own.map(({ candidate }) => candidate)).toEqual(['a/3', 'a/2', 'a/1', 'a/0']);
    const down = await analyst.rowsOf('lineage', { run: PAIR, candidate: 'b/2', direction: 'descendants', limit: 3 });
    expect(down.map(({ candidate }) => String(candidate)).toSorted(byText)).toEqual([
      'a/3',
      'a/4',
      'a/5',
      'b/2',
      'b/3',
      'b/4',
      'b/5',
    ]);
  });

  test('list_adoptions and get_adoption give the evidence', async () => {
    const { rows } = await analyst.ask('list_adoptions', { run: PAIR });
    expect(rows).toMatchObject([
      { adoption: 'a/3<b/2', rule: 'recorded', level: 'stated', statement: { text: 'I take what b does' } },
    ]);
    expect((await analyst.ask('list_adoptions', { level: 'read' })).rows).toEqual([]);
    expect((await analyst.ask('list_adoptions', { run: PAIR, peer: 'a' })).rows).toEqual([]);
    const unfolded = await analyst.ask<Record<string, unknown>>('get_adoption', { run: PAIR, adoption: 'a/3<b/2' });
    expect(unfolded).toMatchObject({
      candidate: 'a/3',
      peerCandidate: 'b/2',
      exposed: [{ id: 'x1' }],
      opened: [{ toolCall: 4, tool: 'editor' }],
      reuseDetail: { novelLines: 8 },
      notes: [],
    });
    expect(unfolded['gain']).toBeCloseTo(0.1);
    const judged = await analyst.ask('list_adoptions', { run: PAIR, rule: 'visible', agent: 'a' });
    expect(judged.rows.every(({ rule }) => rule === 'visible')).toBe(true);
    expect(await analyst.refusal('get_adoption', { run: PAIR, adoption: 'a/3<b/1' })).toMatch(
      /^no-such-adoption: .*there are: "a\/3<b\/2"/,
    );
  });

  test('blame attributes every line, page by page', async () => {
    const whole = await analyst.ask<Answer & { shares: Record<string, number>; program: string }>('blame', {
      run: PAIR,
      agent: 'a',
    });
    expect(whole.program).toBe('a/5');
    expect(whole.shares['peer']).toBeGreaterThan(0.2);
    const lines = await analyst.rowsOf('blame', { run: PAIR, agent: 'a', generation: 5, limit: 7 });
    expect(lines.map(({ text }) => text).join('\n')).toBe(programText('a', 5, true).trimEnd());
    expect(await analyst.ask('blame', { run: PAIR, agent: 'a', generation: 'a/3' })).toMatchObject({ generation: 3 });
    expect(await analyst.refusal('blame', { run: PAIR, agent: 'a', generation: 77 })).toMatch(
      /^no-such-candidate: a has no generation 77/,
    );
  });

  test('list_decisions and list_calls narrow; an imported run says what it does not have', async () => {
    expect(await analyst.rowsOf('list_decisions', { run: PAIR })).toHaveLength(DECISIONS);
    const denied = await analyst.rowsOf('list_decisions', { run: PAIR, verdict: 'denied', agent: 'b', limit: 10 });
    expect(denied.map(({ id }) => id)).toEqual(
      Array.from({ length: DECISIONS }, (_, n) => n)
        .filter((n) => n % 14 === 7)
        .map((n) => `d${n}`),
    );
    const calls = await analyst.rowsOf('list_calls', { run: PAIR, model: 'm-b' });
    expect(calls).toHaveLength(GENERATIONS);
    expect(calls[3]).toMatchObject({ id: 'b/3/1', inputTokens: 30, tokens: 32, error: 'timeout' });
    expect((await analyst.ask('list_decisions', { run: HYPER })).notes).toEqual([
      expect.stringContaining('hyperspace records nothing'),
    ]);
  });

  test('diagnose answers every kind', async () => {
    const { rows } = await analyst.ask('list_diagnostics');
    expect(rows.map(({ kind }) => kind)).toEqual(DIAGNOSTICS.map(({ name }) => name));
    for (const { name } of DIAGNOSTICS) {
      const answer = await analyst.ask<{ columns: string[]; rows: unknown[][]; tables: unknown[]; runs: number }>(
        'diagnose',
        {
          kind: name,
        },
      );
      expect(answer.runs).toBe(3);
      expect(answer.tables.length).toBeGreaterThan(0);
      for (const row of answer.rows) expect(row).toHaveLength(answer.columns.length);
    }
    expect(await analyst.ask('diagnose', { kind: 'lineage', run: PAIR })).toMatchObject({ runs: 1, total: 2 });
    expect(await analyst.ask('diagnose', { kind: 'lineage', experiment: 'demo' })).toMatchObject({ runs: 2 });
    expect(await analyst.refusal('diagnose', { kind: 'adoption', rule: 'guess' })).toMatch(
      /^bad-arguments: .*adoption has the rules published/,
    );
    expect(await analyst.refusal('diagnose', { kind: 'lineage', table: 9 })).toMatch(/has tables 0 to 0/);
    expect(await analyst.refusal('diagnose', { kind: 'lineage', task: 'none' })).toMatch(
      /^no-such-run: no run matches/,
    );
  });

  test('query filters, picks and sorts', async () => {
    const args = {
      table: 'evaluations',
      run: PAIR,
      where: [
        { column: 'split', op: 'eq', value: 'validation' },
        { column: 'generation', op: 'in', value: [1, 4] },
      ],
      columns: ['candidate', 'metrics.error'],
    };
    expect((await analyst.ask('query', args)).rows).toEqual(
      ['a/1', 'b/1', 'a/4', 'b/4'].map((candidate) => ({ run: PAIR, candidate, 'metrics.error': 0.1 })),
    );
    const sorted = await analyst.rowsOf('query', {
      ...args,
      order_by: { column: 'generation', direction: 'desc' },
      limit: 1,
    });
    expect(sorted.map(({ candidate }) => candidate)).toEqual(['a/4', 'b/4', 'a/1', 'b/1']);
    const imported = await analyst.rowsOf('query', {
      table: 'candidates',
      where: [{ column: 'status', op: 'eq', value: null }],
    });
    expect(imported.map(({ run }) => run)).toEqual([HYPER, HYPER, HYPER, HYPER]);
    expect(await analyst.refusal('query', { table: 'evaluations', columns: ['detail'] })).toMatch(/^no-such-column/);
    expect(await analyst.refusal('query', { table: 'marks' })).toMatch(/^malformed: argument "table"/);
  });

  test('a run that cannot be read costs itself where all are asked', async () => {
    await writeFile(join(root, PAIR, 'run.json'), '{');
    const { rows, notes } = await analyst.ask('query', { table: 'candidates' });
    expect(rows.length).toBeGreaterThan(0);
    expect(notes).toEqual([expect.stringMatching(/^left out: the run "demo\/a\+b-s7-paired".*run\.json: not JSON$/)]);
    expect((await analyst.ask('list_adoptions')).notes).toEqual([expect.stringContaining('left out')]);
    expect(await analyst.refusal('list_calls', { run: PAIR })).toMatch(/^unreadable-run/);
  });
});
