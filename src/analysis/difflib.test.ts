import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { gestaltMatch, gestaltRatio, matchingBlocks } from './difflib.ts';

const SHARED = fileURLToPath(new URL('../../../shared/data/', import.meta.url));
const TRUTH = join(SHARED, 'hyperspace-4runs.truth.json');
const HAS_PUBLISHED_RUNS = existsSync(TRUTH);
const HAS_PYTHON = spawnSync('python3', ['-c', 'import difflib']).status === 0;

if (!HAS_PUBLISHED_RUNS) console.info('SKIPPED: the 181 published pairs, because ../shared/data is not there');
if (!HAS_PYTHON) console.info('SKIPPED: the comparisons with CPython, because python3 is not there');

/** The same pseudo-random text in any language: a 31-bit linear congruential generator. */
function textOf(seed: number, length: number, alphabet: readonly string[]): string {
  let x = seed;
  let text = '';
  for (let n = 0; n < length; n++) {
    x = (Math.imul(x, 1103515245) + 12345) & 0x7fffffff;
    text += alphabet[(x >> 16) % alphabet.length] ?? '';
  }
  return text;
}

const ALPHABETS = [
  ['a', 'b'],
  'abcdefghijklmnopqrstuvwxyz(){}=; '.split(''),
  [...Array.from({ length: 90 }, (_, n) => String.fromCodePoint(0x1f300 + n)), 'x', 'y', 'z'],
] as const;

/** Recorded from CPython 3.11: length of a, of b before a piece of a is added, alphabet, matched, blocks, popular, ratio. */
const CPYTHON = [
  [0, 0, 0, 0, 0, 0, 1.0],
  [0, 5, 0, 0, 0, 0, 0.0],
  [150, 150, 0, 73, 9, 0, 0.4492307692307692],
  [160, 80, 1, 42, 12, 0, 0.3146067415730337],
  [300, 160, 1, 2, 2, 27, 0.00784313725490196],
  [199, 133, 1, 49, 15, 0, 0.2684931506849315],
  [200, 134, 1, 46, 10, 0, 0.25],
  [260, 230, 1, 3, 3, 32, 0.011235955056179775],
  [1200, 900, 2, 226, 24, 40, 0.19652173913043477],
  [400, 700, 2, 80, 11, 46, 0.13710368466152528],
  [90, 90, 2, 21, 7, 0, 0.2153846153846154],
] as const;

describe('gestaltRatio()', () => {
  it.each(
    CPYTHON,
  )('gives what CPython gave for texts of %i and %i', (lenA, lenB, alphabet, matched, blocks, popular, ratio) => {
    const symbols = ALPHABETS[alphabet];
    const a = textOf(lenA + 1, lenA, symbols);
    const piece = Array.from(a)
      .slice(Math.floor(lenA / 3), Math.floor(lenA / 2))
      .join('');
    const b = textOf(lenB + 7, lenB, symbols) + piece;
    expect(gestaltMatch(a, b)).toMatchObject({ matched, blocks, popular, ratio });
  });

  it('counts code points, not UTF-16 units, and a lone surrogate as one', () => {
    expect(gestaltMatch('a😀b', '😀')).toMatchObject({ lenA: 3, lenB: 1, matched: 1, ratio: 0.5 });
    expect(gestaltMatch('\ud83d', '\ud83d\ude00')).toMatchObject({ lenA: 1, lenB: 1, matched: 0 });
  });

  it('takes CR and CRLF for LF', () => {
    expect(gestaltMatch('a\r\nb\rc\n', 'a\nb\nc\n')).toMatchObject({ lenA: 6, lenB: 6, matched: 6, ratio: 1 });
    expect(gestaltMatch('\r\r\n', '\n\n').ratio).toBe(1);
  });

  it('is 1 for two empty texts and for equal ones, 0 for an empty one against another', () => {
    expect(gestaltRatio('', '')).toBe(1);
    expect(gestaltRatio('same', 'same')).toBe(1);
    expect(gestaltRatio('', 'x')).toBe(0);
  });

  it('is not symmetric', () => {
    expect([gestaltMatch('tide', 'diet').matched, gestaltMatch('diet', 'tide').matched]).toEqual([1, 2]);
  });

  it('matches equal texts whole even where every element is popular', () => {
    expect(gestaltMatch('a'.repeat(300), 'a'.repeat(300))).toMatchObject({
      matched: 300,
      blocks: 1,
      popular: 1,
      ratio: 1,
    });
    expect(gestaltMatch(`x${'a'.repeat(300)}`, 'a'.repeat(300)).matched).toBe(0);
  });

  it('compares sequences of other symbols, as lines are', () => {
    const found = matchingBlocks(Int32Array.of(0, 1, 2, 3), Int32Array.of(4, 1, 2, 0), 5);
    expect(found).toMatchObject({ startsA: [1], startsB: [1], sizes: [2], matched: 2 });
  });
});

