import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, posix, resolve } from 'node:path';
import type { LoadedRun, LoadedTraces } from '../loaded-run.ts';
import { type Detected, detectFormat, foldersOf } from './detect-format.ts';
import { importEvoTrace } from './evotrace.ts';
import { importHyperspace } from './hyperspace.ts';
import { importNative } from './native.ts';
import { EVOLUTION_TRACE, importOpenEvolve } from './openevolve.ts';
import { importShinkaEvolve, isSqliteName } from './shinkaevolve.ts';
import { distinctIds, type PlacedRun } from './run-names.ts';
import { SkipLog, WHY } from './skip-log.ts';
import { TRACE_LIMITS, TraceFolder } from './trace-folder.ts';
import type { TraceLimits } from './trace-folder.ts';

export interface LoadOptions extends Partial<TraceLimits> {
  /** Called after each run with its id and how many have been read. */
  readonly onRun?: (id: string, runs: number) => void;
  /** What relative paths are relative to. @default the process's */
  readonly cwd?: string;
  /** Takes what was skipped, together with what others note in it. @default one of its own */
  readonly skips?: SkipLog;
  /** Stops between two runs. */
  readonly signal?: AbortSignal;
}

/** Folders that are never looked into: no trace is there, and they can be huge. */
const PASSED_OVER = new Set(['node_modules', '.git', '__pycache__', '.venv']);
const MAX_DEPTH = 16;
const TWICE = 'the same as one that was read before';

/**
 * Reads every run found in `paths`: folders of runs, of folders of runs, or a run itself; also single `.jsonl` and SQLite files.
 * Formats are told by what is there. What cannot be read is noted in `skipped`, and the rest is read all the same: nothing throws
 * but an aborted signal. A run's id is its path relative to the path that was given; a folder that is met twice is read once.
 */
export async function loadTraces(paths: readonly string[], options: LoadOptions = {}): Promise<LoadedTraces> {
  const skips = options.skips ?? new SkipLog();
  const limits = {
    maxLineBytes: options.maxLineBytes ?? TRACE_LIMITS.maxLineBytes,
    maxFileBytes: options.maxFileBytes ?? TRACE_LIMITS.maxFileBytes,
  };
  const placed: PlacedRun[] = [];
  const given = new Set<string>();
  const places = new Set<string>();
  for (const path of paths) {
    const absolute = resolve(options.cwd ?? process.cwd(), path);
    const kind = await kindOf(absolute);
    if (kind === undefined) {
      skips.note({ path, what: 'path', why: WHY.gone });
      continue;
    }
    // Paths in a folder are relative to it, which says too little where several were given.
    const nameOf = (inside: string): string => {
      if (paths.length === 1) return inside === '' ? '.' : inside;
      return kind === 'file' || inside === '' ? path : posix.join(path, inside);
    };
    const own = new SkipLog((skipped) => skips.note({ ...skipped, path: nameOf(skipped.path) }));
    let twice = 0;
    const keep = (run: LoadedRun | undefined, dir: string, file = ''): void => {
      if (run === undefined) return;
      const place = join(run.folder, file);
      if (run.agents.every(({ generations }) => generations.length === 0)) {
        own.note({ path: dir, what: 'run', why: 'none of its programs could be read' });
      } else if (places.has(place)) {
        twice++;
        own.note({ path: dir, what: 'run', why: TWICE });
      } else {
        places.add(place);
        placed.push({ run: { ...run, path: nameOf(dir) }, place });
        options.onRun?.(run.id, placed.length);
      }
    };
    const before = placed.length;
    try {
      const real = await realpath(absolute);
      if (given.has(real)) {
        skips.note({ path, what: 'path', why: TWICE });
        continue;
      }
      given.add(real);
      if (kind === 'file') keep(await importFile(absolute, own, limits), '', basename(absolute));
      else {
        const folder = await TraceFolder.open(absolute, own, limits);
        const visit: VisitRun = async (dir, found) => keep(await importRun(folder, dir, found), dir);
        await eachRun(folder, visit, options.signal);
      }
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!(error instanceof Error && 'syscall' in error)) throw error;
      skips.note({ path, what: 'path', why: WHY.unreadable });
    }
    if (placed.length === before && twice === 0) {
      skips.note({ path, what: 'path', why: 'no run of a known format in it' });
    }
  }
  return { runs: distinctIds(placed), skipped: skips.named, skippedBy: skips.counts };
}

async function kindOf(path: string): Promise<'file' | 'folder' | undefined> {
  try {
    const found = await stat(path);
    return found.isFile() ? 'file' : found.isDirectory() ? 'folder' : undefined;
  } catch {
    return undefined;
  }
}

export type VisitRun = (dir: string, found: Detected) => void | Promise<void>;

/** Visits the folder of every run in a folder, itself included, one after the other and none of them read; a run's own before those in it. */
export async function eachRun(folder: TraceFolder, visit: VisitRun, signal?: AbortSignal): Promise<void> {
  await walk(folder, '', 0, visit, signal);
}

async function walk(
  folder: TraceFolder,
  dir: string,
  depth: number,
  visit: VisitRun,
  signal: AbortSignal | undefined,
): Promise<void> {
  signal?.throwIfAborted();
  const found = await detectFormat(folder, dir);
  if (found !== undefined) await visit(dir, found);
  const { folders } = await folder.list(dir);
  // A run may lie in a folder of another: what the importer has no use for is looked into.
  const isUsed = found === undefined ? undefined : await foldersOf(folder, dir, found);
  const others = folders.filter((name) => !PASSED_OVER.has(name) && isUsed?.has(name) !== true);
  if (depth === MAX_DEPTH && others.length > 0) {
    folder.skips.note({ path: dir, what: 'folder', why: `deeper than ${MAX_DEPTH} folders` });
    return;
  }
  for (const name of others) await walk(folder, posix.join(dir, name), depth + 1, visit, signal);
}

/** Reads the run that was found in `dir`; its id is that path. Undefined, and noted, when it cannot be read at all. */
export async function importRun(folder: TraceFolder, dir: string, found: Detected): Promise<LoadedRun | undefined> {
  const id = dir === '' ? basename(folder.root) : dir;
  switch (found.format) {
    case 'native':
      return importNative(folder, dir, id);
    case 'evotrace':
      return importEvoTrace(folder, dir, id);
    case 'openevolve':
      return importOpenEvolve(folder, dir, id);
    case 'hyperspace':
      return importHyperspace(folder, dir, id);
    case 'shinkaevolve':
      return importShinkaEvolve(folder, dir, found.file, id);
  }
}

/** A single file that was named itself. */
async function importFile(path: string, skips: SkipLog, limits: TraceLimits): Promise<LoadedRun | undefined> {
  const name = basename(path);
  const folder = await TraceFolder.open(dirname(path), skips, limits);
  if (isSqliteName(name)) return importShinkaEvolve(folder, '', name, name);
  if (name === EVOLUTION_TRACE) return importOpenEvolve(folder, '', name);
  if (name.endsWith('.jsonl')) return importEvoTrace(folder, '', name, name);
  const isArchive = /\.(?:tar|tgz|zip|gz|xz|bz2|zst)$/.test(name);
  skips.note({
    path: name,
    what: 'file',
    why: isArchive ? 'an archive: unpack it and name the folder' : 'no file of a known format',
  });
  return undefined;
}
