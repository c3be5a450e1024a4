import { describe, expect, it } from 'vitest';
import { array, assert, integer, nat, property } from 'fast-check';
import { SuffixAutomaton } from './suffix-automaton.ts';

/** The definition, by brute force. */
function longestCommonRun(a: readonly number[], b: readonly number[]): number {
  let longest = 0;
  for (let i = 0; i < a.length; i++) {
    for (let j = 0; j < b.length; j++) {
      let n = 0;
      while (i + n < a.length && j + n < b.length && a[i + n] === b[j + n]) n++;
      longest = Math.max(longest, n);
    }
  }
  return longest;
}

describe('SuffixAutomaton', () => {
  const sequence = array(integer({ min: 0, max: 3 }), { maxLength: 40 });

  it('finds the longest common run that brute force finds', () => {
    assert(
      property(sequence, sequence, (a, b) => {
        const whole = [{ from: 0, to: a.length }];
        const found = new SuffixAutomaton(Int32Array.from(b)).longestRunIn(Int32Array.from(a), whole);
        expect(found).toBe(longestCommonRun(a, b));
      }),
    );
  });

  it('does not let a run cross from one stretch into the next', () => {
    assert(
      property(sequence, sequence, nat(40), (a, b, cut) => {
        const at = Math.min(cut, a.length);
        const stretches = [
          { from: 0, to: at },
          { from: at, to: a.length },
        ];
        const found = new SuffixAutomaton(Int32Array.from(b)).longestRunIn(Int32Array.from(a), stretches);
        expect(found).toBe(Math.max(longestCommonRun(a.slice(0, at), b), longestCommonRun(a.slice(at), b)));
      }),
    );
  });

  it('takes under 50 ms for two files of 60 KB', () => {
    let x = 1;
    const next = () => (x = (Math.imul(x, 1103515245) + 12345) & 0x7fffffff) >> 16;
    const ids = Int32Array.from({ length: 30_000 }, () => next() % 900);
    const turned = Int32Array.from([...ids.subarray(10_000), ...ids.subarray(0, 10_000)]);
    expect(new SuffixAutomaton(ids).longestRunIn(ids, [{ from: 0, to: 9 }])).toBe(9);
    // The best of five, by this thread alone: neighbours on the machine cost caches and cores, and the first compiles.
    const took = Array.from({ length: 5 }, () => {
      const before = process.threadCpuUsage();
      expect(new SuffixAutomaton(ids).longestRunIn(turned, [{ from: 0, to: ids.length }])).toBe(20_000);
      const { user, system } = process.threadCpuUsage(before);
      return (user + system) / 1000;
    });
    expect(Math.min(...took)).toBeLessThan(50);
  });

  it('takes linear time for a flood of one symbol', () => {
    const flood = new Int32Array(60_000);
    const before = process.cpuUsage();
    expect(new SuffixAutomaton(flood).longestRunIn(flood, [{ from: 0, to: 60_000 }])).toBe(60_000);
    expect(process.cpuUsage(before).user).toBeLessThan(500_000);
  });
});
