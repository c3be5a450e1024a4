import type { Model, Usage } from '../agents/model.ts';
import type { LoadedTask, TestSecret } from '../evaluate/task.ts';
import type { Gate } from '../guard/gate.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { AgentName, ScopeName } from '../space/marks.ts';
import { parseAgentName, parseScopeName } from '../space/scope.ts';
import type { BlobStore } from '../trace/blob-store.ts';
import type { AgentChildren } from './agent-children.ts';
import type { Meter } from './budget.ts';
import type { News } from './news.ts';
import type { OutsideAgents } from './outside-agents.ts';
import type { OutsideSteps } from './outside-steps.ts';
import type { ExperimentConfig } from './config.ts';
import type { OnEvent } from './progress.ts';
import type { Recorder } from './recorder.ts';
import type { RunPlan } from './run-plan.ts';
import type { RunState } from './run-state.ts';
import type { Stopwatch } from './stopwatch.ts';

/** Everything one open run works with; made by `openRun`, passed down, never global. */
export interface RunContext {
  readonly plan: RunPlan;
  readonly config: ExperimentConfig;
  readonly task: LoadedTask;
  readonly secret: TestSecret;
  readonly gate: Gate;
  readonly recorder: Recorder;
  readonly state: RunState;
  readonly blobs: BlobStore;
  /** Sources of candidates by sha256, kept for comparing new programs with old ones. */
  readonly texts: Map<string, string>;
  readonly sandbox: Sandbox;
  readonly children: AgentChildren;
  readonly meter: Meter;
  readonly models: ReadonlyMap<string, Model>;
  /** What a call of an agent's model costs by the price table frozen into the run. */
  readonly usdOf: (agent: string, usage: Usage) => number;
  readonly watch: Stopwatch;
  /** Epoch milliseconds. */
  readonly clock: () => number;
  /** Aborted by Ctrl-C, a budget, or the failure of another agent of the run. */
  readonly signal: AbortSignal;
  readonly onEvent: OnEvent;
  /** Told whenever the state has moved on. */
  readonly news: News;
  readonly outside: OutsideAgents;
  /** As of the last `catchUp`. */
  readonly outsideSteps: OutsideSteps;
  /** Brings the trace tables and what is only read from the log up to it. */
  readonly catchUp: () => Promise<void>;
}

/** The runner's own name in the space: the only one that writes scores and publishes. */
export const RUNNER: AgentName = parseAgentName('runner');
export const STRATEGIES: ScopeName = parseScopeName('strategies');

/** Where an agent's own files live. */
export function ownScope(agent: string): ScopeName {
  return parseScopeName(`agents/${agent}`);
}

/** Where what an agent may know of its evaluations lives. */
export function evaluationScope(agent: string): ScopeName {
  return parseScopeName(`evaluations/${agent}`);
}

/** Where an external agent's own observations, warnings and needs go. */
export function notesScope(agent: string): ScopeName {
  return parseScopeName(`notes/${agent}`);
}

/** Candidate id: `<agent>/<generation>`. */
export function candidateId(agent: string, generation: number): string {
  return `${agent}/${generation}`;
}

/** The program of a candidate: its files without the meta agent, which improves it but is not part of it. */
export function programFiles<T>(files: Readonly<Record<string, T>>): Record<string, T> {
  return Object.fromEntries(Object.entries(files).filter(([path]) => path !== 'meta_agent.ts'));
}

/** A program as one text for measures: its files in path order. */
export function programText(files: Readonly<Record<string, string>>): string {
  return Object.entries(programFiles(files))
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, text]) => text)
    .join('\n');
}
