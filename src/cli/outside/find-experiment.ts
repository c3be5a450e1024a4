import { existsSync, statSync } from 'node:fs';
import { hash } from 'node:crypto';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { isDeepStrictEqual } from 'node:util';
import { type AgentConfig, errorCode, type ExperimentConfig, readConfig } from '../../experiment/config.ts';
import { createExperiment, type ExperimentFolder, openExperiment } from '../../experiment/experiment-folder.ts';
import { planRuns } from '../../experiment/run-plan.ts';
import { readRunFile } from '../../trace/run-folder.ts';
import { DEFAULT_OUT } from '../experiment-commands.ts';
import { type Surroundings, UsageError } from '../output.ts';
import { configFolder } from './config-folder.ts';

export interface FoundExperiment {
  readonly folder: ExperimentFolder;
  /** Only this run of it. */
  readonly only?: string;
}

/**
 * The experiment that `path` names, with something left to play: a run's or an experiment's folder, or a config. For a config, the newest
 * folder below `out` that was made from it and is not finished; a new one where there is none. `agent` must be external in it, or anybody.
 *
 * @throws {UsageError} when all of it is played, or it is neither; {ConfigError} {ResultsError} {TaskError}
 */
export async function findExperiment(
  path: string,
  world: Surroundings,
  { out = DEFAULT_OUT, agent }: { readonly out?: string; readonly agent?: string } = {},
): Promise<FoundExperiment> {
  const given = resolve(world.cwd, path);
  if (!existsSync(given))
    throw new UsageError(`there is no ${path}; give a config (YAML), or the folder of an experiment or a run`);
  if (!statSync(given).isDirectory()) {
    const config = await readConfig(given);
    checkOutside(config.name, config.agents, agent);
    return { folder: await folderFor(config, resolve(world.cwd, out), world) };
  }
  if (!['run.json', 'experiment.json'].some((name) => existsSync(join(given, name))))
    throw new UsageError(`${path} is no run and no experiment; give the folder of one, or a config (YAML)`);
  const found = await openExperiment(given, world.env);
  checkOutside(found.folder.config.name, agentsOf(found), agent);
  if (await isFinished(found))
    throw new UsageError(`${path} is finished: all its rounds are played; start a new one from its config`);
  return found;
}

async function folderFor(config: ExperimentConfig, out: string, { env }: Surroundings): Promise<ExperimentFolder> {
  const known = await unfinishedIn(config, out, env);
  if (known !== undefined) return known;
  // Clients that start together (each agent a process of its own) are to meet in one experiment.
  return onlyOne(`${out}\0${config.name}`, env, async () => {
    const made = await unfinishedIn(config, out, env);
    return made ?? createExperiment(config, out, { env, publicSecret: false });
  });
}

async function unfinishedIn(
  config: ExperimentConfig,
  out: string,
  env: Surroundings['env'],
): Promise<ExperimentFolder | undefined> {
  for (const dir of await foldersOf(config, out)) {
    const found = await openExperiment(dir, env).catch(() => undefined);
    if (found !== undefined && isSame(found.folder.config, config) && !(await isFinished(found))) return found.folder;
  }
  return undefined;
}

/** How long making an experiment's folder may take; a lock that is older was left behind. */
const LOCK_MS = 20_000;

/** Runs `work` in one of this user's processes at a time. */
async function onlyOne<T>(what: string, env: Surroundings['env'], work: () => Promise<T>): Promise<T> {
  const lock = join(await configFolder(env, 'locks'), hash('sha256', what));
  for (;;) {
    try {
      await mkdir(lock);
      break;
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
      const made = await stat(lock).catch(() => undefined);
      if (made !== undefined && Date.now() - made.mtimeMs > LOCK_MS) await rm(lock, { recursive: true, force: true });
      else await sleep(50);
    }
  }
  try {
    return await work();
  } finally {
    await rm(lock, { recursive: true, force: true });
  }
}

/** `<out>/<name>`, `<out>/<name>-2` ..., the newest first. */
async function foldersOf({ name }: ExperimentConfig, out: string): Promise<string[]> {
  const numberOf = (folder: string): number => {
    if (folder === name) return 1;
    const rest = folder.startsWith(`${name}-`) ? folder.slice(name.length + 1) : '';
    return /^\d+$/u.test(rest) ? Number(rest) : 0;
  };
  const names = await readdir(out).catch(() => []);
  return names
    .filter((folder) => numberOf(folder) > 0 && existsSync(join(out, folder, 'experiment.json')))
    .sort((a, b) => numberOf(b) - numberOf(a))
    .map((folder) => join(out, folder));
}

/** What was written into the experiment's folder is the config, but for where its space is. */
function isSame(written: ExperimentConfig, given: ExperimentConfig): boolean {
  const plain = (config: ExperimentConfig): unknown => JSON.parse(JSON.stringify({ ...config, space: undefined }));
  return isDeepStrictEqual(plain(written), plain(given));
}

async function isFinished({ folder, only }: FoundExperiment): Promise<boolean> {
  for (const { id } of planRuns(folder.config)) {
    if (only !== undefined && only !== id) continue;
    const dir = join(folder.dir, id);
    if (!existsSync(join(dir, 'run.json')) || (await readRunFile(dir)).status !== 'done') return false;
  }
  return true;
}

/** How an agent of the experiment takes part from outside. @throws {UsageError} when it does not */
export function externalOf(found: FoundExperiment, agent: string): 'mcp' | 'folder' {
  return externalIn(found.folder.config.name, agentsOf(found), agent);
}

function agentsOf({ folder, only }: FoundExperiment): readonly AgentConfig[] {
  return planRuns(folder.config)
    .filter(({ id }) => only === undefined || id === only)
    .flatMap((plan) => plan.agents);
}

function checkOutside(experiment: string, agents: readonly AgentConfig[], agent: string | undefined): void {
  if (agent !== undefined) externalIn(experiment, agents, agent);
  else if (agents.every(({ external }) => external === undefined))
    throw new UsageError(
      `${experiment} has no external agent, so there is nobody to serve it to; add one to its agents: - { name: me, external: mcp }, or play it with hivemark run`,
    );
}

function externalIn(experiment: string, agents: readonly AgentConfig[], agent: string): 'mcp' | 'folder' {
  const found = agents.find(({ name }) => name === agent);
  if (found?.external !== undefined) return found.external;
  const outside = [...new Set(agents.filter(({ external }) => external !== undefined).map(({ name }) => name))];
  const others =
    outside.length === 0
      ? `it has no external agent; add one to its agents: - { name: ${found === undefined ? agent : 'me'}, external: mcp }`
      : `its external agents are ${outside.join(', ')}`;
  throw new UsageError(
    found === undefined
      ? `${experiment} has no agent ${JSON.stringify(agent)}; ${others}`
      : `${agent} is driven by hivemark (${found.model}), not from outside; ${others}`,
  );
}
