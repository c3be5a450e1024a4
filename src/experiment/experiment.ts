import { availableParallelism } from 'node:os';
import { createSandbox } from '../sandbox/create-sandbox.ts';
import type { RunSummary } from '../trace/run-folder.ts';
import { readRunFile, readSummary, stoppedStatus } from '../trace/run-folder.ts';
import { readTable } from '../trace/trace-reader.ts';
import { TRACE_SCHEMA_VERSION } from '../trace/schema.ts';
import type { Environment } from '../agents/open-model.ts';
import { BudgetStop, Meter } from './budget.ts';
import { prepareRun } from './experiment-folder.ts';
import type { ExperimentFolder } from './experiment-folder.ts';
import type { OpenModel } from './open-models.ts';
import type { OnEvent } from './progress.ts';
import type { ServeRun, Shared } from './open-run.ts';
import { openRun } from './open-run.ts';
import { Interrupted, playRun } from './run.ts';
import type { RunPlan } from './run-plan.ts';
import { planRuns } from './run-plan.ts';

/** Why an experiment ended before all its runs were done. */
export interface Stop {
  readonly kind: 'budget' | 'interrupted' | 'failed';
  readonly run: string;
  readonly message: string;
  readonly error: unknown;
}

/** What `hivemark run --json` prints, and why it stopped if it did. */
export interface ExperimentResult {
  readonly schemaVersion: number;
  readonly experiment: string;
  readonly wallMs: number;
  readonly runs: readonly RunSummary[];
  /** The first stop; later runs of the experiment may still have been done. */
  readonly stop?: Stop;
}

export interface PlayOptions {
  readonly env: Environment;
  /** Opens models in place of the built-in providers. */
  readonly openModel?: OpenModel;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly onEvent: OnEvent;
  /** Opens the doors of each run to its external agents. @default nobody comes */
  readonly serve?: ServeRun;
  /** Only this run of the experiment. */
  readonly only?: string;
  /** Epoch milliseconds. @default Date.now */
  readonly clock?: () => number;
  /** Monotonic milliseconds. @default performance.now */
  readonly now?: () => number;
}

/**
 * Plays all runs of an experiment's folder that are not done yet; done ones are only reported. A run that
 * its own budget stops does not keep the next from starting; Ctrl-C, the experiment's total budget and failures do.
 */
export async function playExperiment(folder: ExperimentFolder, options: PlayOptions): Promise<ExperimentResult> {
  const now = options.now ?? (() => performance.now());
  const from = now();
  const total = new Meter(folder.config.totalBudget ?? {}, now);
  const plans = planRuns(folder.config).filter(({ id }) => options.only === undefined || id === options.only);
  const sandbox = createSandbox({
    onNotice: (text) => options.onEvent({ type: 'notice', run: folder.config.name, text }),
  });
  const shared: Shared = {
    config: folder.config,
    task: folder.task,
    secret: folder.secret,
    sandbox,
    env: options.env,
    ...(options.openModel === undefined ? {} : { openModel: options.openModel }),
    total,
    signal: options.signal,
    onEvent: options.onEvent,
    ...(options.serve === undefined ? {} : { serve: options.serve }),
    clock: options.clock ?? (() => Date.now()),
    now,
  };
  try {
    const { runs, stop } = await playPlans(folder, plans, shared);
    return {
      schemaVersion: TRACE_SCHEMA_VERSION,
      experiment: folder.config.name,
      wallMs: Math.round(now() - from),
      runs,
      ...(stop === undefined ? {} : { stop }),
    };
  } finally {
    await sandbox.close();
  }
}

/**
 * Starts runs in the order of the plan, as long as no more agents are at work than the machine has processors (a run with more
 * agents, or with external ones, goes alone): runs do not depend on each other, and what they leave is listed in the order of the plan. A stop that
 * ends the experiment halts the runs beside it too; they are resumable like it.
 */
