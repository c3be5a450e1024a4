import { expect, test } from 'vitest';
import { DueQueue } from './due-queue.ts';

test('a path that is marked again waits on, but not for ever', () => {
  const queue = new DueQueue({ maxPaths: 10, maxHoldMs: 100 });
  queue.mark('a', 0, 10, true);
  queue.mark('a', 5, 10, true);
  expect(queue.take(12)).toEqual([]);
  expect(queue.nextAt()).toBe(15);
  for (let now = 10; now < 200; now += 5) queue.mark('a', now, 10, true);
  expect(queue.nextAt()).toBeLessThanOrEqual(200);
  expect(queue.take(200)).toEqual(['a']);
  expect(queue.nextAt()).toBeUndefined();
});

test('past its bound new paths are dropped and said so once the rest is done; what is known never is', () => {
  const queue = new DueQueue({ maxPaths: 2, maxHoldMs: 100 });
  for (const path of ['a', 'b', 'c']) queue.mark(path, 0, 0, false);
  queue.mark('known', 0, 0, true);
  expect(queue.isDrained()).toBe(false);
  expect(queue.take(0)).toEqual(['a', 'b', 'known']);
  expect(queue.isDrained()).toBe(true);
  expect(queue.isDrained()).toBe(false);
});
