import type { RunStatus, RunSummary } from '../trace/run-folder.ts';
import type { LoadedTask } from '../evaluate/task.ts';
import type { Model } from '../agents/model.ts';
import type { RunPlan } from './run-plan.ts';
import type { RunState } from './run-state.ts';
import { bestOf, candidatesOf, usageOf } from './run-state.ts';

/** A run in figures, from its log alone: what `summary.json` and `hivemark run --json` say of it. */
export function summarise(
  state: RunState,
  plan: RunPlan,
  task: LoadedTask,
  models: ReadonlyMap<string, Pick<Model, 'name' | 'scripted'>>,
  dir: string,
  status: RunStatus,
): RunSummary {
  const adoptions = [...state.adoptions.values()].sort(
    (a, b) => a.generation - b.generation || (a.agent < b.agent ? -1 : a.agent > b.agent ? 1 : 0),
  );
  return {
    dir,
    task: task.task.name,
    seed: plan.seed,
    arm: plan.arm,
    status,
    agents: plan.agents.map(({ name, model }) => {
      const candidates = candidatesOf(state, name).filter(({ generation }) => generation > 0);
      const best = bestOf(state, name);
      const scoreOn = (split: string): number | null =>
        (best === undefined ? undefined : state.evaluations.get(`${best.candidate}/${split}`))?.score ?? null;
      const { tokens, usd } = usageOf(state, name);
      return {
        name,
        model: models.get(name)?.name ?? model,
        scripted: models.get(name)?.scripted ?? false,
        generations: candidates.length,
        invalid: candidates.filter((row) => row.status === 'failed').length,
        best: {
          generation: best?.generation ?? null,
          train: scoreOn('train'),
          validation: scoreOn('validation'),
          test: scoreOn('test'),
        },
        adoptions: adoptions.filter((row) => row.agent === name).length,
        denials: state.denials.get(name) ?? 0,
        tokens,
        usd,
      };
    }),
    adoptions: adoptions.map(({ agent, generation, peer, peerGeneration, evidence, reuse, share, before, after }) => ({
      agent,
      generation,
      peer,
      peerGeneration,
      evidence,
      reuse,
      share,
      before,
      after,
    })),
  };
}
