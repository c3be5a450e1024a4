import { posix } from 'node:path';
import { ITERATIONS, PROGRAMS } from './evotrace.ts';
import { isGenerationFolder, isSeedFolder } from './hyperspace.ts';
import { CHECKPOINT, EVOLUTION_TRACE } from './openevolve.ts';
import { isSqliteName, SHINKA_DATABASES } from './shinkaevolve.ts';
import type { TraceFolder } from './trace-folder.ts';

/** What a folder is: a run of some format, or only a folder with others in it. */
export type Detected =
  | { readonly format: 'native' | 'hyperspace' | 'openevolve' | 'evotrace' }
  | { readonly format: 'shinkaevolve'; readonly file: string }
  | undefined;

/**
 * Tells by the names in `dir` (and in the folders below it) what run it is, if it is one. A folder that holds several runs is
 * none itself.
 */
export async function detectFormat(folder: TraceFolder, dir: string): Promise<Detected> {
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
