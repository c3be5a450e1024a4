import { stat } from 'node:fs/promises';
import { basename, dirname, posix, resolve } from 'node:path';
import type { LoadedRun, LoadedTraces } from '../loaded-run.ts';
import { detectFormat } from './detect-format.ts';
import { importEvoTrace } from './evotrace.ts';
import { importHyperspace } from './hyperspace.ts';
import { importNative } from './native.ts';
import { EVOLUTION_TRACE, importOpenEvolve } from './openevolve.ts';
import { importShinkaEvolve, isSqliteName } from './shinkaevolve.ts';
import { SkipLog } from './skip-log.ts';
import { TRACE_LIMITS, TraceFolder, WHY } from './trace-folder.ts';
import type { TraceLimits } from './trace-folder.ts';

export interface LoadOptions extends Partial<TraceLimits> {
  /** Called after each run with its id and how many have been read. */
  readonly onRun?: (id: string, runs: number) => void;
  /** Stops between two runs. */
  readonly signal?: AbortSignal;
}

/** Folders that are never looked into: no trace is there, and they can be huge. */
const PASSED_OVER = new Set(['node_modules', '.git', '__pycache__', '.venv']);
const MAX_DEPTH = 16;

/**
 * Reads every run found in `paths`: folders of runs, of folders of runs, or a run itself; also single `.jsonl` and SQLite files.
 * Formats are told by what is there. What cannot be read is noted in `skipped`, and the rest is read all the same: nothing throws
 * but an aborted signal. A run's id is its path relative to the path that was given.
 */
export async function loadTraces(paths: readonly string[], options: LoadOptions = {}): Promise<LoadedTraces> {
  const skips = new SkipLog();
  const limits = {
    maxLineBytes: options.maxLineBytes ?? TRACE_LIMITS.maxLineBytes,
    maxFileBytes: options.maxFileBytes ?? TRACE_LIMITS.maxFileBytes,
  };
  const runs: LoadedRun[] = [];
  for (const path of paths) {
    const absolute = resolve(path);
    const keep = (run: LoadedRun | undefined): void => {
      if (run === undefined) return;
      if (run.agents.every(({ generations }) => generations.length === 0)) {
        skips.note({ path: run.id, what: 'run', why: 'none of its programs could be read' });
        return;
      }
      const distinct = distinctId(run, absolute, runs);
      runs.push(distinct);
      options.onRun?.(distinct.id, runs.length);
    };
    const kind = await kindOf(absolute);
    if (kind === undefined) {
      skips.note({ path, what: 'path', why: WHY.gone });
      continue;
    }
    const before = runs.length;
    try {
      if (kind === 'file') keep(await importFile(absolute, skips, limits));
      else {
        const folder = await TraceFolder.open(absolute, skips, limits);
        await walk(folder, '', 0, keep, options.signal);
      }
    } catch (error) {
      options.signal?.throwIfAborted();
      if (!(error instanceof Error && 'syscall' in error)) throw error;
      skips.note({ path, what: 'path', why: WHY.unreadable });
    }
    if (runs.length === before) skips.note({ path, what: 'path', why: 'no run of a known format in it' });
  }
  return { runs, skipped: skips.named, skippedBy: skips.counts };
}

async function kindOf(path: string): Promise<'file' | 'folder' | undefined> {
  try {
    const found = await stat(path);
    return found.isFile() ? 'file' : found.isDirectory() ? 'folder' : undefined;
  } catch {
    return undefined;
  }
}

async function walk(
  folder: TraceFolder,
  dir: string,
  depth: number,
  keep: (run: LoadedRun | undefined) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  signal?.throwIfAborted();
  const id = dir === '' ? basename(folder.root) : dir;
  const found = await detectFormat(folder, dir);
  switch (found?.format) {
    case 'native':
      return keep(await importNative(folder, dir, id));
    case 'evotrace':
      return keep(await importEvoTrace(folder, dir, id));
    case 'openevolve':
      return keep(await importOpenEvolve(folder, dir, id));
    case 'hyperspace':
      return keep(await importHyperspace(folder, dir, id));
    case 'shinkaevolve': {
      const run = await importShinkaEvolve(folder, dir, found.file, id);
      if (run !== undefined) return keep(run);
      break;
    }
    case undefined:
      break;
  }
  const { folders } = await folder.list(dir);
  if (depth === MAX_DEPTH && folders.length > 0) {
    folder.skips.note({ path: dir, what: 'folder', why: `deeper than ${MAX_DEPTH} folders` });
    return;
  }
  for (const name of folders) {
    if (!PASSED_OVER.has(name)) await walk(folder, posix.join(dir, name), depth + 1, keep, signal);
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

/** Two given folders may hold runs of one name: the later one gets its folder's name in front, and a number if that is not enough. */
function distinctId(run: LoadedRun, given: string, runs: readonly LoadedRun[]): LoadedRun {
  const taken = new Set(runs.map(({ id }) => id));
  if (!taken.has(run.id)) return run;
  const base = `${basename(given)}/${run.id}`;
  for (let n = 1; ; n++) {
    const id = n === 1 ? base : `${base}#${n}`;
    if (!taken.has(id)) return { ...run, id };
  }
}
