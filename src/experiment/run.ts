import { availableParallelism, totalmem } from 'node:os';
import { VERSION } from '../version.ts';
import { BudgetStop } from './budget.ts';
import { runGeneration } from './generation.ts';
import type { OpenRun } from './open-run.ts';
import { openInitialProgram } from './initial-round.ts';
import { runOutsideGeneration } from './outside-generation.ts';
import { openDoors, type RoundDoors } from './round-doors.ts';
import type { GenerationReport } from './progress.ts';
import type { NewRow } from './recorder.ts';
import { rowOf } from './recorder.ts';
import type { RunContext } from './run-context.ts';
import type { AgentStanding, RoundRow } from './run-state.ts';
import { bestOf, usageOf } from './run-state.ts';
import { scoreCandidate } from './score-candidate.ts';
import { programOf } from './sources.ts';
import type { Stopwatch } from './stopwatch.ts';

/** The run was stopped from outside (Ctrl-C, a signal); everything up to here is on disk. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  readonly code = 'interrupted';
  constructor() {
    super('interrupted');
  }
}

/**
 * Plays the rounds that a run has left, then scores the sealed test split once for each agent's best. Agents of a round run
 * at the same time; the first failure of one aborts the others. After each round, the round is closed in the log, the trace
 * tables are brought up to it, and `run.json` gets an anchor.
 *
 * @throws {BudgetStop | Interrupted | ModelError | EvaluatorError} whatever ended the run early; it is resumable then.
 */
export async function playRun(run: OpenRun): Promise<void> {
  const { context } = run;
  const { meter, plan, config, state, onEvent } = context;
  const wallLeft = meter.wallLeftMs();
  const timer = Number.isFinite(wallLeft)
    ? setTimeout(() => run.abort(overWall(run)), Math.min(Math.max(0, wallLeft), 2 ** 31 - 1))
    : undefined;
  try {
    context.signal.throwIfAborted();
    context.outside.play(true);
    if (state.last === undefined) {
      await context.recorder.record(openingRows(context));
      const standings = await together(run, (agent) => openInitialProgram(context, agent));
      await closeRound(run, 0, new Map(Object.entries(standings)));
    }
    for (let round = (state.last?.round ?? 0) + 1; round <= config.generations; round++) {
      meter.check();
      context.signal.throwIfAborted();
      const snapshot = state.last;
      if (snapshot === undefined) throw new Error('the round before was not closed');
      onEvent({ type: 'round-started', run: plan.id, round });
      await closeRound(run, round, await playRound(run, round, snapshot));
    }
    await together(run, (agent) => scoreTest(run, agent));
  } finally {
    context.outside.play(false);
    context.children.close();
    clearTimeout(timer);
  }
}

/** What the run is and what it is made on, once. */
function openingRows({ plan, config, task, models, clock }: RunContext): NewRow[] {
  return [
    rowOf('runs', plan.id, {
      id: plan.id,
      task: task.task.name,
      seed: plan.seed,
      arm: plan.arm,
      agents: plan.agents.map(({ name, model }) => ({
        name,
        model: models.get(name)?.identity ?? model,
        scripted: models.get(name)?.scripted ?? false,
      })),
      generations: config.generations,
      startedAt: clock(),
    }),
    rowOf('environments', plan.id, {
      hivemark: VERSION,
      node: process.versions.node,
      platform: `${process.platform}-${process.arch}`,
      cpus: availableParallelism(),
      memoryMb: Math.round(totalmem() / 2 ** 20),
      limits: {
        ...task.task.limits,
        maxFileBytes: config.maxFileBytes,
        toolCallsPerGeneration: config.budget.toolCallsPerGeneration,
      },
    }),
  ];
}

function overWall({ context }: OpenRun): Error {
  try {
    context.meter.check();
  } catch (error) {
    if (error instanceof BudgetStop) return error;
  }
  return new BudgetStop('wall minutes', 'the time is up', String(context.config.budget.wallMinutes ?? ''));
}