async function playPlans(
  folder: ExperimentFolder,
  plans: readonly RunPlan[],
  shared: Shared,
): Promise<{ runs: RunSummary[]; stop: Stop | undefined }> {
  const halt = new AbortController();
  const beside: Shared = { ...shared, signal: AbortSignal.any([shared.signal, halt.signal]) };
  const played = new Map<RunPlan, Played>();
  const active = new Map<RunPlan, Promise<void>>();
  const processors = availableParallelism();
  let failure: { readonly error: unknown } | undefined;
  let stop: Stop | undefined;
  for (const plan of plans) {
    const busy = (): number => [...active.keys()].reduce((sum, { agents }) => sum + agents.length, 0);
    // An external agent is in one place at a time.
    const goesAlone = (): boolean => [plan, ...active.keys()].some(hasExternals);
    while (active.size > 0 && (goesAlone() || busy() + plan.agents.length > processors))
      await Promise.race(active.values());
    if (halt.signal.aborted || shared.signal.aborted) break;
    const work = playPlan(folder, plan, beside)
      .then((one) => {
        played.set(plan, one);
        stop ??= one.stop;
        if (one.stop !== undefined && endsExperiment(one.stop, shared.total)) halt.abort(new Interrupted());
      })
      .catch((error: unknown) => {
        failure ??= { error };
        halt.abort(new Interrupted());
      })
      .finally(() => active.delete(plan));
    active.set(plan, work);
  }
  await Promise.all(active.values());
  if (failure !== undefined) throw failure.error;
  const runs = plans.flatMap((plan) => played.get(plan)?.summary ?? []);
  return { runs, stop };
}

function hasExternals({ agents }: RunPlan): boolean {
  return agents.some(({ external }) => external !== undefined);
}

function endsExperiment(stop: Stop, total: Meter): boolean {
  if (stop.kind !== 'budget') return true;
  try {
    total.check();
    return false;
  } catch {
    return true;
  }
}

/** What came of one run: its figures, and what stopped it. */
interface Played {
  readonly summary?: RunSummary;
  readonly stop?: Stop;
}

async function playPlan(folder: ExperimentFolder, plan: RunPlan, shared: Shared): Promise<Played> {
  const dir = await prepareRun(folder, plan, shared.env, shared.openModel);
  const before = await readRunFile(dir);
  if (before.status === 'done') {
    const { schemaVersion: _version, ...summary } = await readSummary(dir);
    for await (const call of readTable(dir, 'calls')) {
      shared.total.add({ usd: call.usd, tokens: call.inputTokens + call.outputTokens });
    }
    return { summary: { ...summary, dir } };
  }
  const run = await openRun(dir, plan, shared);
  const { context } = run;
  shared.onEvent({
    type: 'run-started',
    run: plan.id,
    dir,
    generations: folder.config.generations,
    fromRound: (context.state.last?.round ?? -1) + 1,
    agents: plan.agents.map(({ name, model }) => ({
      name,
      model,
      scripted: context.models.get(name)?.scripted ?? false,
    })),
  });
  let stop: Stop | undefined;
  const serving = await shared.serve?.(run).catch(async (error: unknown) => {
    await run.finish(stoppedStatus('its external agents could not be let in'), false);
    await run.close();
    throw error;
  });
  try {
    await playRun(run);
  } catch (error) {
    stop = stopOf(plan.id, error);
  }
  const status = stop === undefined ? 'done' : stoppedStatus(stop.message);
  const summary = await run.finish(status, serving !== undefined).catch((error: unknown) => {
    // What ended the run matters more than that its end could not be written: the log stays as it was synced.
    if (stop !== undefined) throw stop.error;
    throw error;
  });
  shared.onEvent({ type: 'run-ended', run: plan.id, status });
  if (stop === undefined) await serving?.played();
  await serving?.close();
  await run.close();
  return { summary, ...(stop === undefined ? {} : { stop }) };
}

function stopOf(run: string, error: unknown): Stop {
  const message = error instanceof Error ? error.message : String(error);
  if (error instanceof BudgetStop) return { kind: 'budget', run, message, error };
  if (error instanceof Interrupted) return { kind: 'interrupted', run, message, error };
  return { kind: 'failed', run, message, error };
}
