import { posix } from 'node:path';
import { z } from 'zod';
import type { FailureCause, LoadedAgent, LoadedGeneration, LoadedRun } from '../loaded-run.ts';
import { isNearZero, isProviderFailure } from './failure-cause.ts';
import { maybeBoolean, maybeNumber, maybeText, present } from './fields.ts';
import { languageOfPath } from './language.ts';
import type { TraceFolder } from './trace-folder.ts';

const GENERATION = /^gen_(\d+)$/;
const SEED = /^seed[-_]?(\d+)$/i;
const MAIN_FILE = 'task_agent.py';
/** Other files an agent may edit. */
const OWN_FILES = ['meta_agent.py'];

/** @see https://github.com/opinionated-systems/hyperspace/blob/main/transfer_experiment/run_shared.py `run_one_gen` */
const metadataFile = z.looseObject({
  valid: maybeBoolean,
  train_score: maybeNumber,
  val_score: maybeNumber,
  test_score: maybeNumber,
  is_initial: maybeBoolean,
  error: maybeText,
});
type Metadata = z.infer<typeof metadataFile>;
const configFile = z.looseObject({ model: maybeText, seed: maybeNumber, task: maybeText });
const reportFile = z.looseObject({ total_correct: maybeNumber, total: maybeNumber, overall_accuracy: maybeNumber });

export function isGenerationFolder(name: string): boolean {
  return GENERATION.test(name);
}

export function isSeedFolder(name: string): boolean {
  return SEED.test(name);
}

/**
 * One run of a hyperspace tree: `dir` is `<pairing>/seed<N>` with a folder for each agent, or an agent's folder itself (a solo run).
 * Code is what the agent's head was at that generation; a parent is the last generation before with code, as that program keeps
 * whatever it has.
 */
export async function importHyperspace(folder: TraceFolder, dir: string, id: string): Promise<LoadedRun> {
  const { folders } = await folder.list(dir);
  const solo = folders.some(isGenerationFolder);
  const named: { name: string; path: string }[] = [];
  if (solo) named.push({ name: nameOf(folder, dir), path: dir });
  else
    for (const name of folders) {
      const path = posix.join(dir, name);
      if ((await folder.list(path)).folders.some(isGenerationFolder)) named.push({ name, path });
    }
  const agents: LoadedAgent[] = [];
  let config: z.infer<typeof configFile> = {};
  for (const { name, path } of named) {
    const found = configFile.safeParse(await folder.readJson(posix.join(path, 'run_config.json')));
    const own = found.success ? found.data : {};
    config = { ...own, ...config };
    agents.push({ name, ...present({ model: own.model }), generations: await generationsOf(folder, path, name) });
  }
  const absolute = folder.absolute(dir);
  const seedName = SEED.exec(posix.basename(absolute));
  const parentName = posix.basename(posix.dirname(absolute));
  const names = agents.map(({ name }) => name);
  const paired = parentName.includes('_vs_') ? parentName : names.join('+');
  return {
    id,
    format: 'hyperspace',
    folder: absolute,
    pairing: names.length > 1 ? paired : (names[0] ?? id),
    ...present({ task: config.task, seed: seedName ? Number(seedName[1]) : config.seed }),
    ...(names.length > 1 ? { arm: 'paired' } : { arm: 'solo' }),
    agents,
  };
}

/** A solo run in a folder `seed42` is named after what is above: `seed42` says nothing about who ran. */
function nameOf(folder: TraceFolder, dir: string): string {
  const absolute = folder.absolute(dir);
  const own = posix.basename(absolute);
  return isSeedFolder(own) ? posix.basename(posix.dirname(absolute)) : own;
}

async function generationsOf(folder: TraceFolder, dir: string, agent: string): Promise<readonly LoadedGeneration[]> {
  const { folders } = await folder.list(dir);
  const numbered = folders
    .map((name) => ({ name, generation: Number(GENERATION.exec(name)?.[1] ?? Number.NaN) }))
    .filter(({ generation }) => Number.isSafeInteger(generation))
    .sort((a, b) => a.generation - b.generation);
  const loaded: LoadedGeneration[] = [];
  let head: string | undefined;
  let best = 0;
  for (const { name, generation } of numbered) {
    const path = posix.join(dir, name);
    const id = `${agent}/${generation}`;
    if (loaded.at(-1)?.id === id) {
      folder.skips.note({ path, what: 'generation', why: 'this generation was met before under another name' });
      continue;
    }
    const made = await generationAt(folder, path, id, generation, head);
    // Published on strict improvement above 0, with what it scored.
    const score = made.scores.validation ?? 0;
    const hadCode = made.code !== undefined || made.unread === true;
    const published = hadCode && made.valid && score > best;
    if (published) best = score;
    if (hadCode) head = id;
    loaded.push({ ...made, published });
  }
  return loaded;
}

