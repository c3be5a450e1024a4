import { spawnSync } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { comparisonsOf, DISTANCE_RULES, judgementsOf } from '../src/analysis/adoption-rules.ts';
import { gestaltMatch } from '../src/analysis/difflib.ts';
import { compareAll } from '../src/analysis/gestalt-pool.ts';
import { loadTraces } from '../src/trace/importers/load-traces.ts';

/**
 * The gestalt ratio beside CPython's difflib on the same pairs: `node bench/gestalt.ts [folder of traces]` in the checkout. Without
 * a folder the pairs are made of this repository's own sources. Prints one JSON document: processor time per comparison of both
 * and their ratio by size, whether every ratio is the same float64, and what all processor cores make of it.
 */
type Pair = readonly [a: string, b: string];

const PYTHON = `
import difflib, json, sys, time
out = []
for a, b in json.load(sys.stdin):
    a, b = (t.replace('\\r\\n', '\\n').replace('\\r', '\\n') for t in (a, b))
    started = time.process_time()
    ratio = difflib.SequenceMatcher(None, a, b).ratio()
    out.append([ratio, time.process_time() - started])
json.dump(out, sys.stdout)`;
const PYTHON_TIMEOUT_MS = 600_000;
const ROUNDS = 5;
const CLASSES = [
  { name: 'large (both from 20 000 characters)', from: 20_000, to: Number.POSITIVE_INFINITY },
  { name: 'middle (from 10 000)', from: 10_000, to: 20_000 },
  { name: 'small', from: 0, to: 10_000 },
];

async function main(): Promise<void> {
  const folder = process.argv[2];
  const pairs = folder === undefined ? sourcePairs() : await tracePairs(folder);
  if (pairs.length === 0) throw new Error(`nothing to compare in ${folder}`);
  for (const [a, b] of pairs.slice(0, 40)) gestaltMatch(a, b);
  const ours = pairs.map(([a, b]) => {
    const before = process.cpuUsage();
    for (let n = 1; n < ROUNDS; n++) gestaltMatch(a, b);
    const { ratio } = gestaltMatch(a, b);
    const { user, system } = process.cpuUsage(before);
    return { ratio, ms: (user + system) / 1e3 / ROUNDS };
  });
  const python = pythonTimes(pairs);
  const bySize = CLASSES.map(({ name, from, to }) => {
    const own = pairs.flatMap((pair, n) => {
      const size = Math.min(pair[0].length, pair[1].length);
      return size >= from && size < to ? [n] : [];
    });
    const mean = (value: (n: number) => number): number => own.reduce((sum, n) => sum + value(n), 0) / own.length;
    const oursMs = mean((n) => ours[n]?.ms ?? 0);
    const pythonMs = python && mean((n) => python[n]?.ms ?? 0);
    return {
      pairs: `${name}: ${own.length}`,
      cpuMsPerComparison: rounded(oursMs),
      pythonCpuMs: pythonMs === undefined ? null : rounded(pythonMs),
      timesLess: pythonMs === undefined ? null : rounded(pythonMs / oursMs),
    };
  });
  const same = python?.every(({ ratio }, n) => ratio === ours[n]?.ratio) ?? null;
  const pool = { oneThreadMs: await poolMs(pairs, 1), allCoresMs: await poolMs(pairs, availableParallelism()) };
  const report = { pairs: pairs.length, cores: availableParallelism(), sameFloat64: same, bySize, pool };
  process.stdout.write(`${JSON.stringify(report, null, 2)}\n`);
}

/** Wall time of comparing every pair several times over, start of the threads included. */
async function poolMs(pairs: readonly Pair[], threads: number): Promise<number> {
  // A remark at the end makes a new pair of almost the same work.
  const many = Array.from({ length: 2 * ROUNDS }, (_, n) => pairs.map(([a, b]): Pair => [`${a}\n# ${n}`, b])).flat();
  const started = performance.now();
  const compare = await compareAll(many, { threads });
  for (const [a, b] of many) compare(a, b);
  return Math.round(performance.now() - started);
}

function pythonTimes(pairs: readonly Pair[]): readonly { ratio: number; ms: number }[] | undefined {
  const { status, stdout, stderr } = spawnSync('python3', ['-c', PYTHON], {
    input: JSON.stringify(pairs),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    timeout: PYTHON_TIMEOUT_MS,
  });
  if (status !== 0) {
    process.stderr.write(`no comparison with CPython: ${stderr || 'python3 is not there'}\n`);
    return undefined;
  }
  const rows: [ratio: number, seconds: number][] = JSON.parse(stdout);
  return rows.map(([ratio, seconds]) => ({ ratio, ms: seconds * 1e3 }));
}

async function tracePairs(folder: string): Promise<readonly Pair[]> {
  const { runs } = await loadTraces([folder]);
  return comparisonsOf(runs.flatMap((run) => judgementsOf(run, DISTANCE_RULES.published)));
}

/** Programs of several sizes out of this repository's sources, against one another and against edited selves. */
function sourcePairs(): readonly Pair[] {
  const root = fileURLToPath(new URL('..', import.meta.url));
  const text = globSync('src/**/*.ts', { cwd: root })
    .sort()
    .map((file) => readFileSync(`${root}${file}`, 'utf8'))
    .join('\n');
  return [26_000, 14_000, 5_000].flatMap((size) =>
    Array.from({ length: 12 }, (_, n): Pair => {
      const a = text.slice(n * size, (n + 1) * size);
      const other = text.slice((n + 13) * size, (n + 14) * size);
      return n % 2 === 0 ? [a, other] : [a, a.slice(size / 4, size / 2) + other.slice(0, size / 2) + a.slice(size / 2)];
    }),
  );
}

function rounded(value: number): number {
  return Number(value.toPrecision(3));
}

await main();
