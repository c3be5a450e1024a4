import { mkdir, readFile } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { existsSync } from 'node:fs';
import { z } from 'zod';
import { DEFAULT_META_AGENT } from '../agents/default-meta-agent.ts';
import { PRICES, PRICES_DATED } from '../agents/prices.ts';
import { loadTask } from '../evaluate/load-task.ts';
import { fingerprint, loadSecret } from '../evaluate/secret.ts';
import type { LoadedTask } from '../evaluate/task.ts';
import { UNBOUNDED, copyJson } from '../space/json-value.ts';
import { parsePostgresUrl } from '../space/postgres-address.ts';
import { writeFileAtomic } from '../trace/atomic-file.ts';
import { writeRunFile } from '../trace/run-folder.ts';
import { TRACE_SCHEMA_VERSION } from '../trace/schema.ts';
import { VERSION } from '../version.ts';
import type { ExperimentConfig } from './config.ts';
import { errorCode, parseConfig } from './config.ts';
import type { OpenModel } from './open-models.ts';
import { checkRecordings, openModels } from './open-models.ts';
import { databaseFor, newRunSpace, withoutPassword } from './run-log.ts';
import { planRuns } from './run-plan.ts';
import type { RunPlan } from './run-plan.ts';

/** The secret of the quickstart's test split: fixed and public, so that everybody sees the same figures. */
export const PUBLIC_SECRET = 'hivemark quickstart: this secret is public';

/** An experiment's folder on disk, ready to play. */
export interface ExperimentFolder {
  readonly dir: string;
  readonly config: ExperimentConfig;
  readonly task: LoadedTask;
  readonly secret: string;
  readonly publicSecret: boolean;
}

/** A results folder cannot be used as asked: what it is, and the way out. */
export class ResultsError extends Error {
  override readonly name = 'ResultsError';
  readonly code = 'results';
}

const FILE = 'experiment.json';
const fileSchema = z.object({
  schemaVersion: z.int().positive().max(TRACE_SCHEMA_VERSION),
  config: z.unknown(),
  secretFingerprint: z.string(),
  publicSecret: z.boolean(),
});

type Env = Readonly<Record<string, string | undefined>>;

/**
 * Makes the folder of a new experiment, `<out>/<name>`; when that is taken, `<out>/<name>-2` and so on, so that nothing is ever
 * written over. Task, models and keys are looked at first: what cannot be run leaves no folder.
 *
 * @throws {ResultsError} when it cannot be written, {TaskError}, {ModelError}, {ModelSpecError}, {SecretError}.
 */
export async function createExperiment(
  given: ExperimentConfig,
  out: string,
  options: { readonly env: Env; readonly publicSecret: boolean; readonly openModel?: OpenModel },
): Promise<ExperimentFolder> {
  const database = databaseFor(given.space, options.env);
  const config = database === undefined ? given : { ...given, space: database };
  if (database !== undefined) parsePostgresUrl(database);
  const task = await loadTaskFor(config);
  const { name } = task.task;
  const models = await openModels(
    config.agents,
    { seed: config.seeds[0] ?? 0, task: name, env: options.env },
    options.openModel,
  );
  for (const seed of config.seeds) checkRecordings(models, { seed, task: name });
  const secret = options.publicSecret ? PUBLIC_SECRET : (await loadSecret({ env: options.env })).secret;
  const dir = await claimFolder(resolve(out), given.name);
  const folder = { dir, config, task, secret, publicSecret: options.publicSecret };
  await writeFileAtomic(
    join(dir, FILE),
    `${JSON.stringify(
      {
        schemaVersion: TRACE_SCHEMA_VERSION,
        config: written(config),
        secretFingerprint: fingerprint(secret),
        publicSecret: options.publicSecret,
        runs: planRuns(config).map(({ id }) => id),
      },
      null,
      2,
    )}\n`,
  );
  return folder;
}

/** A config as it is put on disk: without a password. */
function written(config: ExperimentConfig): ExperimentConfig {
  return config.space === undefined ? config : { ...config, space: withoutPassword(config.space) };
}

async function claimFolder(out: string, name: string): Promise<string> {
  try {
    await makeFolder(out);
    for (let n = 1; ; n++) {
      const dir = join(out, n === 1 ? name : `${name}-${n}`);
      try {
        await mkdir(dir);
        return dir;
      } catch (error) {
        if (errorCode(error) !== 'EEXIST') throw error;
      }
    }
  } catch (cause) {
    throw notWritable(out, cause);
  }
}

