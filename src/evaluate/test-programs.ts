import { readdir, readFile } from 'node:fs/promises';
import type { RunProgram } from '../sandbox/sandbox.ts';
import { evaluateProgram } from './evaluate-program.ts';
import type { Evaluation, Split, Task } from './task.ts';

/** The programs in a task's `negative/` folder: name -> source. Each must score 0. */
export async function readPrograms(folder: URL): Promise<Readonly<Record<string, string>>> {
  const programs: Record<string, string> = {};
  for (const file of (await readdir(folder)).sort()) {
    programs[file.replace(/\.ts$/, '')] = await readFile(new URL(file, folder), 'utf8');
  }
  return programs;
}

/** Evaluates one program of one file for a test, the test split with a fixed secret. */
export function evaluateSource(
  task: Task,
  source: string,
  run: RunProgram,
  split: Split = 'train',
): Promise<Evaluation> {
  return evaluateProgram({ task, split, secret: () => 123_456_789, modules: { 'task_agent.ts': source }, run });
}

/** Evaluates programs two at a time: name -> evaluation. */
export async function evaluateSources(
  task: Task,
  programs: Readonly<Record<string, string>>,
  run: RunProgram,
): Promise<ReadonlyMap<string, Evaluation>> {
  const results = new Map<string, Evaluation>();
  const queue = Object.entries(programs);
  async function work(): Promise<void> {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
      results.set(next[0], await evaluateSource(task, next[1], run));
    }
  }
  await Promise.all([work(), work()]);
  return results;
}
