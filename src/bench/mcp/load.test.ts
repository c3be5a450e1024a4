import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { seededRandom } from '../../experiment/seeded-random.ts';
import { type Act, closedLoop, isEdit, openLoop } from './load.ts';

const IDLE = { usage: () => Promise.resolve({ cpuMs: 0, heapBytes: 0 }) };

describe('a closed loop', () => {
  test('has every agent make one call at a time, the next when the last is answered', async () => {
    const underWay = [0, 0, 0];
    let most = 0;
    const acts = underWay.map(
      (_, agent): Act =>
        async () => {
          underWay[agent] = (underWay[agent] ?? 0) + 1;
          most = Math.max(most, ...underWay);
          await sleep(5);
          underWay[agent] = (underWay[agent] ?? 0) - 1;
        },
    );
    const { callsPerSecond, answeredMs } = await closedLoop(acts, 0.3, IDLE);
    expect(most).toBe(1);
    expect(answeredMs.median).toBeGreaterThanOrEqual(4);
    // Three agents, five milliseconds a call and more on a busy machine, where there may be hardly one.
    expect(callsPerSecond).toBeGreaterThan(0);
    expect(callsPerSecond).toBeLessThan(1000);
  });

  test('ends with the error of a call that is refused', async () => {
    const refused: Act = () => Promise.reject(new Error('view was refused'));
    await expect(closedLoop([refused], 1, IDLE)).rejects.toThrow('view was refused');
  });
});

describe('an open loop', () => {
  test('counts from when a call was due, the wait behind its agent’s last call included', async () => {
    let calls = 0;
    const act: Act = async () => {
      calls += 1;
      await sleep(40);
    };
    // One agent that answers 25 a second and is asked 100: the last calls wait for those before.
    const { median, p99 } = await openLoop([act], 100, 0.4, seededRandom('test'));
    expect(calls).toBeGreaterThan(20);
    expect(median).toBeGreaterThan(200);
    expect(p99).toBeGreaterThan(600);
  });

  test('asks at the rate that was asked for, whatever the answers do', async () => {
    let calls = 0;
    const acts = Array.from({ length: 50 }, (): Act => async () => void (calls += 1));
    await openLoop(acts, 400, 0.5, seededRandom('test'));
    expect(calls).toBeGreaterThan(150);
    expect(calls).toBeLessThan(250);
  });

  test('ends with the error of a call that is refused', async () => {
    const refused: Act = () => Promise.reject(new Error('view was refused'));
    await expect(openLoop([refused], 100, 0.1, seededRandom('test'))).rejects.toThrow('view was refused');
  });
});

test('one call of five is an edit', () => {
  expect(Array.from({ length: 100 }, (_, n) => isEdit(n)).filter(Boolean)).toHaveLength(20);
});
