import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fc, test as property } from '@fast-check/vitest';
import { beforeEach, describe, expect, test } from 'vitest';
import { TestAnalyst } from './test-analyst.ts';
import { DECISIONS, decisionRow, makeResults, PAIR, writeTable } from './test-results.ts';

let root = '';
let analyst: TestAnalyst;

beforeEach(async () => {
  root = await makeResults();
  analyst = await TestAnalyst.open(root);
});

describe('pages', () => {
  const QUESTIONS: readonly (readonly [string, Record<string, unknown>])[] = [
    ['list_runs', {}],
    ['list_candidates', { run: PAIR, order: 'best' }],
    ['list_decisions', { run: PAIR, verdict: 'allow' }],
    ['query', { table: 'candidates' }],
    ['query', { table: 'decisions', order_by: { column: 'agent' } }],
    ['query', { table: 'evaluations', order_by: { column: 'score', direction: 'desc' } }],
    ['blame', { run: PAIR, agent: 'b' }],
  ];

  property.prop([fc.constantFrom(...QUESTIONS), fc.integer({ min: 3, max: 200 })], { numRuns: 8 })(
    'of any size hold together every row once, in the same order',
    async ([name, args], limit) => {
      const all = await analyst.rowsOf(name, { ...args, limit: 200 });
      expect(await analyst.rowsOf(name, { ...args, limit })).toEqual(all);
      expect(new Set(all.map((row) => JSON.stringify(row))).size).toBe(all.length);
    },
    60_000,
  );

  test('go on in a table that has grown, and not in one that was written anew', async () => {
    const table = join(root, PAIR, 'trace/decisions.jsonl');
    const first = await analyst.ask('list_decisions', { run: PAIR, limit: 200 });
    await appendFile(table, `${JSON.stringify(decisionRow(DECISIONS))}\n`);
    const more = await analyst.ask('list_decisions', { run: PAIR, limit: 200, cursor: first.nextCursor });
    expect(first.rows.length + more.rows.length).toBeGreaterThan(200);
    await writeTable(
      join(root, PAIR),
      'decisions',
      Array.from({ length: 300 }, (_, n) => ({ ...decisionRow(n), id: `e${n}` })),
    );
    expect(await analyst.refusal('list_decisions', { run: PAIR, limit: 200, cursor: first.nextCursor })).toMatch(
      /^stale-cursor: .*leave cursor out/,
    );
  });

  test('are refused with a cursor that is none, or of another question', async () => {
    const { nextCursor: cursor } = await analyst.ask('list_decisions', { run: PAIR, limit: 5 });
    for (const forged of ['x', `${cursor}x`, '%00', '../..', 'e30']) {
      expect(await analyst.refusal('list_decisions', { run: PAIR, cursor: forged })).toMatch(
        /^bad-cursor: .*leave cursor out/,
      );
    }
    expect(await analyst.refusal('list_decisions', { run: PAIR, agent: 'a', cursor })).toMatch(
      /^bad-cursor: .*other arguments/,
    );
    expect(await analyst.refusal('list_calls', { run: PAIR, cursor })).toMatch(/^bad-cursor/);
  });
});
