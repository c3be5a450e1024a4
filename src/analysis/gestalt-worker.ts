import { workerData } from 'node:worker_threads';
import { gestaltMatch } from './difflib.ts';
import { RESULT_INTEGERS } from './gestalt-pool.ts';

/** What the threads of one comparison share; each takes the next pair that nobody took. */
export interface GestaltJob {
  readonly texts: readonly string[];
  /** Numbers of texts, two for each pair. */
  readonly pairs: Int32Array;
  /** One integer: the number of pairs taken. */
  readonly next: Int32Array<SharedArrayBuffer>;
  /** lenA, lenB, matched, blocks, popular of each pair. */
  readonly results: Int32Array<SharedArrayBuffer>;
}

const { texts, pairs, next, results }: GestaltJob = workerData;
for (let n = Atomics.add(next, 0, 1); n < pairs.length / 2; n = Atomics.add(next, 0, 1)) {
  const match = gestaltMatch(texts[pairs[2 * n] ?? 0] ?? '', texts[pairs[2 * n + 1] ?? 0] ?? '');
  results.set([match.lenA, match.lenB, match.matched, match.blocks, match.popular], n * RESULT_INTEGERS);
}
