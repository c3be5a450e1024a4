import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chainHash, followHead, sealText, type StoredRecord } from './chain.ts';
import { GENESIS_HASH, type LogHead } from './log.ts';

const START: LogHead = { seq: 0, hash: GENESIS_HASH };

function chainOf(bodies: readonly string[]): StoredRecord[] {
  const chain: StoredRecord[] = [];
  let head = START;
  for (const [i, body] of bodies.entries()) {
    const record = sealText(head, `k${i}`, body);
    chain.push(record);
    head = record;
  }
  return chain;
}

/** The position of the first record that does not follow, or undefined. */
function firstBad(chain: readonly StoredRecord[]): number | undefined {
  let head: LogHead = START;
  for (const record of chain) {
    const step = followHead(head, record);
    if (!step.ok) return head.seq + 1;
    head = step.record;
  }
  return undefined;
}

describe('the chain', () => {
  it('is followed by what follows, and by nothing that was made to fit itself alone (S12)', () => {
    const foreign = '1'.repeat(64);
    const chain = chainOf(['a', 'b', 'c']);
    expect(firstBad(chain)).toBeUndefined();
    // A record that fits its own content, but not the one before it, with all that comes after made anew.
    const spliced = { seq: 2, key: 'k1', body: 'B', prev: foreign, hash: chainHash(foreign, 2, 'k1', 'B') };
    expect(firstBad([...chain.slice(0, 1), spliced, sealText(spliced, 'k2', 'c')])).toBe(2);
  });

  it('names the first record that was changed, whichever field of it (S12)', () => {
    const bodies = fc.array(fc.string(), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(bodies, fc.nat(), fc.constantFrom('body', 'key', 'prev', 'hash'), (texts, at, field) => {
        const chain = chainOf(texts);
        const place = at % chain.length;
        const changed = chain.map((record, i) => (i === place ? { ...record, [field]: `${record[field]}x` } : record));
        expect(firstBad(changed)).toBe(place + 1);
      }),
    );
  });

  it('hashes no two records alike because key and body run into each other', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), fc.string({ minLength: 1 }), (a, b, c) => {
        const split = (key: string, body: string): string => chainHash(GENESIS_HASH, 1, key, body);
        expect(split(`${a}\n${b}`, c)).not.toBe(split(a, `${b}\n${c}`));
        expect(split(a, b)).not.toBe(split(a, `${b}${c}`));
      }),
    );
  });
});
