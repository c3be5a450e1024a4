import type { Model, Usage } from '../agents/model.ts';
import type { Environment } from '../agents/open-model.ts';
import { usdOf } from '../agents/prices.ts';
import type { LoadedTask } from '../evaluate/task.ts';
import { testSecretOf } from '../evaluate/secret.ts';
import { tellDecisions } from '../guard/decided.ts';
import { type Gate, openGate } from '../guard/gate.ts';
import { openGlobalTelemetry } from '../guard/telemetry-global.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { Log, LogHead, LogRecord } from '../space/log.ts';
import { CorruptLogError } from '../space/log.ts';
import { openBlobStore } from '../trace/blob-store.ts';
import type { RunFile, RunSummary } from '../trace/run-folder.ts';
import { readRunFile, writeRunFile, writeSummary } from '../trace/run-folder.ts';
import type { TraceWriter } from '../trace/trace-writer.ts';
import { openTraceWriter } from '../trace/trace-writer.ts';
import { TRACE_SCHEMA_VERSION } from '../trace/schema.ts';
import { VERSION } from '../version.ts';
import { AgentChildren } from './agent-children.ts';
import { Meter } from './budget.ts';
import type { AgentConfig, ExperimentConfig } from './config.ts';
import type { OpenModel } from './open-models.ts';
import { checkRecordings, openModels } from './open-models.ts';
import { News } from './news.ts';
import { OutsideAgents } from './outside-agents.ts';
import { OutsideSteps } from './outside-steps.ts';
import { grantsOf, scopesOf } from './policy.ts';
import { makePrincipal, PrincipalTokenError } from './principal-file.ts';
import type { OnEvent } from './progress.ts';
import { Recorder } from './recorder.ts';
import type { RunContext } from './run-context.ts';
import { openRunLog } from './run-log.ts';
import type { RunPlan } from './run-plan.ts';
import { applyRecord, createRunState } from './run-state.ts';
import { Stopwatch } from './stopwatch.ts';
import { summarise } from './summary.ts';
import { syntaxFacts } from './syntax-facts.ts';

/** Anchors kept in `run.json`: the newest vouches for everything before it, the others tell rounds apart. */
const KEPT_ANCHORS = 100;

/** What all runs of an experiment share while this process works on them. */
export interface Shared {
  readonly config: ExperimentConfig;
  readonly task: LoadedTask;
  readonly secret: string;
  readonly sandbox: Sandbox;
  readonly env: Environment;
  readonly openModel?: OpenModel;
  /** Counts against `totalBudget`. */
  readonly total: Meter;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  readonly onEvent: OnEvent;
  readonly serve?: ServeRun;
  /** Epoch milliseconds. */
  readonly clock: () => number;
  /** Monotonic milliseconds. */
  readonly now: () => number;
}

/** Lets external agents take part in a run while it is played. */
export type ServeRun = (run: OpenRun) => Promise<{
  /** Waits, when all is played and written, for who is still there. */
  played(): Promise<void>;
  /** Nobody acts in it any more. */
  close(): Promise<void>;
}>;

/** A run that is open for writing: its log locked, its state folded, its models ready. */
export interface OpenRun {
  readonly context: RunContext;
  /** Ends the run from inside: aborts everything under way with this reason. */
  abort(reason: unknown): void;
  /** Brings the trace tables and the counts of denials up to the log. */
  catchUp(): Promise<void>;
  /** `catchUp`, then anchors the log in `run.json`. */
  checkpoint(round: number): Promise<void>;
  /** Writes status, summary and an anchor; `open`: agents from outside may still look and write until it is closed. */
  finish(status: RunFile['status'], open: boolean): Promise<RunSummary>;
  /** Closes the log, with a last anchor where something came after `finish`. */
  close(): Promise<void>;
}

/**
 * Opens a run's folder, new or cut off; `run.json` must be there.
 *
 * @throws {LogWriteError} when another process has it open; {CorruptLogError} when its log is damaged; {ModelError} for a
 * provider without a key, or a recording of another run.
 */
export async function openRun(dir: string, plan: RunPlan, shared: Shared): Promise<OpenRun> {
  const made = { seed: plan.seed, task: shared.task.task.name };
  const models = await openModels(plan.agents, { ...made, env: shared.env }, shared.openModel);
  checkRecordings(models, made);
  const log = await openRunLog(dir, shared.env, { database: shared.config.space });
  try {
    return await assemble(dir, plan, shared, models, log);
  } catch (error) {
    await log.close();
    throw error;
  }
}