async function generationAt(
  folder: TraceFolder,
  path: string,
  id: string,
  generation: number,
  head: string | undefined,
): Promise<LoadedGeneration> {
  const raw = await folder.readJson(posix.join(path, 'metadata.json'));
  const parsed = metadataFile.safeParse(raw);
  const metadata: Metadata = parsed.success ? parsed.data : {};
  if (raw === undefined && (await folder.fileAt(posix.join(path, 'metadata.json'))) === undefined) {
    folder.skips.note({ path, what: 'scores', why: 'a generation without metadata.json: it has no score' });
  }
  const code = await folder.readText(posix.join(path, 'repo', MAIN_FILE), 'code');
  const unread = code === undefined && (await folder.isThere(posix.join(path, 'repo', MAIN_FILE)));
  if (code === undefined && !unread && metadata.valid !== false) {
    folder.skips.note({ path, what: 'code', why: `a generation without code (repo/${MAIN_FILE})` });
  }
  const files: Record<string, string> = {};
  for (const name of OWN_FILES) {
    const text = await folder.readText(posix.join(path, 'repo', name), 'code');
    if (text !== undefined) files[name] = text;
  }
  const valid = metadata.valid ?? (code !== undefined || unread);
  const failed = raw !== undefined && (!valid || (code === undefined && !unread) || isNearZero(metadata.val_score));
  return {
    id,
    generation,
    parents: head === undefined ? [] : [head],
    ...present({ code }),
    ...(unread ? { unread: true as const } : {}),
    mainFile: MAIN_FILE,
    language: languageOfPath(MAIN_FILE),
    ...(Object.keys(files).length > 0 ? { files } : {}),
    valid,
    scores: present({ train: metadata.train_score, validation: metadata.val_score, test: metadata.test_score }),
    ...(failed ? { cause: await causeOf(folder, path, metadata, code !== undefined || unread) } : {}),
  };
}

interface Report {
  readonly staged: boolean;
  readonly stagedCorrect: number;
  readonly full: boolean;
}

/**
 * What a score of about 0 came from, told by the files beside it. A report is written when an evaluation has gone through, so:
 *
 * - no code: the meta agent's chat ended in a provider's error (`HTTP 400`, a reply without `choices`) or in one of its own;
 * - code, but no report of any evaluation: the program did not load or threw on the first problem;
 * - a report for one split but none for the other, or a first stage that was passed without the report of all cases: broke off;
 * - otherwise it ran and was wrong.
 *
 * @see https://github.com/opinionated-systems/hyperspace/blob/main/transfer_experiment/mark_loop.py `_evaluate_from_marks`
 */
async function causeOf(folder: TraceFolder, path: string, metadata: Metadata, hasCode: boolean): Promise<FailureCause> {
  if (!hasCode) return isProviderFailure(metadata.error ?? '') ? 'provider-outage' : 'no-candidate';
  const train = await reportOf(folder, posix.join(path, 'eval_train'));
  const validation = await reportOf(folder, posix.join(path, 'eval_val'));
  if (!train.staged && !validation.staged && !train.full && !validation.full) return 'cannot-run';
  if (!validation.staged && !validation.full) return 'evaluation-broke-off';
  return validation.stagedCorrect > 0 && !validation.full ? 'evaluation-broke-off' : 'wrong-answers';
}

async function reportOf(folder: TraceFolder, path: string): Promise<Report> {
  const staged = reportFile.safeParse(await folder.readJson(posix.join(path, 'staged', 'report.json')));
  const full = reportFile.safeParse(await folder.readJson(posix.join(path, 'report.json')));
  return {
    staged: staged.success,
    stagedCorrect: staged.success ? (staged.data.total_correct ?? staged.data.overall_accuracy ?? 0) : 0,
    full: full.success,
  };
}
