import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { Compare } from './adoption-rules.ts';
import { type GestaltMatch, gestaltMatch } from './difflib.ts';
import type { GestaltJob } from './gestalt-worker.ts';

export interface ComparePoolOptions {
  /** Worker threads at most; 1 compares in this thread. @default every processor core there is */
  readonly threads?: number;
  /** With less to compare, in UTF-16 units of all pairs, starting threads costs more than they save. @default 20 million, half a second */
  readonly minUnits?: number;
  /** Ends the comparison: the promise is rejected with its reason and the threads are stopped. */
  readonly signal?: AbortSignal;
}

const WORKER = new URL(`./gestalt-worker${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);
/** Integers that one comparison leaves in the shared memory: see `GestaltMatch`. */
export const RESULT_INTEGERS = 5;

/**
 * Compares pairs of texts, each different pair once, on all processor cores when there are enough of them, and gives a function
 * that looks the results up (and compares what was not asked for here).
 */
export async function compareAll(
  pairs: readonly (readonly [a: string, b: string])[],
  { threads = availableParallelism(), minUnits = 20_000_000, signal }: ComparePoolOptions = {},
): Promise<Compare> {
  signal?.throwIfAborted();
  const numberOf = new Map<string, number>();
  const wanted = new Map<string, readonly [a: number, b: number]>();
  const numbered = (text: string): number => {
    const number = numberOf.get(text) ?? numberOf.size;
    numberOf.set(text, number);
    return number;
  };
  for (const [a, b] of pairs) {
    const pair = [numbered(a), numbered(b)] as const;
    wanted.set(pair.join(), pair);
  }
  const texts = [...numberOf.keys()];
  const sizeOf = ([a, b]: readonly [number, number]): number => (texts[a]?.length ?? 0) + (texts[b]?.length ?? 0);
  // The large ones first, so that no thread is left with one of them at the end.
  const jobs = [...wanted.values()].sort((x, y) => sizeOf(y) - sizeOf(x));
  const units = jobs.reduce((sum, job) => sum + sizeOf(job), 0);
  const count = Math.min(threads, jobs.length);
  const pooled = count > 1 && units >= minUnits;
  const known = pooled ? await runPool(texts, jobs, count, signal) : new Map<string, GestaltMatch>();
  return (a, b) => {
    const key = `${numbered(a)},${numbered(b)}`;
    const match = known.get(key) ?? gestaltMatch(a, b);
    known.set(key, match);
    return match;
  };
}

/** The matches of pairs of texts, by the numbers of both. */
async function runPool(
  texts: readonly string[],
  jobs: readonly (readonly [a: number, b: number])[],
  count: number,
  signal: AbortSignal | undefined,
): Promise<Map<string, GestaltMatch>> {
  const job: GestaltJob = {
    texts,
    pairs: Int32Array.from(jobs.flat()),
    next: new Int32Array(new SharedArrayBuffer(4)),
    results: new Int32Array(new SharedArrayBuffer(4 * RESULT_INTEGERS * jobs.length)),
  };
  const workers = Array.from({ length: count }, () => new Worker(WORKER, { workerData: job }));
  try {
    await Promise.all(workers.map((worker) => endOf(worker, signal)));
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
  return new Map(
    jobs.map((pair, n) => {
      const [lenA = 0, lenB = 0, matched = 0, blocks = 0, popular = 0] = job.results.subarray(n * RESULT_INTEGERS);
      const ratio = lenA + lenB === 0 ? 1 : (2 * matched) / (lenA + lenB);
      return [pair.join(), { lenA, lenB, matched, blocks, popular, ratio }];
    }),
  );
}

function endOf(worker: Worker, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = (): void => reject(signal?.reason);
    signal?.addEventListener('abort', stop, { once: true });
    worker.once('error', (cause) => reject(new Error('a thread that compares programs broke', { cause })));
    worker.once('exit', (code) => {
      signal?.removeEventListener('abort', stop);
      if (code === 0) resolve();
      else reject(new Error(`a thread that compares programs ended with exit code ${code}`));
    });
  });
}
