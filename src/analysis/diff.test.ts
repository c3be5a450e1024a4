import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { changedLines, splitLines } from './diff.ts';

describe('splitLines()', () => {
  it('ends lines where Python does, and has no line after the last end', () => {
    expect(splitLines('a\nb\r\nc\rd\ve\ff\x1cg\x1dh\x1ei\x85j\u2028k\u2029')).toEqual('abcdefghijk'.split(''));
    expect(splitLines('')).toEqual([]);
    expect(splitLines('\n')).toEqual(['']);
    expect(splitLines('a\n\n')).toEqual(['a', '']);
    expect(splitLines('a\x1fb\t')).toEqual(['a\x1fb\t']);
  });
});

describe('changedLines()', () => {
  it('gives what a unified diff without context lists', () => {
    expect(changedLines(['a', 'b', 'c'], ['a', 'x', 'c', 'd'])).toEqual({ removed: ['b'], added: ['x', 'd'] });
    expect(changedLines([], ['a'])).toEqual({ removed: [], added: ['a'] });
    expect(changedLines(['a'], ['a'])).toEqual({ removed: [], added: [] });
  });

  it('accounts for every line: what is kept is the same on both sides', () => {
    const lines = fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 30 });
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const { removed, added } = changedLines(before, after);
        expect(before.length - removed.length).toBe(after.length - added.length);
        const kept = (all: readonly string[], gone: readonly string[]): string[] => {
          const left = [...all];
          for (const line of gone) left.splice(left.indexOf(line), 1);
          return left.sort();
        };
        expect(kept(before, removed)).toEqual(kept(after, added));
      }),
    );
  });
});
