import { describe, expect, test } from 'vitest';
import type { MarkId } from '../../space/marks.ts';
import { DELIVERY_VIOLATIONS, DeliveryBook, type DeliveryViolation } from './delivery-book.ts';
import { memberAt, sourceOf, STAGES, WIDTHS } from './pipeline-plan.ts';
import { type PipelineSession, runComposition } from './run-composition.ts';

const SHORT = { ticks: 12, seed: 1 };

describe('a pipeline over the real gate', () => {
  test('gives every subscriber every mark once, in order, none from before (P49, P50, P51, P52)', async () => {
    const report = await runComposition(SHORT);
    expect(report.violations).toEqual({ lost: 0, duplicated: 0, outOfOrder: 0, fromBefore: 0, unmatched: 0 });
    expect(report.delivered).toEqual(report.due);
    expect(report.swaps).toBe(4);
    for (const stage of STAGES) {
      expect(report.produced[stage]).toBeGreaterThan(0);
      const source = sourceOf(stage);
      if (source === undefined) continue;
      const left = stage === 'filter' ? report.leftUnread : 0;
      expect(report.delivered[stage] + left).toBe(report.produced[source] * WIDTHS[stage]);
    }
    // One tick's readings, which the filter that was swapped out midway had not read.
    expect(report.leftUnread).toBe(WIDTHS.sensor);
  });

  test('stops at the next tick once it is aborted', async () => {
    const controller = new AbortController();
    controller.abort(new Error('enough'));
    await expect(runComposition({ ...SHORT, signal: controller.signal })).rejects.toThrow('enough');
  });
});

type Poll = PipelineSession['poll'];
const polled = (session: PipelineSession, poll: Poll): PipelineSession => ({
  write: (draft, options) => session.write(draft, options),
  execute: (request, tool) => session.execute(request, tool),
  subscribe: (name, pattern) => session.subscribe(name, pattern),
  unsubscribe: (name) => session.unsubscribe(name),
  poll,
});

const BROKEN: readonly (readonly [DeliveryViolation, string, () => (session: PipelineSession) => PipelineSession])[] = [
  [
    'lost',
    'drops the last mark of a page',
    () => (session) =>
      polled(session, async (name, options) => {
        const page = await session.poll(name, options);
        return page.marks.length > 1 ? { ...page, marks: page.marks.slice(0, -1) } : page;
      }),
  ],
  [
    'duplicated',
    'gives the first mark of a page twice',
    () => (session) =>
      polled(session, async (name, options) => {
        const page = await session.poll(name, options);
        return { ...page, marks: [...page.marks.slice(0, 1), ...page.marks] };
      }),
  ],
  [
    'outOfOrder',
    'turns pages round',
    () => (session) =>
      polled(session, async (name, options) => {
        const page = await session.poll(name, options);
        return { ...page, marks: page.marks.toReversed() };
      }),
  ],
  [
    'unmatched',
    'gives marks that were never written there',
    () => (session) =>
      polled(session, async (name, options) => {
        const page = await session.poll(name, options);
        return { ...page, marks: page.marks.map((mark) => ({ ...mark, id: `${mark.id}?` as MarkId })) };
      }),
  ],
];

describe('each counter can rise:', () => {
  test.each(BROKEN)('%s, over a space that %s', async (violation, _how, wrap) => {
    const { violations } = await runComposition(SHORT, wrap());
    expect(violations[violation]).toBeGreaterThan(0);
  });

  test('fromBefore, for a mark that was there when the agent subscribed', () => {
    const book = new DeliveryBook();
    const filter = memberAt('filter', 0, 0, false);
    const [early, late] = ['early', 'late'] as readonly string[] as readonly [MarkId, MarkId];
    book.wrote('sensor', early);
    book.subscribed(filter);
    book.wrote('sensor', late);
    book.got(filter, [early, late]);
    book.caughtUp(filter);
    const { violations } = book.close(
      new Map([
        [early, 1],
        [late, 2],
      ]),
    );
    expect(violations).toEqual({ lost: 0, duplicated: 0, outOfOrder: 0, fromBefore: 1, unmatched: 0 });
  });

  test('every one of them is tried', () => {
    expect(new Set([...BROKEN.map(([violation]) => violation), 'fromBefore'])).toEqual(new Set(DELIVERY_VIOLATIONS));
  });
});