async function assemble(
  dir: string,
  plan: RunPlan,
  shared: Shared,
  models: ReadonlyMap<string, Model>,
  log: Log,
): Promise<OpenRun> {
  await meetAnchors(dir, log);
  const { config, task, sandbox, clock, now } = shared;
  const watch = new Stopwatch(now);
  const children = new AgentChildren(sandbox);
  const telemetry = await openGlobalTelemetry(shared.env, VERSION);
  const gate = await openGate({
    log,
    run: plan.id,
    clock,
    scopes: scopesOf(plan),
    grants: grantsOf(plan, config),
    gather: syntaxFacts(children, watch, shared.signal, outsideOf(plan)),
    ...(await principalOf(log, plan, shared)),
    ...(telemetry === undefined ? {} : { observe: telemetry.observe }),
  });
  const state = createRunState();
  const news = new News();
  const outsideSteps = new OutsideSteps(outsideOf(plan));
  const seen = new Set<string>();
  const trace = await openTraceWriter(dir);
  const follower = new LogFollower(
    log,
    (record) => {
      if (record.body.type === 'row' && seen.has(record.key)) return;
      if (record.body.type === 'row') seen.add(record.key);
      applyRecord(state, record);
    },
    trace,
    { raw: (record) => outsideSteps.apply(record), done: () => news.tell() },
  );
  await follower.catchUp();
  await markRunning(dir);
  // Calls that failed were not answered: they are asked again.
  for (const { agent, error } of state.calls.values()) if (error === undefined) models.get(agent)?.recording?.skip(1);
  const meter = new Meter(config.budget, now, state.last?.wallMs ?? 0, shared.total);
  for (const call of state.calls.values()) meter.add({ usd: call.usd, tokens: call.inputTokens + call.outputTokens });

  const stopping = new AbortController();
  const made: Omit<RunContext, 'outside'> = {
    plan,
    config,
    task,
    secret: testSecretOf(shared.secret, task.task.name),
    gate,
    recorder: new Recorder(gate, state, seen, news),
    state,
    blobs: openBlobStore(dir),
    texts: new Map(),
    sandbox,
    children,
    meter,
    models,
    usdOf: (agent, usage) => costOf(plan.agents, models, agent, usage),
    watch,
    clock,
    signal: AbortSignal.any([shared.signal, stopping.signal]),
    onEvent: shared.onEvent,
    news,
    outsideSteps,
    catchUp: () => follower.catchUp(),
  };
  const context: RunContext = Object.assign(made, { outside: new OutsideAgents(made) });
  const stopFollowing = outsideOf(plan).length === 0 ? () => undefined : followCommits(gate, follower);
  const anchor = async (change: (file: RunFile) => Partial<RunFile>): Promise<void> => {
    await gate.flush();
    await follower.catchUp();
    const file = await readRunFile(dir);
    await writeRunFile(dir, { ...file, ...change(file) });
  };
  return {
    context,
    abort: (reason) => stopping.abort(reason),
    catchUp: () => follower.catchUp(),
    checkpoint: (round) => anchor((file) => ({ anchors: anchored(file, log.head(), round) })),
    async finish(status, open) {
      await gate.flush();
      await follower.catchUp();
      const summary = summarise(state, plan, task, models, dir, status);
      await anchor((file) => ({
        anchors: anchored(file, log.head(), state.last?.round ?? 0),
        status,
        endedAt: clock(),
        ...(open ? { open } : {}),
      }));
      await writeSummary(dir, { schemaVersion: TRACE_SCHEMA_VERSION, ...summary, dir: '.' });
      return summary;
    },
    async close() {
      stopFollowing();
      await gate.flush();
      await follower.catchUp();
      const { open, ...file } = await readRunFile(dir);
      if (open === true || file.anchors.at(-1)?.seq !== log.head().seq)
        await writeRunFile(dir, { ...file, anchors: anchored(file, log.head(), state.last?.round ?? 0) });
      await trace.close();
      await gate.close();
      await telemetry?.flush();
    },
  };
}

/** Milliseconds by which the state may be behind the log. */
const BEHIND_MS = 200;

