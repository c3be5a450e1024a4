import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import type { Mark } from '../space/marks.ts';
import type { MarkQuery } from '../space/query.ts';
import { createMemoryLog } from '../space/memory-log.ts';
import { markPage } from './mark-pages.ts';
import type { Participant } from './participant.ts';
import { cursorOf } from './paging.ts';
import { openTestSeat } from './test-seat.ts';

/** A participant that sees marks `0..count-1`, and counts those it was asked to look at. */
function seeing(count: () => number, dead: ReadonlySet<number> = new Set()) {
  const looked = { marks: 0 };
  const written: (readonly [n: number, mark: Mark])[] = [];
  const participant = {
    marks({ live, last }: MarkQuery = {}) {
      for (let n = written.length; n < count(); n += 1) written.push([n, { id: `m${n}` } as Mark]);
      const all = live === true ? written.filter(([n]) => !dead.has(n)) : written;
      const given = last === undefined ? all : all.slice(Math.max(0, all.length - last));
      looked.marks += given.length;
      return given.map(([, mark]) => mark);
    },
  } as unknown as Participant;
  return { participant, looked };
}

const range = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

property.prop([
  fc.nat({ max: 700 }),
  fc.integer({ min: 1, max: 200 }),
  fc.array(fc.nat({ max: 400 }), { maxLength: 8 }),
  fc.boolean(),
  fc.array(fc.nat({ max: 1000 }), { maxLength: 40 }),
])(
  'every mark of the beginning is given once, newest first, whatever is written or superseded meanwhile',
  (count, limit, bursts, live, gone) => {
    let total = count;
    const dead = new Set<number>();
    const { participant } = seeing(() => total, dead);
    const given: string[] = [];
    let cursor: string | undefined;
    const query = live ? { live } : {};
    for (let round = 0; ; round += 1) {
      const page = markPage(participant, query, limit, cursor);
      expect(page).toBeDefined();
      given.push(...(page?.marks ?? []).map(({ id }) => id));
      cursor = page?.nextCursor;
      if (cursor === undefined) break;
      total += bursts[round] ?? 0;
      for (const n of gone.slice(round * 5, round * 5 + 5)) if (live && n < total) dead.add(n);
    }
    const numbers = given.map((id) => Number(id.slice(1)));
    expect(numbers).toEqual(numbers.toSorted((a, b) => b - a));
    const once = new Set(numbers);
    expect(once.size).toBe(numbers.length);
    expect(range(count).filter((n) => !dead.has(n) && !once.has(n))).toEqual([]);
    expect(Math.max(-1, ...numbers)).toBeLessThan(Math.max(count, 1));
  },
);

test('a page looks at about as many marks as were given, not at all there are', () => {
  const { participant, looked } = seeing(() => 100_000);
  const first = markPage(participant, {}, 50, undefined);
  expect(looked.marks).toBe(51);
  markPage(participant, {}, 50, first?.nextCursor);
  expect(looked.marks).toBeLessThan(500);
});

test.each([
  '',
  'x',
  cursorOf('x'),
  cursorOf('5 nothing'),
  cursorOf('-1 m3'),
  cursorOf('99999999999 m3'),
  'bTM=',
])('%j is no cursor', (cursor) => {
  expect(markPage(seeing(() => 10).participant, {}, 3, cursor)).toBeUndefined();
});

test('a cursor for a mark that may not be seen is one for a mark that is not there', async () => {
  const bench = await openTestSeat({ log: createMemoryLog() });
  const hidden = await bench.hide();
  expect(markPage(bench.seat, {}, 3, cursorOf(`1 ${hidden}`))).toBeUndefined();
});
