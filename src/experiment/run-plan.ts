import type { Arm, AgentConfig, ExperimentConfig } from './config.ts';

/** One run of an experiment: who takes part, with which seed, under which arm. */
export interface RunPlan {
  /** Folder name and run id; mark ids are derived from it. */
  readonly id: string;
  readonly seed: number;
  readonly arm: Arm;
  readonly agents: readonly AgentConfig[];
  /** Agents see their peers' published best under `strategies/`. */
  readonly sharing: boolean;
}

/**
 * All runs of an experiment, arm by arm as configured, then seed by seed; a solo arm gives one run per agent.
 * So an experiment with arms `[paired, solo]` starts with the pair.
 */
export function planRuns(config: ExperimentConfig): readonly RunPlan[] {
  return config.arms.flatMap((arm) =>
    config.seeds.flatMap((seed): RunPlan[] => {
      if (arm === 'solo') {
        return config.agents.map((agent) => ({
          id: `${agent.name}-s${seed}-solo`,
          seed,
          arm,
          agents: [agent],
          sharing: false,
        }));
      }
      const names = config.agents.map(({ name }) => name).join('+');
      return [{ id: `${names}-s${seed}-${arm}`, seed, arm, agents: config.agents, sharing: arm === 'paired' }];
    }),
  );
}
