import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseConfig, readConfig, withRecordingFrom } from '../experiment/config.ts';
import type { ExperimentConfig } from '../experiment/config.ts';
import { createExperiment, openExperiment } from '../experiment/experiment-folder.ts';
import type { ExperimentFolder } from '../experiment/experiment-folder.ts';
import { playExperiment } from '../experiment/experiment.ts';
import type { ExperimentResult } from '../experiment/experiment.ts';
import type { OnEvent } from '../experiment/progress.ts';
import { resultText } from '../report/result-text.ts';
import { startHost } from './outside/host.ts';
import type { ExitCode, Surroundings } from './output.ts';
import { EXIT, UsageError } from './output.ts';
import { packageRoot } from './package-root.ts';
import { ProgressView } from './progress-view.ts';
import { writeRunReports } from './run-report.ts';

export interface RunFlags {
  readonly models?: readonly string[];
  readonly task?: string;
  readonly generations?: number;
  readonly seed?: number;
  readonly out?: string;
  readonly json?: boolean;
}

/** Where `run` puts results unless told otherwise. */
export const DEFAULT_OUT = 'results';

/** `hivemark run [config]`: without a config, the quickstart that comes with the package. */
export async function runCommand(config: string | undefined, flags: RunFlags, world: Surroundings): Promise<ExitCode> {
  const quickstart = config === undefined;
  const file = config ?? fileURLToPath(new URL('experiments/quickstart.yaml', packageRoot()));
  const models = flags.models?.map((model) => withRecordingFrom(world.cwd, model));
  const resolved = withFlags(await readConfig(file), { ...flags, ...(models === undefined ? {} : { models }) });
  const folder = await createExperiment(resolved, flags.out ?? DEFAULT_OUT, {
    env: world.env,
    publicSecret: quickstart,
  });
  return play(folder, undefined, flags.json === true, world);
}

/** `hivemark resume <folder>`: goes on with a run or all runs of an experiment; content with finished ones. */
export async function resumeCommand(
  path: string,
  flags: { readonly json?: boolean },
  world: Surroundings,
): Promise<ExitCode> {
  await refuseOthers(path);
  const { folder, only } = await openExperiment(path, world.env);
  return play(folder, only, flags.json === true, world);
}

/** A folder that is neither a run's nor an experiment's is wrong usage; experiments inside it are named. */
async function refuseOthers(path: string): Promise<void> {
  if (!existsSync(path)) throw new UsageError(`there is no folder ${path}; give a run's or an experiment's folder`);
  if (existsSync(join(path, 'run.json')) || existsSync(join(path, 'experiment.json'))) return;
  const inside = (await readdir(path).catch(() => [])).filter((name) =>
    existsSync(join(path, name, 'experiment.json')),
  );
  const hint =
    inside.length > 0
      ? `; in it are ${inside
          .slice(0, 5)
          .map((name) => join(path, name))
          .join(', ')}`
      : '';
  throw new UsageError(`${path} is no run and no experiment${hint}`);
}

function withFlags(config: ExperimentConfig, flags: RunFlags): ExperimentConfig {
  const agents =
    flags.models === undefined
      ? config.agents
      : flags.models.map((model, i) => ({
          ...agentSettings(config, model),
          name: agentName(model, i, flags.models ?? []),
          model,
        }));
  const arms = agents.length < 2 && config.arms.includes('solo') ? (['solo'] as const) : config.arms;
  return parseConfig(
    {
      ...config,
      agents,
      arms: [...arms],
      ...(flags.task === undefined ? {} : { task: flags.task }),
      ...(flags.generations === undefined ? {} : { generations: flags.generations }),
      ...(flags.seed === undefined ? {} : { seeds: [flags.seed] }),
    },
    'the config with these flags',
  );
}

/** A model named on the command line keeps the settings (address, key variable) that the config has for it. */
function agentSettings(config: ExperimentConfig, model: string): Partial<ExperimentConfig['agents'][number]> {
  return config.agents.find((agent) => agent.model === model) ?? {};
}

/** `anthropic/claude-x` -> `claude-x`; numbered where two would be named alike. */
function agentName(model: string, index: number, all: readonly string[]): string {
  const base = (of: string): string =>
    (of.split('/').at(-1) ?? '')
      .toLowerCase()
      .replaceAll(/[^a-z0-9._-]+/g, '-')
      .replace(/^[^a-z0-9]+/, '')
      .slice(0, 48) || 'agent';
  const name = base(model);
  const twins = all.filter((other) => base(other) === name).length;
  return twins > 1 ? `${name}-${all.slice(0, index + 1).filter((other) => base(other) === name).length}` : name;
}

async function play(
  folder: ExperimentFolder,
  only: string | undefined,
  json: boolean,
  world: Surroundings,
): Promise<ExitCode> {
  const { output } = world;
  const view = new ProgressView(output);
  const result = await playWhole(folder, only, (event) => view.on(event), world);
  const { stop, ...document } = result;
  if (json) output.out(`${JSON.stringify(document)}\n`);
  else output.out(resultText(document, { dir: folder.dir, publicSecret: folder.publicSecret }));
  if (stop !== undefined) output.err(stopText(stop, folder.dir));
  await writeRunReports(
    result.runs.map(({ dir }) => dir),
    world,
  );
  return exitCodeOf(result);
}

/** Plays it; where agents take part from outside, it is served meanwhile, and they are told how to come in. */
async function playWhole(
  folder: ExperimentFolder,
  only: string | undefined,
  onEvent: OnEvent,
  world: Surroundings,
): Promise<ExperimentResult> {
  const found = { folder, ...(only === undefined ? {} : { only }) };
  const { env, signal, output } = world;
  const outside = folder.config.agents.filter(({ external }) => external !== undefined);
  if (outside.length === 0) return playExperiment(folder, { env, signal, onEvent, ...found });
  for (const { name, external } of outside) {
    const how =
      external === 'folder'
        ? `hivemark join ${folder.dir} --agent ${name} --dir <folder>`
        : `hivemark mcp --experiment ${folder.dir} --agent ${name}`;
    output.err(`${name} takes part from outside: ${how}\n`);
  }
  const host = await startHost(found, { onEvent }, world);
  if (host.url !== '') output.err(`or over HTTP, with a token (hivemark token <agent>): ${host.url}\n`);
  return host.ended;
}

function stopText(stop: NonNullable<ExperimentResult['stop']>, dir: string): string {
  const goOn = `everything up to here is in ${dir}; go on with: hivemark resume ${dir}`;
  switch (stop.kind) {
    case 'interrupted':
      return `hivemark: interrupted; ${goOn}\n`;
    case 'budget':
      return `hivemark: ${stop.run} stopped: ${stop.message}; raise the budget in ${dir}/experiment.json; ${goOn}\n`;
    case 'failed':
      return `hivemark: ${stop.run} stopped: ${stop.message}\nhivemark: ${goOn}\n`;
  }
}

function exitCodeOf({ stop }: ExperimentResult): ExitCode {
  switch (stop?.kind) {
    case undefined:
      return EXIT.done;
    case 'budget':
      return EXIT.budget;
    case 'interrupted':
      return EXIT.interrupted;
    case 'failed':
      return EXIT.failed;
  }
}