/** Step by step: `mkdir` with `recursive` never returns where a file system answers ENOENT for a folder it will not make (/proc). */
async function makeFolder(path: string): Promise<void> {
  if (existsSync(path)) return;
  await makeFolder(dirname(path));
  await mkdir(path).catch((error: unknown) => {
    if (errorCode(error) !== 'EEXIST') throw error;
  });
}

function notWritable(path: string, cause: unknown): ResultsError {
  const code = errorCode(cause) ?? 'unknown error';
  return new ResultsError(
    `results cannot be written to ${path} (${code}); choose another folder with --out, or make it writable`,
    {
      cause,
    },
  );
}

/**
 * Opens the folder of an experiment, or of one of its runs (then `only` names that run).
 *
 * @throws {ResultsError} for any other folder, and when the secret is not the one it was started with.
 */
export async function openExperiment(path: string, env: Env): Promise<{ folder: ExperimentFolder; only?: string }> {
  const given = resolve(path);
  if (!existsSync(given)) throw new ResultsError(`there is no folder ${path}; give a run's or an experiment's folder`);
  const isRun = existsSync(join(given, 'run.json'));
  const dir = isRun ? dirname(given) : given;
  let text: string;
  try {
    text = await readFile(join(dir, FILE), 'utf8');
  } catch (cause) {
    throw new ResultsError(`${path} is no run and no experiment: ${join(isRun ? '..' : '.', FILE)} cannot be read`, {
      cause,
    });
  }
  const parsed = fileSchema.safeParse(parseJson(text));
  if (!parsed.success)
    throw new ResultsError(`${join(dir, FILE)} is damaged; restore it, or start the experiment anew`);
  const config = parseConfig(parsed.data.config, FILE);
  const task = await loadTaskFor(config);
  const secret = parsed.data.publicSecret ? PUBLIC_SECRET : (await loadSecret({ env })).secret;
  if (fingerprint(secret) !== parsed.data.secretFingerprint) {
    throw new ResultsError(
      `${path} was started with another secret (fingerprint ${parsed.data.secretFingerprint}, this one is ${fingerprint(secret)}); ` +
        'set HIVEMARK_SECRET to the one it was started with',
    );
  }
  const folder = { dir, config, task, secret, publicSecret: parsed.data.publicSecret };
  return isRun ? { folder, only: basename(given) } : { folder };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function loadTaskFor(config: ExperimentConfig): Promise<LoadedTask> {
  return loadTask(config.task, { defaultFiles: { 'meta_agent.ts': DEFAULT_META_AGENT } });
}

/** Makes a run's folder with its `run.json` where it is not there yet. @returns the folder */
export async function prepareRun(folder: ExperimentFolder, plan: RunPlan, env: Env, open?: OpenModel): Promise<string> {
  const dir = join(folder.dir, plan.id);
  if (existsSync(join(dir, 'run.json'))) return dir;
  const models = await openModels(plan.agents, { seed: plan.seed, task: folder.task.task.name, env }, open);
  const { space } = folder.config;
  try {
    await makeFolder(dir);
    await writeRunFile(dir, {
      schemaVersion: TRACE_SCHEMA_VERSION,
      id: plan.id,
      experiment: folder.config.name,
      task: folder.task.task.name,
      seed: plan.seed,
      arm: plan.arm,
      agents: plan.agents.map(({ name, model }) => ({ name, model, scripted: models.get(name)?.scripted ?? false })),
      generations: folder.config.generations,
      config: copyJson(written(folder.config), UNBOUNDED),
      ...(space === undefined ? {} : { space: newRunSpace(space, folder.config.name, plan.id) }),
      versions: { hivemark: VERSION, node: process.versions.node, v8: process.versions.v8 },
      priceTable: { dated: PRICES_DATED, usdPerMillionTokens: copyJson(PRICES, UNBOUNDED) },
      machine: {
        platform: `${process.platform}-${process.arch}`,
        cpus: availableParallelism(),
        memoryMb: Math.round(totalmem() / 2 ** 20),
      },
      secretFingerprint: fingerprint(folder.secret),
      status: 'running',
      anchors: [],
      startedAt: Date.now(),
    });
  } catch (cause) {
    throw notWritable(dir, cause);
  }
  return dir;
}

/** The run files of an experiment, in the order of its plan; runs that were not started yet are left out. */
export async function runDirs(folder: Pick<ExperimentFolder, 'dir' | 'config'>): Promise<string[]> {
  return planRuns(folder.config)
    .map(({ id }) => join(folder.dir, id))
    .filter((dir) => existsSync(join(dir, 'run.json')));
}
