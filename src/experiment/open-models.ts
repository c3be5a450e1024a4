import type { Model } from '../agents/model.ts';
import { ModelError } from '../agents/model.ts';
import type { Environment } from '../agents/open-model.ts';
import type { OpenModelSpec } from '../agents/open-model.ts';
import { openModel } from '../agents/open-model.ts';
import type { AgentConfig } from './config.ts';

/** How a configured model becomes one that answers; for callers with a provider of their own. @default `openModel` of src/agents */
export type OpenModel = (spec: OpenModelSpec, env: Environment) => Promise<Model>;

/**
 * Opens the model of every agent that hivemark drives, by name; asks no provider anything.
 *
 * @throws {ModelSpecError} for a name that cannot be used, {ModelError} for a provider without a key, an unknown persona, or a
 * recording that cannot be read.
 */
export async function openModels(
  agents: readonly AgentConfig[],
  options: { readonly seed: number; readonly task: string; readonly env: Environment },
  open: OpenModel = openModel,
): Promise<ReadonlyMap<string, Model>> {
  const models = new Map<string, Model>();
  for (const { name, model, external, baseUrl, apiKeyEnv, temperature, maxOutputTokens } of agents) {
    if (external !== undefined) continue;
    const spec = {
      model,
      agent: name,
      seed: options.seed,
      task: options.task,
      ...(baseUrl === undefined ? {} : { baseUrl }),
      ...(apiKeyEnv === undefined ? {} : { apiKeyEnv }),
      ...(temperature === undefined ? {} : { temperature }),
      ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
    };
    models.set(name, await open(spec, options.env));
  }
  return models;
}

/**
 * Refuses replays of runs with another seed or task. Their requests would not always tell: where no message depends on the seed,
 * a recording answers under any, and its copy would pass for an independent run.
 *
 * @throws {ModelError} `replay-mismatch`
 */
export function checkRecordings(
  models: ReadonlyMap<string, Model>,
  run: { readonly seed: number; readonly task: string },
): void {
  for (const { name, recording } of models.values()) {
    for (const what of ['task', 'seed'] as const) {
      const recorded = recording?.[what];
      if (recorded === undefined || recorded === run[what]) continue;
      throw new ModelError(
        'replay-mismatch',
        name,
        `${name}: recorded with the ${what} ${recorded}, but this run has the ${what} ${run[what]}. ` +
          `A replay repeats the recorded run alone: use the ${what} ${recorded}, or record it anew.`,
        0,
      );
    }
  }
}
