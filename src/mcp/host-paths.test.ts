import { describe, expect, test } from 'vitest';
import { withoutHostPaths, withoutHostPathsIn } from './host-paths.ts';

describe('withoutHostPaths()', () => {
  test.each([
    ['/home/me/tasks/sine', 'sine'],
    ['replay//home/me/rec/b.jsonl', 'replay/b.jsonl'],
    ['cannot open /tmp/x/y.json (ENOENT)', 'cannot open y.json (ENOENT)'],
    ['at "/srv/a/b.ts":3', 'at "b.ts":3'],
    ['file:///home/me/x.ts:1', 'x.ts:1'],
    ['C:\\Users\\me\\x.ts', 'x.ts'],
    ['path=/opt/data/results/', 'path='],
  ])('cuts %s down to %s', (text, short) => {
    expect(withoutHostPaths(text)).toBe(short);
  });

  test.each([
    'https://models.example/v1/chat',
    'strategies/b_gen3/x.ts',
    'a/b',
    'openai/gpt-6',
    '1/2 + 3/4',
    './x/y',
    'and/or',
  ])('leaves %s alone', (text) => {
    expect(withoutHostPaths(text)).toBe(text);
  });

  test('takes time in proportion to the text, whatever is in it', () => {
    const started = performance.now();
    for (const part of ['/a', '//', '/a/ ', 'file://', '/a"', 'C:\\a\\']) withoutHostPaths(part.repeat(50_000));
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  test('reaches every text of a value', () => {
    expect(withoutHostPathsIn({ a: ['/x/y/z', 1, null], b: { c: '/x/y/w' } })).toEqual({
      a: ['z', 1, null],
      b: { c: 'w' },
    });
  });
});
