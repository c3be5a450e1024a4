import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Results } from './analyst-results.ts';
import { ANALYST_TOOLS, analystServer } from './analyst-server.ts';
import { TestAnalyst } from './test-analyst.ts';
import { callTool, connectInMemory } from './test-mcp-client.ts';
import { HIDDEN_CASE, makeResults, PAIR } from './test-results.ts';

let root = '';
let analyst: TestAnalyst;

beforeEach(async () => {
  root = await makeResults();
  analyst = await TestAnalyst.open(root);
});

describe('attacks', () => {
  test('what hidden cases were and where the results lie is in no answer', async () => {
    const args: Record<string, Record<string, unknown>> = {
      get_adoption: { run: PAIR, adoption: 'a/3<b/2' },
      get_candidate: { run: PAIR, candidate: 'a/1' },
      diff: { run: PAIR, a: 'a/0', b: 'b/5' },
      blame: { run: PAIR, agent: 'a' },
      lineage: { run: PAIR, candidate: 'a/5' },
      diagnose: { kind: 'overfit' },
    };
    const asked = ANALYST_TOOLS.map(
      ({ definition: { name } }) =>
        [
          name,
          args[name] ??
            (name === 'list_runs' || name === 'list_diagnostics' || name === 'list_adoptions' ? {} : { run: PAIR }),
        ] as const,
    );
    const tables = ['evaluations', 'runs', 'calls', 'environments', 'candidates'].map(
      (table) => ['query', { table }] as const,
    );
    for (const [name, given] of [...asked.filter(([tool]) => tool !== 'query'), ...tables]) {
      const text = JSON.stringify(await callTool(analyst.client, name, given));
      expect(text, name).not.toContain(HIDDEN_CASE);
      expect(text, name).not.toContain(root);
      expect(text, name).not.toContain('/home/');
      expect(text, name).not.toContain('isError');
    }
    const detail = await analyst.refusal('query', {
      table: 'evaluations',
      where: [{ column: 'detail', op: 'contains', value: '' }],
    });
    expect(detail).toMatch(/^no-such-column/);
  });

  test.each([
    { limit: 201 },
    { limit: 0 },
    { limit: 1e308 },
    { limit: '5' },
    { limit: 1.5 },
    { run: { toString: 'x' } },
    { run: 'x'.repeat(100_000) },
    { where: Array.from({ length: 17 }, () => ({ column: 'id', op: 'eq', value: 1 })) },
    { where: [{ column: 'id', op: 'matches', value: '(a+)+$' }] },
    { where: [{ column: 'id', op: 'eq', value: 1, extra: 1 }] },
    JSON.parse('{"__proto__": {"limit": 5}}') as Record<string, unknown>,
    { columns: [] },
    { cursor: 'A'.repeat(100_000) },
  ])('arguments of the wrong shape are refused: %.60j', async (bad) => {
    expect(await analyst.refusal('query', { table: 'calls', ...bad })).toMatch(/^(?:malformed|bad-cursor)/);
    expect(analyst.failures).toEqual([]);
  });

  test('what looks like an expression is only text', async () => {
    const started = performance.now();
    for (const value of ['(a+)+$', `${'a'.repeat(4_000)}!`, '.*.*.*.*=.*']) {
      expect(
        (await analyst.ask('query', { table: 'decisions', where: [{ column: 'id', op: 'contains', value }] })).rows,
      ).toEqual([]);
    }
    expect(performance.now() - started).toBeLessThan(5_000);
  });

  test('own keys of programs that mean something to JavaScript are names like others', async () => {
    for (const name of ['__proto__', 'constructor', 'toString']) {
      expect(await analyst.refusal('get_candidate', { run: PAIR, candidate: name })).toMatch(/^no-such-candidate/);
      expect(await analyst.refusal('get_candidate', { run: PAIR, candidate: 'a/1', file: name })).toMatch(
        /^no-such-file/,
      );
      expect(await analyst.refusal('query', { table: 'calls', columns: [name] })).toMatch(/^no-such-column/);
    }
  });

  test('a table that is no text has no rows', async () => {
    await writeFile(join(root, PAIR, 'trace/decisions.jsonl'), Buffer.of(0xff, 0xfe, 10));
    expect((await analyst.ask('list_decisions', { run: PAIR })).rows).toEqual([]);
    expect(analyst.failures).toEqual([]);
  });

  test('a fault inside says nothing of the host to the client', async () => {
    const fault = new Error(`EIO: /home/somebody${root}`);
    const broken = { runs: () => Promise.reject(fault) } as unknown as Results;
    const heard: unknown[] = [];
    const { client } = await connectInMemory(analystServer(broken, { onFailure: (error) => heard.push(error) }));
    const failure = client.callTool({ name: 'list_runs', arguments: {} });
    await expect(failure).rejects.toThrow(/failed inside/);
    await expect(failure).rejects.not.toThrow(/somebody/);
    expect(heard).toEqual([fault]);
  });
});
