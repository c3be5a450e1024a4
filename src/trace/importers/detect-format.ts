import { posix } from 'node:path';
import { ITERATIONS, PROGRAMS } from './evotrace.ts';
import { isGenerationFolder, isSeedFolder } from './hyperspace.ts';
import { CHECKPOINT, EVOLUTION_TRACE } from './openevolve.ts';
import { isSqliteName, SHINKA_DATABASES } from './shinkaevolve.ts';
import type { TraceFolder } from './trace-folder.ts';

/** A run of some format. */
export type Detected =
  | { readonly format: 'native' | 'hyperspace' | 'openevolve' | 'evotrace' }
  | { readonly format: 'shinkaevolve'; readonly file: string };

/**
 * Tells by the names in `dir` (and in the folders below it) what run it is, if it is one: undefined for a folder that only
 * holds others.
 */
export async function detectFormat(folder: TraceFolder, dir: string): Promise<Detected | undefined> {
  const { files, folders } = await folder.list(dir);
  if (files.includes('run.json') && (folders.includes('trace') || files.includes('marks.db')))
    return { format: 'native' };
  if (files.includes(PROGRAMS) || files.includes(ITERATIONS)) return { format: 'evotrace' };
  const database = SHINKA_DATABASES.find((name) => files.includes(name));
  if (database !== undefined) return { format: 'shinkaevolve', file: database };
  if (await isOpenEvolve(folder, dir)) return { format: 'openevolve' };
  if (await isHyperspace(folder, dir)) return { format: 'hyperspace' };
  // Only a database of another name is left: what it is shows when it is opened.
  const other = files.find(isSqliteName);
  return other === undefined ? undefined : { format: 'shinkaevolve', file: other };
}

/** The folders in a run's folder that belong to it; others may be runs themselves. */
export async function foldersOf(folder: TraceFolder, dir: string, { format }: Detected): Promise<ReadonlySet<string>> {
  const { folders } = await folder.list(dir);
  const used: string[] = [];
  for (const name of folders) if (await belongs(folder, dir, name, format)) used.push(name);
  return new Set(used);
}

async function belongs(folder: TraceFolder, dir: string, name: string, format: Detected['format']): Promise<boolean> {
  switch (format) {
    case 'native':
      return name === 'trace';
    case 'evotrace':
      return name === 'blobs';
    case 'openevolve':
      return CHECKPOINT.test(name) || OPENEVOLVE_FOLDERS.has(name);
    case 'shinkaevolve':
      return isGenerationFolder(name);
    case 'hyperspace':
      if (isGenerationFolder(name)) return true;
      // In a solo run's folder only its generations are its own.
      if (await hasGenerations(folder, dir)) return false;
      return (await folder.list(posix.join(dir, name))).folders.some(isGenerationFolder);
  }
}

const OPENEVOLVE_FOLDERS: ReadonlySet<string> = new Set(['checkpoints', 'programs', 'db', 'logs']);

async function isOpenEvolve(folder: TraceFolder, dir: string): Promise<boolean> {
  const { files, folders } = await folder.list(dir);
  if (files.includes(EVOLUTION_TRACE) || folders.some((name) => CHECKPOINT.test(name))) return true;
  if (folders.includes('checkpoints')) {
    const inside = await folder.list(posix.join(dir, 'checkpoints'));
    if (inside.folders.some((name) => CHECKPOINT.test(name))) return true;
  }
  if (folders.includes('programs')) return holdsPrograms(folder, posix.join(dir, 'programs'));
  const db = posix.join(dir, 'db');
  return folders.includes('db') && (await folder.list(db)).folders.includes('programs');
}

async function holdsPrograms(folder: TraceFolder, dir: string): Promise<boolean> {
  const { files } = await folder.list(dir);
  return files.length > 0 && files.every((name) => name.endsWith('.json'));
}

/** An agent's folder is one with `gen_<n>` folders; a run is a folder of those, or one alone. Folders `seed<N>` are runs, not agents. */
async function isHyperspace(folder: TraceFolder, dir: string): Promise<boolean> {
  const { folders } = await folder.list(dir);
  if (await hasGenerations(folder, dir)) return true;
  for (const name of folders) {
    if (!isSeedFolder(name) && (await hasGenerations(folder, posix.join(dir, name)))) return true;
  }
  return false;
}

async function hasGenerations(folder: TraceFolder, dir: string): Promise<boolean> {
  const { folders } = await folder.list(dir);
  for (const name of folders.filter(isGenerationFolder)) {
    const inside = await folder.list(posix.join(dir, name));
    if (inside.files.includes('metadata.json') || inside.folders.includes('repo')) return true;
  }
  return false;
}