/** Runs `work` for every agent at once and waits for all of them, also when one fails: nothing goes on behind the caller's back. */
async function together<T>(run: OpenRun, work: (agent: string) => Promise<T>): Promise<Record<string, T>> {
  const { context } = run;
  const settled = await Promise.allSettled(
    context.plan.agents.map(async ({ name }) => {
      try {
        return [name, await work(name)] as const;
      } catch (error) {
        run.abort(error);
        throw error;
      }
    }),
  );
  if (context.signal.aborted) throw context.signal.reason;
  const results: Record<string, T> = {};
  for (const one of settled) {
    if (one.status === 'rejected') throw one.reason;
    results[one.value[0]] = one.value[1];
  }
  return results;
}

/** All agents' parts of one round; without an entry for who was not waited for any longer. */
async function playRound(run: OpenRun, round: number, snapshot: RoundRow): Promise<ReadonlyMap<string, AgentStanding>> {
  const doors = openDoors(run.context);
  try {
    const parts = await together(run, async (agent) => {
      const standing = await oneGeneration(run, agent, round, snapshot, doors);
      doors.done(agent);
      return standing;
    });
    return new Map(
      Object.entries(parts).flatMap(([agent, standing]) =>
        standing === undefined ? [] : [[agent, standing] as const],
      ),
    );
  } finally {
    doors.end();
  }
}

async function oneGeneration(
  run: OpenRun,
  agent: string,
  round: number,
  snapshot: RoundRow,
  doors: RoundDoors,
): Promise<AgentStanding | undefined> {
  const { context } = run;
  const { state, watch, plan, onEvent } = context;
  const from = watch.now();
  watch.take(agent);
  const external = plan.agents.find(({ name }) => name === agent)?.external;
  const result = await (external === undefined
    ? runGeneration(context, agent, round, snapshot)
    : runOutsideGeneration(context, agent, round, snapshot, doors));
  if (result === undefined) {
    onEvent({ type: 'notice', run: plan.id, text: `round ${round} went on without ${agent}, which submitted nothing` });
    return undefined;
  }
  await run.catchUp();
  const { tokens, usd } = usageOf(state, agent);
  const report: GenerationReport = {
    agent,
    generation: round,
    status: result.candidate.status,
    score: result.score,
    best: bestOf(state, agent)?.score ?? 0,
    tokens,
    usd,
    denials: state.denials.get(agent) ?? 0,
    adoptions: [...state.adoptions.values()].filter((row) => row.agent === agent).length,
    published: result.candidate.published,
    adopted: result.adoptions.map(({ peer, peerGeneration, reuse }) => ({ peer, peerGeneration, reuse })),
    ...(result.candidate.reason === undefined ? {} : { reason: result.candidate.reason }),
    timing: timingOf(watch.now() - from, watch.take(agent)),
  };
  onEvent({ type: 'generation-done', run: plan.id, ...report });
  return result.standing;
}

/** Syntax checks are asked for by the guard and made in the sandbox: they count there. */
function timingOf(
  total: number,
  { model, sandbox, guard, check }: ReturnType<Stopwatch['take']>,
): GenerationReport['timing'] {
  return { total, model, sandbox: sandbox + check, guard: guard - check };
}

async function closeRound(run: OpenRun, round: number, parts: ReadonlyMap<string, AgentStanding>): Promise<void> {
  const { context } = run;
  const absent = context.plan.agents.map(({ name }) => name).filter((name) => !parts.has(name));
  const row: RoundRow = {
    round,
    // Who was absent stands where it stood.
    agents: { ...context.state.last?.agents, ...Object.fromEntries(parts) },
    wallMs: Math.round(context.meter.spent().wallMs),
    ...(absent.length === 0 ? {} : { absent }),
  };
  await context.recorder.record([rowOf('rounds', String(round), row)]);
  await run.checkpoint(round);
}

/** The sealed split: once per run and agent, for the best by validation, never placed where an agent could see it. */
async function scoreTest(run: OpenRun, agent: string): Promise<void> {
  const { context } = run;
  const best = bestOf(context.state, agent);
  const candidate = best === undefined ? undefined : context.state.candidates.get(best.candidate);
  if (best === undefined || candidate === undefined) return;
  await scoreCandidate(context, agent, best.generation, 'test', await programOf(context, candidate));
}
