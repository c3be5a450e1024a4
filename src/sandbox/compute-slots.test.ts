import { expect, it, vi } from 'vitest';
import { ComputeSlots } from './compute-slots.ts';
import { Deadline } from './deadline.ts';

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

it('slots are handed out first come, first served, never more than there are', async () => {
  const slots = new ComputeSlots(2);
  const order: number[] = [];
  let running = 0;
  let peak = 0;
  await Promise.all(
    [1, 2, 3, 4, 5].map(async (n) => {
      await slots.take();
      order.push(n);
      peak = Math.max(peak, ++running);
      await pause(5);
      running--;
      slots.give();
    }),
  );
  expect(order).toEqual([1, 2, 3, 4, 5]);
  expect(peak).toBe(2);
});

it('a paused deadline does not expire and keeps what is left', async () => {
  let expired = 0;
  const deadline = new Deadline(60, () => expired++);
  deadline.resume();
  await pause(20);
  deadline.pause();
  const { leftMs } = deadline;
  await pause(100);
  expect(expired).toBe(0);
  expect(deadline.leftMs).toBe(leftMs);
  deadline.resume();
  await vi.waitFor(() => expect(expired).toBe(1), 10_000);
  await pause(100);
  expect(expired).toBe(1);
  expect(deadline.leftMs).toBeLessThanOrEqual(0);
});
