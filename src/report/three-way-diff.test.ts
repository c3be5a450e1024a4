import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { type DiffBlock, threeWayDiff } from './three-way-diff.ts';

const OWN = ['start one', 'own work alpha beta', 'own work gamma delta', 'the end'];
const PEER = ['start one', 'peer routine with a long name', 'peer routine going on', 'the end'];

function kinds(blocks: readonly DiffBlock[]): readonly (readonly [string, number])[] {
  return blocks.map(({ kind, lines }) => [kind, lines.length]);
}

describe('threeWayDiff()', () => {
  it('tells what was taken, kept, made new, dropped and not taken', () => {
    const after = ['start one', 'own work alpha beta', 'peer routine with a long name', 'something new', 'the end'];
    const { blocks, counts } = threeWayDiff(OWN.join('\n'), PEER.join('\n'), after.join('\n'));
    expect(kinds(blocks)).toEqual([
      ['both', 1],
      ['kept', 1],
      ['taken', 1],
      ['new', 1],
      ['dropped', 1],
      ['left', 1],
      ['both', 1],
    ]);
    expect(counts).toEqual({ both: 2, kept: 1, taken: 1, new: 1, dropped: 1, left: 1 });
    expect(blocks[2]).toEqual({ kind: 'taken', lines: ['peer routine with a long name'], peer: 2, after: 3 });
  });

  it('finds code that was put elsewhere', () => {
    const routine = ['function relocate(models) {', '  return models.map(place).toSorted();', '}'];
    const peer = [...routine, 'shared first line of it', 'shared second line of it', 'shared third line'];
    const own = peer.slice(3);
    const { blocks } = threeWayDiff(own.join('\n'), peer.join('\n'), [...own, ...routine].join('\n'));
    expect(kinds(blocks)).toEqual([
      ['both', 3],
      ['taken', 3],
    ]);
    expect(blocks[1]?.peer).toBe(1);
  });

  it('does not take brackets that stand elsewhere for taken', () => {
    const { blocks } = threeWayDiff('', '}\nx\ny', 'x\ny\n}');
    expect(kinds(blocks)).toEqual([
      ['left', 1],
      ['taken', 2],
      ['new', 1],
    ]);
  });

  it('takes line ends of any kind, and white space at line ends, for the same', () => {
    const { blocks } = threeWayDiff('one\r\ntwo  \r\n', 'one\rtwo', 'one\ntwo\n');
    expect(kinds(blocks)).toEqual([['both', 2]]);
  });

  const program = fc.array(
    fc.constantFrom('a line of code', 'another line here', '}', '', 'x', 'const y = compute(1)'),
    {
      maxLength: 30,
    },
  );
  test.prop([program, program, program])(
    'shows every line of all three programs once, with its number',
    (own, peer, after) => {
      const { blocks } = threeWayDiff(own.join('\n'), peer.join('\n'), after.join('\n'));
      for (const [side, lines] of [
        ['own', own],
        ['peer', peer],
        ['after', after],
      ] as const) {
        const seen = new Map<number, string>();
        for (const block of blocks) {
          const from = block[side];
          if (from === undefined) continue;
          for (const [n, line] of block.lines.entries()) {
            expect(seen.has(from + n)).toBe(false);
            seen.set(from + n, line);
          }
        }
        const text = lines.join('\n');
        const stored = text === '' ? [] : text.endsWith('\n') ? lines.slice(0, -1) : lines;
        expect([...seen].sort(([a], [b]) => a - b).map(([, line]) => line)).toEqual(stored);
      }
      const placed = blocks.flatMap(({ after: from, lines }) =>
        from === undefined ? [] : lines.map((_, n) => from + n),
      );
      expect(placed).toEqual([...placed].sort((a, b) => a - b));
    },
  );
});
