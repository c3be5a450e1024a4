import type { Model } from '../agents/model.ts';
import type { Environment } from '../agents/open-model.ts';
import { openModel } from '../agents/open-model.ts';
import type { AgentConfig } from './config.ts';

/**
 * Opens the model of every agent, by name; asks no provider anything.
 *
 * @throws {ModelSpecError} for a name that cannot be used, {ModelError} for a provider without a key, an unknown persona, or a
 * recording that cannot be read.
 */
export async function openModels(
  agents: readonly AgentConfig[],
  options: { readonly seed: number; readonly task: string; readonly env: Environment },
): Promise<ReadonlyMap<string, Model>> {
  const models = new Map<string, Model>();
  for (const { name, model, baseUrl, apiKeyEnv, temperature, maxOutputTokens } of agents) {
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
    models.set(name, await openModel(spec, options.env));
  }
  return models;
}
