import { posix } from 'node:path';
import { z } from 'zod';
import type { LoadedGeneration, LoadedRun } from '../loaded-run.ts';
import { maybeCount, maybeRecord, maybeText } from './fields.ts';
import { generationOfRow, orderPrograms, parseProgramRow } from './program-row.ts';
import type { TraceFolder } from './trace-folder.ts';

export const CHECKPOINT = /^checkpoint_(\d+)$/;
export const EVOLUTION_TRACE = 'evolution_trace.jsonl';
const NO_PROGRAM = 'not a program (no id)';

/** @see https://github.com/algorithmicsuperintelligence/openevolve/blob/main/openevolve/evolution_trace.py `EvolutionTrace` */
const traceRow = z.looseObject({
  iteration: maybeCount,
  parent_id: maybeText,
  child_id: z.string().min(1),
  parent_metrics: maybeRecord,
  child_metrics: maybeRecord,
  parent_code: maybeText,
  child_code: maybeText,
  metadata: maybeRecord,
});
type TraceRow = z.infer<typeof traceRow>;

/**
 * One OpenEvolve (or SkyDiscover) search: the programs of all its checkpoints and of `db/programs`, the later state of a program
 * winning, together with `evolution_trace.jsonl`, which also has the programs that had left the population by every checkpoint.
 */
export async function importOpenEvolve(folder: TraceFolder, dir: string, id: string): Promise<LoadedRun> {
  const programs = new Map<string, LoadedGeneration>();
  let solutions = 0;
  for (const place of await programFolders(folder, dir)) {
    const { files } = await folder.list(place);
    for (const name of files.filter((file) => file.endsWith('.json'))) {
      const path = posix.join(place, name);
      const value = await folder.readJson(path, 'program');
      if (value === undefined) continue;
      const row = parseProgramRow(value);
      if (!row) {
        folder.skips.note({ path, what: 'program', why: NO_PROGRAM });
        continue;
      }
      if (row.code === undefined && row.solution !== undefined) solutions++;
      programs.set(row.id, generationOfRow(row, undefined));
    }
  }
  for (const place of [dir, posix.join(dir, 'logs')])
    await addTrace(folder, posix.join(place, EVOLUTION_TRACE), programs);
  const isSky = solutions * 2 > programs.size;
  const name = isSky ? 'skydiscover' : 'openevolve';
  return {
    id,
    format: isSky ? 'evotrace' : 'openevolve',
    folder: folder.absolute(dir),
    pairing: name,
    arm: 'solo',
    agents: [{ name, generations: orderPrograms(programs.values()) }],
  };
}

/** Folders with one JSON file per program, oldest state first. */
async function programFolders(folder: TraceFolder, dir: string): Promise<readonly string[]> {
  const places: string[] = [];
  for (const base of [dir, posix.join(dir, 'checkpoints')]) {
    const { folders } =
      base === dir || (await folder.list(dir)).folders.includes('checkpoints')
        ? await folder.list(base)
        : { folders: [] };
    const checkpoints = folders
      .filter((name) => CHECKPOINT.test(name))
      .sort((a, b) => Number(CHECKPOINT.exec(a)?.[1]) - Number(CHECKPOINT.exec(b)?.[1]));
    for (const name of checkpoints) places.push(posix.join(base, name));
  }
  places.push(posix.join(dir, 'db'), dir);
  const found: string[] = [];
  for (const place of places) {
    if (await hasFolder(folder, place, 'programs')) found.push(posix.join(place, 'programs'));
  }
  return found;
}

async function hasFolder(folder: TraceFolder, path: string, name: string): Promise<boolean> {
  const parent = posix.dirname(path);
  const isThere =
    path === '' || (await folder.list(parent === '.' ? '' : parent)).folders.includes(posix.basename(path));
  return isThere && (await folder.list(path)).folders.includes(name);
}

/** Adds what only the trace has; what a checkpoint says of a program stands. */
async function addTrace(folder: TraceFolder, path: string, programs: Map<string, LoadedGeneration>): Promise<void> {
  for await (const { line, value } of folder.jsonLines(path)) {
    const parsed = traceRow.safeParse(value);
    if (!parsed.success) {
      folder.skips.note({ path, line, what: 'line', why: 'not a step of a search (no child_id)' });
      continue;
    }
    const row = parsed.data;
    add(programs, childOf(row));
    const parent = parentOf(row);
    if (parent) add(programs, parent);
  }
}

function add(programs: Map<string, LoadedGeneration>, program: LoadedGeneration): void {
  const known = programs.get(program.id);
  if (known === undefined) programs.set(program.id, program);
  // A parent is met before its own step is: its iteration and its parent come with that step.
  else if (known.code === undefined || (known.parents.length === 0 && program.parents.length > 0)) {
    programs.set(program.id, {
      ...known,
      ...program,
      ...(known.code === undefined ? {} : { code: known.code }),
      scores: { ...program.scores, ...known.scores },
    });
  }
}

function childOf(row: TraceRow): LoadedGeneration {
  return generationOfRow(
    {
      id: row.child_id,
      parent_id: row.parent_id,
      iteration_found: row.iteration,
      metrics: row.child_metrics,
      metadata: row.metadata,
      language: languageIn(row),
    },
    row.child_code,
  );
}

/** The parent as its child's step tells of it: the initial program has no step of its own. */
function parentOf(row: TraceRow): LoadedGeneration | undefined {
  if (row.parent_id === undefined || row.parent_code === undefined) return undefined;
  return generationOfRow(
    { id: row.parent_id, iteration_found: 0, metrics: row.parent_metrics, language: languageIn(row) },
    row.parent_code,
  );
}

function languageIn(row: TraceRow): string | undefined {
  const language = row.metadata?.['language'];
  return typeof language === 'string' ? language : undefined;
}
