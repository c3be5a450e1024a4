import { createHash } from 'node:crypto';
import { open, realpath, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { Detected } from '../trace/importers/detect-format.ts';
import { eachRun, importRun } from '../trace/importers/load-traces.ts';
import { SkipLog } from '../trace/importers/skip-log.ts';
import { TraceFolder } from '../trace/importers/trace-folder.ts';
import type { LinePlace } from '../trace/line-reader.ts';
import { readRunFile, RunFolderError } from '../trace/run-folder.ts';
import { TRACE_TABLES, type TraceTables } from '../trace/schema.ts';
import { readTable } from '../trace/trace-reader.ts';
import { importedCard, nativeCard, problemCard } from './analyst-card.ts';
import { AnalystError, thereAre } from './analyst-error.ts';
import { IMPORTED_TABLES, importedRows, type ImportedTable, isImportedTable, parentEdges } from './analyst-imported.ts';
import { KeptValues, LruMap } from './analyst-kept.ts';
import { checkLinks, nativeTables, shownRow, tablePath, unreadableRun } from './analyst-native.ts';
import type { AnyRow, OpenRun, PlacedRow, Results, ResultsOptions, RunCard } from './analyst-results.ts';
import { quoted } from './protocol-handlers.ts';

const MAX_RUNS = 8;
const RESCAN_AFTER_MS = 2_000;
/** Cards are small: so many are kept. */
const MAX_CARDS = 10_000;
/** Answers that took work to find. */
const MAX_ANSWERS = 32;
/** Bytes before a place that tell whether it is still what it was: a few rows, for the ends of rows are often alike. */
const SEAL_BYTES = 4_096;
const CHECK_AFTER_MS = 250;
/** What took a while to read may be so many times as old as that before it is looked at again. */
const REST = 10;

interface FoundRun {
  readonly dir: string;
  readonly found: Detected;
}

/**
 * Opens a folder of results: experiments and runs at any depth, and everything else that can be imported.
 *
 * @throws AnalystError `no-such-folder`
 */
export async function openResults(folder: string, options: ResultsOptions = {}): Promise<Results> {
  return new FolderResults(await rootOf(folder), options);
}

async function rootOf(folder: string): Promise<string> {
  let problem = 'it is a file';
  try {
    const root = await realpath(folder);
    if ((await stat(root)).isDirectory()) return root;
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    problem = error.code === 'ENOENT' ? 'there is nothing' : `it cannot be read (${String(error.code)})`;
  }
  throw new AnalystError(
    'no-such-folder',
    `${JSON.stringify(folder)} is no folder of results, ${problem}; name the folder that runs were written to`,
  );
}

class FolderResults implements Results {
  readonly #root: string;
  readonly #open: KeptValues<OpenRun>;
  readonly #cards = new KeptValues<RunCard>(MAX_CARDS);
  readonly #answers = new KeptValues<unknown>(MAX_ANSWERS);
  readonly #scans: KeptValues<ReadonlyMap<string, FoundRun>>;
  /** When the links of a run were looked at last. */
  readonly #checked = new LruMap<string, number>(MAX_CARDS);

  constructor(root: string, { maxRuns = MAX_RUNS, rescanAfterMs = RESCAN_AFTER_MS }: ResultsOptions) {
    this.#root = root;
    this.#open = new KeptValues(maxRuns, (tookMs) => Math.min(rescanAfterMs, REST * tookMs));
    this.#scans = new KeptValues(1, (tookMs) => (rescanAfterMs === 0 ? 0 : Math.max(rescanAfterMs, REST * tookMs)));
  }

  async runs(): Promise<readonly string[]> {
    return [...(await this.#found()).keys()];
  }

  async card(id: string): Promise<RunCard> {
    const { dir, found } = await this.#place(id);
    const version = await this.#versionOf(dir, found);
    return this.#cards.get(id, version, () => this.#readCard(id, dir, found));
  }

  async version(id: string): Promise<string> {
    const { dir, found } = await this.#place(id);
    return this.#versionOf(dir, found);
  }

  async open(id: string): Promise<OpenRun> {
    const { dir, found } = await this.#place(id);
    const version = await this.#versionOf(dir, found);
    return this.#open.get(id, version, () => this.#load(id, dir, found, version));
  }

  async *rows(id: string, table: keyof TraceTables, place: LinePlace = { at: 0 }): AsyncGenerator<PlacedRow> {
    const { dir, found } = await this.#place(id);
    if (found.format !== 'native') {
      if (isImportedTable(table)) yield* passed(await this.#imported(id, table), place);
      return;
    }
    const folder = await this.#folder();
    await this.#checkLinks(folder, id, dir);
    if ((await folder.fileAt(tablePath(dir, table))) === undefined) return;
    let at = place.at;
    try {
      for await (const row of readTable(folder.absolute(dir), table, { place, onBadLine: () => {} })) {
        yield { row: shownRow(table, row), at, next: place.at };
        at = place.at;
      }
    } catch (error) {
      throw unreadableRun(id, error);
    }
  }

  async seal(id: string, table: keyof TraceTables, at: number): Promise<string | undefined> {
    const { dir, found } = await this.#place(id);
    if (found.format !== 'native') return digest((await this.open(id)).version);
    const path = await (await this.#folder()).fileAt(tablePath(dir, table));
    if (path === undefined) return undefined;
    const file = await open(path, 'r');
    try {
      const from = Math.max(0, at - SEAL_BYTES);
      const { bytesRead, buffer } = await file.read(Buffer.alloc(at - from), 0, at - from, from);
      return bytesRead < at - from ? undefined : digest(buffer);
    } finally {
      await file.close();
    }
  }

  async tables(id: string): Promise<Readonly<Partial<Record<keyof TraceTables, number>>>> {
    const { dir, found } = await this.#place(id);
    if (found.format !== 'native') {
      const counts: Partial<Record<keyof TraceTables, number>> = {};
      for (const table of IMPORTED_TABLES) {
        const { length } = await this.#imported(id, table);
        // No call log is not one without calls.
        if (table !== 'calls' || length > 0) counts[table] = length;
      }
      return counts;
    }
    const folder = await this.#folder();
    const sizes: Partial<Record<keyof TraceTables, number>> = {};
    for (const table of TRACE_TABLES) {
      const path = await folder.fileAt(tablePath(dir, table));
      if (path !== undefined) sizes[table] = (await stat(path)).size;
    }
    return sizes;
  }

  async remember<T>(key: string, version: string, make: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- what a key holds was made by the same caller's `make`
      return (await this.#answers.get(key, version, make)) as T;
    } catch (error) {
      const isOthers = error instanceof Error && error.name === 'AbortError' && signal?.aborted === false;
      if (!isOthers) throw error;
      return this.remember(key, version, make, signal);
    }
  }

  #found(): Promise<ReadonlyMap<string, FoundRun>> {
    // Whether a tree has changed is not known without looking: each look is a version of its own.
    return this.#scans.get('runs', String(performance.now()), () => this.#scan());
  }

  async #scan(): Promise<ReadonlyMap<string, FoundRun>> {
    const found = new Map<string, FoundRun>();
    await eachRun(await this.#folder(), (dir, run) => {
      // The folder itself goes by its name, which one below it may have too.
      const name = dir === '' ? basename(this.#root) : dir;
      found.set(found.has(name) ? `./${name}` : name, { dir, found: run });
    });
    return new Map([...found].sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  async #place(id: string): Promise<FoundRun> {
    const runs = await this.#found();
    const place = runs.get(id);
    if (place !== undefined) return place;
    throw new AnalystError('no-such-run', `there is no run ${quoted(id)}${thereAre(id, [...runs.keys()])}`);
  }

  /** A new one each time: it remembers listings. */
  #folder(skips = new SkipLog()): Promise<TraceFolder> {
    return TraceFolder.open(this.#root, skips);
  }

  /** Rows that are sorted are read one by one: what was looked at this moment is not looked at again. */
  async #checkLinks(folder: TraceFolder, id: string, dir: string): Promise<void> {
    if (performance.now() - (this.#checked.get(id) ?? Number.NEGATIVE_INFINITY) < CHECK_AFTER_MS) return;
    await checkLinks(folder, id, dir);
    this.#checked.set(id, performance.now());
  }

  async #imported(id: string, table: ImportedTable): Promise<readonly AnyRow[]> {
    const { run, version } = await this.open(id);
    return this.remember(`rows ${table} ${id}`, version, () => importedRows(run, table));
  }

  async #readCard(id: string, dir: string, found: Detected): Promise<RunCard> {
    try {
      if (found.format !== 'native') return importedCard((await this.open(id)).run);
      return nativeCard(id, await readRunFile(join(this.#root, dir)));
    } catch (error) {
      if (error instanceof RunFolderError || error instanceof AnalystError)
        return problemCard(id, found.format, error.message);
      throw error;
    }
  }

  async #load(id: string, dir: string, found: Detected, version: string): Promise<OpenRun> {
    const skips = new SkipLog();
    const folder = await this.#folder(skips);
    try {
      if (found.format === 'native') await this.#checkLinks(folder, id, dir);
      const imported = await importRun(folder, dir, found);
      if (imported === undefined) {
        const [first] = skips.named;
        const why =
          first === undefined ? 'it holds nothing' : `${first.why}${first.detail ? ` (${first.detail})` : ''}`;
        throw new AnalystError('unreadable-run', `the run ${quoted(id)} cannot be read: ${why}`);
      }
      const run = { ...imported, id };
      if (found.format === 'native') return { run, version, skips, ...(await nativeTables(folder, dir)) };
      return { run, version, skips, candidates: new Map(), evaluations: new Map(), edges: parentEdges(run) };
    } catch (error) {
      throw unreadableRun(id, error);
    }
  }

  /** Times and sizes of what a run is read from; of an imported one, of what lies in its folder itself. */
  async #versionOf(dir: string, { format }: Detected): Promise<string> {
    const folder = await this.#folder();
    const { files, folders } = await folder.list(dir);
    const names =
      format === 'native'
        ? ['run.json', 'summary.json', ...TRACE_TABLES.map((table) => `trace/${table}.jsonl`)]
        : ['.', ...files, ...folders];
    const stamps = await Promise.all(names.map((name) => stampOf(join(folder.absolute(dir), name))));
    return digest(JSON.stringify([names, stamps]));
  }
}

async function stampOf(path: string): Promise<string> {
  try {
    const { size, mtimeMs, ino } = await stat(path);
    return `${size} ${mtimeMs} ${ino}`;
  } catch {
    return '';
  }
}

/** Rows that are in memory, from a number on. */
function* passed(rows: Iterable<PlacedRow['row']>, place: LinePlace): Generator<PlacedRow> {
  const from = place.at;
  let at = 0;
  for (const row of rows) {
    const next = at + 1;
    if (at >= from) {
      place.at = next;
      yield { row, at, next };
    }
    at = next;
  }
}

function digest(text: string | Uint8Array): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, 16);
}
