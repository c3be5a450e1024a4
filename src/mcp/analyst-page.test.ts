import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import { z } from 'zod';
import { stateIn } from './analyst-cursor.ts';
import { byteLength, clip, MAX_ANSWER_BYTES, pageOf, partOf, type Step } from './analyst-page.ts';

const after = z.strictObject({ n: z.int() });

async function allPages(rows: readonly unknown[], limit: number): Promise<unknown[]> {
  const all: unknown[] = [];
  let cursor: string | undefined;
  do {
    const args = { limit, ...(cursor !== undefined && { cursor }) };
    const from = stateIn('t', args, after)?.n ?? 0;
    const steps = rows
      .slice(from)
      .map((row, n): Step<unknown, z.output<typeof after>> => ({ row, after: { n: from + n + 1 } }));
    const page = await pageOf({ tool: 't', args }, steps);
    expect(page.rows.length).toBeLessThanOrEqual(limit);
    expect(byteLength(page.rows)).toBeLessThan(MAX_ANSWER_BYTES * 1.1);
    if (page.nextCursor !== undefined) expect(page.rows.length).toBeGreaterThan(0);
    all.push(...page.rows);
    cursor = page.nextCursor;
  } while (cursor !== undefined);
  return all;
}

describe('pageOf()', () => {
  test.prop([fc.array(fc.nat({ max: 4_000 }), { maxLength: 60 }), fc.integer({ min: 1, max: 20 })], { numRuns: 60 })(
    'gives every row once and in order, in pages of bounded size',
    async (sizes, limit) => {
      const rows = sizes.map((size, n) => ({ n, texts: Array.from({ length: 6 }, () => 'x'.repeat(size)) }));
      const all = (await allPages(rows, limit)) as { n: number }[];
      expect(all.map(({ n }) => n)).toEqual(rows.map(({ n }) => n));
    },
  );

  test('says what was cut, and cuts less when fewer rows are asked for', async () => {
    const rows = [{ row: { text: 'x'.repeat(10_000) }, after: { n: 1 } }];
    const many = await pageOf({ tool: 't', args: { limit: 50 } }, rows);
    expect(many.rows[0]?.text.length).toBeLessThan(2_000);
    expect(many.notes).toEqual([expect.stringContaining('smaller limit')]);
    const one = await pageOf({ tool: 't', args: { limit: 1 } }, rows);
    expect(one.rows[0]?.text.length).toBe(10_000);
    expect(one.notes).toEqual([]);
  });

  test('goes on from where reading was paused', async () => {
    const page = await pageOf({ tool: 't', args: { limit: 5 } }, [{ pausedAt: { n: 3 } }]);
    expect(page.rows).toEqual([]);
    expect(stateIn('t', { limit: 5, cursor: page.nextCursor }, after)).toEqual({ n: 3 });
  });
});

describe('clip()', () => {
  test.prop([fc.anything({ maxDepth: 5, withNullPrototype: false })], { numRuns: 200 })(
    'keeps a small value as it is',
    (value) => {
      fc.pre(byteLength(value) < 900);
      expect(clip(value, 1_000)).toEqual({ value, cuts: 0 });
    },
  );

  test('makes any value small: many keys, many elements, deep nesting', () => {
    const deep: unknown = JSON.parse(`${'['.repeat(5_000)}1${']'.repeat(5_000)}`);
    const wide = Object.fromEntries(Array.from({ length: 50_000 }, (_, n) => [`key${n}`, 'x'.repeat(500)]));
    for (const value of [{ deep }, { wide }, { list: Array.from({ length: 100_000 }, () => wide) }]) {
      const { value: cut, cuts } = clip(value, 1_000);
      expect(byteLength(cut)).toBeLessThanOrEqual(MAX_ANSWER_BYTES);
      expect(cuts).toBeGreaterThan(0);
    }
  });
});

describe('partOf()', () => {
  test.prop([fc.string({ unit: 'binary', maxLength: 300 }), fc.integer({ min: 16, max: 60 })], { numRuns: 100 })(
    'gives a text in parts that are the text together',
    (text, maxBytes) => {
      let all = '';
      for (let at: number | undefined = 0; at !== undefined; ) {
        const { part, next } = partOf(text, at, maxBytes);
        expect(part.isWellFormed()).toBe(true);
        all += part;
        at = next;
      }
      expect(all).toBe(text);
    },
  );
});
