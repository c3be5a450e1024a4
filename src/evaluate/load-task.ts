import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { z } from 'zod';
import type { LoadedTask, Task } from './task.ts';

/** A task could not be loaded: it is not there, its folder is incomplete, or what it exports is no task. */
export class TaskError extends Error {
  override readonly name = 'TaskError';
  readonly code = 'task';
  /** The name or path that was asked for. */
  readonly task: string;

  constructor(task: string, what: string, options: { readonly cause?: unknown } = {}) {
    super(what, options);
    this.task = task;
  }
}

export interface LoadTaskOptions {
  /** The folder relative paths start from. @default process.cwd() */
  readonly cwd?: string;
  /** Files a task's `agent/` folder may leave out, e.g. the shared `meta_agent.ts`: path -> source. @default {} */
  readonly defaultFiles?: Readonly<Record<string, string>>;
}

/** The names of the tasks that come with the package, sorted. */
export async function listTasks(): Promise<readonly string[]> {
  const { sources } = packageFolders();
  const entries = await readdir(sources, { withFileTypes: true });
  return entries
    .filter((entry) => entry.isDirectory() && existsSync(join(sources, entry.name, 'task.ts')))
    .map((entry) => entry.name)
    .sort();
}

/**
 * Loads a task: a name is one of the package's tasks (`prism_placement`); a path is a folder with `task.ts` or `task.js`
 * exporting `task`, and `agent/` with the initial files. The task's module runs in this process: it belongs to the
 * evaluation zone and must be trusted.
 *
 * @throws {TaskError} naming what is wrong and the way out.
 */
export async function loadTask(nameOrPath: string, options: LoadTaskOptions = {}): Promise<LoadedTask> {
  const folders = await taskFolders(nameOrPath, options.cwd ?? process.cwd());
  const task = await importTask(nameOrPath, folders.module);
  const files = { ...options.defaultFiles, ...(await readAgentFiles(nameOrPath, join(folders.source, 'agent'))) };
  return { task, files };
}

interface TaskFolders {
  /** The folder with `task.ts` or `task.js`. */
  readonly module: string;
  /** The folder with `agent/`. */
  readonly source: string;
}

async function taskFolders(nameOrPath: string, cwd: string): Promise<TaskFolders> {
  const known = await listTasks();
  if (known.includes(nameOrPath)) {
    const { modules, sources } = packageFolders();
    return { module: join(modules, nameOrPath), source: join(sources, nameOrPath) };
  }
  const folder = resolve(cwd, nameOrPath);
  if (existsSync(join(folder, 'task.ts')) || existsSync(join(folder, 'task.js')))
    return { module: folder, source: folder };
  if (existsSync(folder)) {
    throw new TaskError(nameOrPath, `The folder "${nameOrPath}" is no task: it has neither task.ts nor task.js`);
  }
  throw new TaskError(
    nameOrPath,
    `There is no task "${nameOrPath}". The nearest known: ${nearestFirst(nameOrPath, known).slice(0, 3).join(', ')}; ` +
      '`hivemark tasks` lists all. A task of your own is given as the path of its folder',
  );
}

/** Where the package keeps its tasks: their sources, and the modules to import (the same from a checkout, in `dist` when compiled). */
function packageFolders(): { readonly sources: string; readonly modules: string } {
  const here = dirname(fileURLToPath(import.meta.url));
  let root = here;
  while (!existsSync(join(root, 'package.json')) && dirname(root) !== root) root = dirname(root);
  return { sources: join(root, 'experiments', 'tasks'), modules: join(here, '..', '..', 'experiments', 'tasks') };
}

async function importTask(asked: string, folder: string): Promise<Task> {
  const file = existsSync(join(folder, 'task.ts')) ? 'task.ts' : 'task.js';
  let exported: unknown;
  try {
    const module: unknown = await import(/* @vite-ignore */ pathToFileURL(join(folder, file)).href);
    exported = typeof module === 'object' && module !== null && 'task' in module ? module.task : undefined;
  } catch (error) {
    const cause = error instanceof Error ? error.message : String(error);
    throw new TaskError(asked, `Cannot load ${file} of task "${asked}": ${cause}`, { cause: error });
  }
  if (exported === undefined) throw new TaskError(asked, `${file} of task "${asked}" does not export \`task\``);
  assertTask(asked, file, exported);
  return exported;
}

const positive = z.number().positive();
const count = z.int().positive();
const callable = z.custom((value) => typeof value === 'function', 'must be a function');

/** What a task must export; functions can only be told to be functions. */
const taskShape = z.looseObject({
  name: z.string().regex(/^[a-z0-9][a-z0-9_-]*$/, 'must be lower-case letters, digits, _ and -'),
  title: z.string().min(1),
  statement: z.string().min(1),
  seedScore: z.number(),
  bestKnown: z.number().optional(),
  stage: z.strictObject({ cases: count, threshold: z.number() }),
  limits: z.strictObject({
    computeMs: positive.optional(),
    caseMs: positive.optional(),
    wallMs: positive.optional(),
    memoryMb: count.optional(),
    resultBytes: count.optional(),
    logBytes: count.optional(),
    hostCalls: z.int().nonnegative().optional(),
    hostBytes: count.optional(),
    sourceBytes: count.optional(),
  }),
  runCases: count.optional(),
  better: z.enum(['lower', 'higher']).optional(),
  withoutGlobals: z.array(z.string().regex(/^[A-Za-z_$][\w$]*(\.[A-Za-z_$][\w$]*)*$/)).optional(),
  cases: callable,
  score: callable,
});

function assertTask(asked: string, file: string, exported: unknown): asserts exported is Task {
  const checked = taskShape.safeParse(exported);
  if (checked.success) return;
  const issue = checked.error.issues[0];
  const field = issue === undefined || issue.path.length === 0 ? 'task' : issue.path.join('.');
  throw new TaskError(asked, `${file} of task "${asked}": \`${field}\`: ${issue?.message ?? 'is no task'}`);
}

/** All regular files below `agent/`: relative path with `/` -> text. Links are not followed. */
async function readAgentFiles(asked: string, folder: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  async function walk(path: string, prefix: string): Promise<void> {
    const entries = await readdir(path, { withFileTypes: true });
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (entry.isDirectory()) await walk(join(path, entry.name), `${prefix}${entry.name}/`);
      else if (entry.isFile()) files[`${prefix}${entry.name}`] = await readFile(join(path, entry.name), 'utf8');
    }
  }
  if (existsSync(folder)) await walk(folder, '');
  if (files['task_agent.ts'] === undefined) {
    throw new TaskError(asked, `Task "${asked}" has no initial program: its folder needs agent/task_agent.ts`);
  }
  return files;
}

/** Known names by how many pairs of neighbouring letters they share with the one asked for. */
function nearestFirst(asked: string, known: readonly string[]): readonly string[] {
  const pairsOf = (word: string): ReadonlySet<string> =>
    new Set(Array.from({ length: Math.max(0, word.length - 1) }, (_, i) => word.slice(i, i + 2).toLowerCase()));
  const pairs = pairsOf(asked);
  const shared = (name: string): number => [...pairsOf(name)].filter((pair) => pairs.has(pair)).length;
  return [...known].sort((a, b) => shared(b) - shared(a));
}
