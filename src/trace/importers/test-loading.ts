import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { LoadedGeneration, LoadedRun, LoadedTraces } from '../loaded-run.ts';
import { makeTestFolder } from '../test-folder.ts';
import { writeTree } from './test-sources.ts';

export const ids = ({ runs }: LoadedTraces): readonly string[] => runs.map(({ id }) => id);

/** The one run that was read. */
export function only({ runs, skipped }: LoadedTraces): LoadedRun {
  const [run] = runs;
  if (run === undefined || runs.length > 1)
    throw new Error(`${runs.length} runs instead of one: ${JSON.stringify(skipped)}`);
  return run;
}

export function generation(run: LoadedRun, id: string): LoadedGeneration {
  const found = run.agents.flatMap(({ generations }) => generations).find((one) => one.id === id);
  if (found === undefined) throw new Error(`no generation ${id}`);
  return found;
}

/** A folder with these files, gone after the test. */
export async function tree(files: Readonly<Record<string, unknown>>): Promise<string> {
  const root = await makeTestFolder();
  await writeTree(root, files);
  return root;
}

/** Every file below a folder with its time: what changes when somebody writes there. */
export async function stampsOf(root: string): Promise<readonly string[]> {
  const names = await readdir(root, { recursive: true });
  return Promise.all(names.sort().map(async (name) => `${name} ${(await stat(join(root, name))).mtimeMs}`));
}

/** Rows as a file with one JSON value a line; a text is a line as it is. */
export const lines = (rows: readonly unknown[]): string =>
  rows.map((one) => `${typeof one === 'string' ? one : JSON.stringify(one)}\n`).join('');

/** A generation's metadata in a hyperspace tree. */
export const scored = (train: number, val: number): unknown => ({ valid: true, train_score: train, val_score: val });