describe('against CPython', () => {
  it.skipIf(!HAS_PYTHON)(
    'gives the same integers and the same float64 for random texts (skipped without python3)',
    () => {
      const pairs = randomPairs();
      const answers = python(pairs);
      for (const [n, [a, b]] of pairs.entries()) {
        const { matched, blocks, popular, ratio } = gestaltMatch(a, b);
        expect({ a, b, is: [matched, blocks, popular, ratio] }).toEqual({ a, b, is: answers.results[n] });
      }
    },
  );
});

interface PublishedPair {
  agent: string;
  peer: string;
  gen: number;
  prev_gen: number;
  peer_best_gen: number;
  d_own: number;
  d_peer: number;
  own: PublishedCounts;
  vs_peer: PublishedCounts;
}
interface PublishedCounts {
  len_a: number;
  len_b: number;
  matched: number;
  blocks: number;
  popular: number;
}

describe('against the published runs', () => {
  it.skipIf(!HAS_PUBLISHED_RUNS)('reproduces all 181 pairs to the last bit (skipped without ../shared)', () => {
    const truth: { runs: { pairing: string; seed: string; pairs: PublishedPair[] }[] } = JSON.parse(
      readFileSync(TRUTH, 'utf8'),
    );
    const folder = mkdtempSync(join(tmpdir(), 'hivemark-published-'));
    try {
      execFileSync('tar', ['-xJf', join(SHARED, 'hyperspace-4runs.tar.xz'), '-C', folder]);
      let compared = 0;
      for (const { pairing, seed, pairs } of truth.runs) {
        const codeOf = (agent: string, generation: number) =>
          readFileSync(join(folder, pairing, seed, agent, `gen_${generation}`, 'repo', 'task_agent.py'), 'utf8');
        for (const pair of pairs) {
          const code = codeOf(pair.agent, pair.gen);
          const own = gestaltMatch(code, codeOf(pair.agent, pair.prev_gen));
          const peer = gestaltMatch(code, codeOf(pair.peer, pair.peer_best_gen));
          expect([own, 1 - own.ratio]).toEqual([{ ...countsOf(pair.own), ratio: own.ratio }, pair.d_own]);
          expect([peer, 1 - peer.ratio]).toEqual([{ ...countsOf(pair.vs_peer), ratio: peer.ratio }, pair.d_peer]);
          compared++;
        }
      }
      expect(compared).toBe(181);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

function countsOf(counts: PublishedCounts) {
  const { len_a: lenA, len_b: lenB, matched, blocks, popular } = counts;
  return { lenA, lenB, matched, blocks, popular };
}

function randomPairs(): [string, string][] {
  const lineEnds = ['\r', '\n', '\r\n', 'a', 'b'];
  const pairs: [string, string][] = [
    ['', ''],
    ['\r\n', '\r'],
  ];
  let seed = 1;
  for (const alphabet of [...ALPHABETS, lineEnds, ['a', 'b', '\ud800', '😀']]) {
    for (const lenB of [1, 40, 199, 200, 201, 999]) {
      for (const lenA of [17, 200, 640]) {
        const a = textOf(seed++, lenA, alphabet);
        pairs.push([a, textOf(seed++, lenB, alphabet)]);
        const b = textOf(seed++, lenB, alphabet);
        pairs.push([a, b.slice(0, lenB / 2) + a.slice(0, lenA / 2) + b.slice(lenB / 2)]);
      }
    }
  }
  return pairs;
}

/** `[matched, blocks, popular, ratio]` of each pair from the real difflib, and the processor time it used. */
function python(pairs: readonly [string, string][]): { results: number[][]; cpuSeconds: number } {
  const program = `
import difflib, json, sys, time
pairs = [[t.replace('\\r\\n', '\\n').replace('\\r', '\\n') for t in p] for p in json.load(sys.stdin)]
started = time.process_time()
matchers = [difflib.SequenceMatcher(None, a, b) for a, b in pairs]
ratios = [m.ratio() for m in matchers]
used = time.process_time() - started
results = [[sum(x.size for x in m.get_matching_blocks()), len(m.get_matching_blocks()) - 1, len(m.bpopular), r] for m, r in zip(matchers, ratios)]
json.dump({'results': results, 'cpuSeconds': used}, sys.stdout)`;
  const output = execFileSync('python3', ['-c', program], { input: JSON.stringify(pairs), maxBuffer: 1 << 26 });
  return JSON.parse(output.toString());
}
