import type { LoadedRun, TraceFormat } from '../trace/loaded-run.ts';
import { parseRunStatus, type RunFile } from '../trace/run-folder.ts';
import type { RunCard } from './analyst-results.ts';
import { withoutHostPaths } from './host-paths.ts';

/** The card of a run of ours, by its `run.json`. */
export function nativeCard(run: string, file: RunFile): RunCard {
  const status = parseRunStatus(file.status);
  return {
    ...blankCard(run, 'native'),
    experiment: file.experiment,
    task: file.task,
    seed: file.seed,
    arm: file.arm,
    status: status.state,
    stopped: status.state === 'stopped' ? withoutHostPaths(status.why) : null,
    agents: file.agents.map(({ name, model, scripted }) => ({ name, model: withoutHostPaths(model), scripted })),
    generations: file.generations,
    startedAt: file.startedAt,
    endedAt: file.endedAt ?? null,
  };
}

export function importedCard(run: LoadedRun): RunCard {
  const generations = run.agents.flatMap((agent) => agent.generations.map(({ generation }) => generation));
  return {
    ...blankCard(run.id, run.format),
    task: run.task ?? null,
    seed: run.seed ?? null,
    arm: run.arm ?? null,
    agents: run.agents.map(({ name, model, scripted }) => ({
      name,
      model: model === undefined ? null : withoutHostPaths(model),
      scripted: scripted ?? null,
    })),
    generations: generations.reduce<number | null>((most, one) => Math.max(most ?? 0, one), null),
  };
}

/** A run that cannot be read is listed all the same, with the reason. */
export function problemCard(run: string, format: TraceFormat, problem: string): RunCard {
  return { ...blankCard(run, format), problem };
}

function blankCard(run: string, format: TraceFormat): RunCard {
  return {
    run,
    format,
    experiment: null,
    task: null,
    seed: null,
    arm: null,
    status: null,
    stopped: null,
    agents: [],
    generations: null,
    startedAt: null,
    endedAt: null,
    problem: null,
  };
}
