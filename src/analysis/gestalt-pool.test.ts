import { describe, expect, it } from 'vitest';
import { gestaltMatch } from './difflib.ts';
import { compareAll } from './gestalt-pool.ts';
import { routine } from './test-synthetic.ts';

const textOf = (seed: number, routines: number): string =>
  Array.from({ length: routines }, (_, n) => routine(seed * 100 + n)).join('\n');

describe('compareAll()', () => {
  it('gives on several threads what gestaltMatch gives, empty texts and astral characters included', {
    timeout: 60_000,
  }, async () => {
    const texts = Array.from({ length: 8 }, (_, n) => `${textOf(n, 24)}${n % 3 === 0 ? '😀\r\n'.repeat(n) : ''}`);
    const pairs = texts.flatMap((a) => texts.map((b) => [a, b] as const));
    const compare = await compareAll([...pairs, ['', ''], ['', texts[0] ?? '']], { threads: 2, minUnits: 0 });
    for (const [a, b] of pairs.slice(0, 40)) expect(compare(a, b)).toEqual(gestaltMatch(a, b));
    expect(compare('', '')).toEqual(gestaltMatch('', ''));
    expect(compare('', texts[0] ?? '')).toEqual(gestaltMatch('', texts[0] ?? ''));
  });

  it('compares few in this thread, and what was not asked for when it is asked for', async () => {
    const compare = await compareAll([['abcd', 'bcde']]);
    expect(compare('abcd', 'bcde')).toEqual(gestaltMatch('abcd', 'bcde'));
    expect(compare('bcde', 'never seen')).toEqual(gestaltMatch('bcde', 'never seen'));
    expect(compare('abcd', 'bcde')).toBe(compare('abcd', 'bcde'));
  });

  it('ends when it is told to, with the reason', { timeout: 60_000 }, async () => {
    const texts = Array.from({ length: 40 }, (_, n) => textOf(n, 40));
    const pairs = texts.flatMap((a) => texts.map((b) => [a, b] as const));
    const stop = new AbortController();
    const running = compareAll(pairs, { threads: 2, minUnits: 0, signal: stop.signal });
    setTimeout(() => stop.abort(new Error('enough')), 50);
    await expect(running).rejects.toThrow('enough');
    await expect(compareAll([], { signal: stop.signal })).rejects.toThrow('enough');
  });
});