/** Where agents act from outside, in this process or another, the state keeps up with the log by itself. @returns how to end it */
function followCommits(gate: Gate, follower: LogFollower): () => void {
  let timer: NodeJS.Timeout | undefined;
  const off = gate.onCommit(() => {
    timer ??= setTimeout(() => {
      timer = undefined;
      // If the log cannot be read, whoever needs it next says so.
      follower.catchUp().catch(() => undefined);
    }, BEHIND_MS);
  });
  return () => {
    off();
    clearTimeout(timer);
  };
}

/** The agents of a run that are driven from outside. */
export function outsideOf({ agents }: RunPlan): readonly string[] {
  return agents.filter(({ external }) => external !== undefined).map(({ name }) => name);
}

/** A new space gets a principal. Where the token cannot be kept it has none: that stops no run. */
async function principalOf(
  log: Log,
  { id }: RunPlan,
  { env, onEvent }: Shared,
): Promise<{ readonly principalTokenSha256?: string }> {
  if (log.head().seq > 0) return {};
  try {
    return { principalTokenSha256: await makePrincipal(env) };
  } catch (error) {
    if (!(error instanceof PrincipalTokenError)) throw error;
    onEvent({ type: 'notice', run: id, text: `nobody can act as principal in its space: ${error.message}` });
    return {};
  }
}

/** The log must hold what `run.json` vouched for: a cut tail is not gone on from. @throws {CorruptLogError} */
export async function meetAnchors(dir: string, log: Log): Promise<void> {
  const last = (await readRunFile(dir)).anchors.at(-1);
  if (last === undefined) return;
  for await (const record of log.read(last.seq)) {
    if (record.hash === last.hash) return;
    throw new CorruptLogError(last.seq, 'it is not the record that run.json vouches for');
  }
  throw new CorruptLogError(log.head().seq + 1, `it is missing; run.json vouches for ${last.seq} records`);
}

function anchored({ anchors }: RunFile, head: LogHead, round: number): RunFile['anchors'] {
  return [...anchors, { ...head, round }].slice(-KEPT_ANCHORS);
}

/** `run.json` vouches for what was added to a run's log outside a round; the log must be locked meanwhile. */
export async function anchorRun(dir: string, head: LogHead): Promise<void> {
  const file = await readRunFile(dir);
  await writeRunFile(dir, { ...file, anchors: anchored(file, head, file.anchors.at(-1)?.round ?? 0) });
}

/** A run that was stopped and goes on says so again. */
async function markRunning(dir: string): Promise<void> {
  const { endedAt: _ended, open: _open, ...file } = await readRunFile(dir);
  if (file.status !== 'running') await writeRunFile(dir, { ...file, status: 'running' });
}

function costOf(
  agents: readonly AgentConfig[],
  models: ReadonlyMap<string, Model>,
  agent: string,
  usage: Usage,
): number {
  const price = agents.find(({ name }) => name === agent)?.price;
  // By its name: a replay answers as the recorded model, but costs nothing.
  const model = models.get(agent)?.name ?? '';
  return usdOf(model, usage, price).usd;
}

interface FollowerHooks {
  /** Told of every record as the log has it. */
  readonly raw: (record: LogRecord) => void;
  /** Told at the end of each catching up. */
  readonly done: () => void;
}

/** Reads what a log has got since the last time, once, in order, into the state and the trace tables. */
class LogFollower {
  readonly #log: Log;
  readonly #apply: (record: LogRecord) => void;
  readonly #trace: TraceWriter;
  readonly #hooks: FollowerHooks;
  #seen = 0;
  #next = 1;
  #turn: Promise<void> = Promise.resolve();

  constructor(log: Log, apply: (record: LogRecord) => void, trace: TraceWriter, hooks: FollowerHooks) {
    this.#log = log;
    this.#apply = apply;
    this.#trace = trace;
    this.#hooks = hooks;
  }

  catchUp(): Promise<void> {
    const mine = this.#turn.then(async () => {
      await this.#trace.append(this.#news());
      this.#hooks.done();
    });
    this.#turn = mine.catch(() => undefined);
    return mine;
  }

  async *#raw(): AsyncGenerator<LogRecord> {
    for await (const record of this.#log.read(this.#next)) {
      // A record that the trace could not take is read again.
      if (record.seq > this.#seen) this.#hooks.raw(record);
      this.#seen = Math.max(this.#seen, record.seq);
      yield record;
    }
  }

  async *#news(): AsyncGenerator<LogRecord> {
    for await (const record of tellDecisions(this.#raw())) {
      this.#apply(record);
      this.#next = record.seq + 1;
      yield record;
    }
  }
}
