import { runChat } from '../agents/chat-loop.ts';
import type { MetaFacts } from '../agents/meta-agent.ts';
import { runMetaAgent } from '../agents/meta-agent.ts';
import { createToolbox } from '../agents/tools/toolbox.ts';
import type { RefusalReason } from '../agents/chat-loop.ts';
import type { Denial, Outcome, ToolUse } from '../guard/decision.ts';
import type { Session } from '../guard/gate.ts';
import { canonicalDirectory, canonicalPath } from '../materialize/paths.ts';
import type { MarkId } from '../space/marks.ts';
import type { FileChange } from '../materialize/workspace.ts';
import { Workspace } from '../materialize/workspace.ts';
import { sha256 } from '../trace/blob-store.ts';
import type { ReadRow } from '../trace/schema.ts';
import type { AgentView } from './agent-view.ts';
import { meteredModel } from './metered-model.ts';
import type { RunContext } from './run-context.ts';

/** One step of a generation, in order: what the model said, what its tools opened and wrote. */
export type Step =
  | { readonly type: 'said'; readonly call: string; readonly text: string }
  | { readonly type: 'read'; readonly id: string; readonly path: string }
  /** `mark`: what it left, where each edit leaves a mark of its own. */
  | { readonly type: 'wrote'; readonly mark?: MarkId };

/** What came of a meta agent's run. `changes` is a proposal: the guard decides what of it persists. */
export interface Thought {
  /** Undefined when the meta agent loaded and ran to its end. */
  readonly failure: { readonly code: string; readonly message: string } | undefined;
  readonly changes: readonly FileChange[];
  readonly steps: readonly Step[];
  readonly reads: readonly ReadRow[];
  /** The first instruction it gave its model. */
  readonly instruction: string | undefined;
}

/**
 * Runs an agent's own meta agent over its view. Model calls are on disk before anything comes of them; tool calls pass the
 * guard one by one.
 *
 * @throws {ModelError} when the provider cannot be reached any more, {BudgetStop} when a budget is used up: both end the run.
 */
export async function think(
  context: RunContext,
  session: Session,
  facts: MetaFacts,
  view: AgentView,
): Promise<Thought> {
  const { config, sandbox, children, watch, signal } = context;
  const { agent, generation } = facts;
  const workspace = new Workspace(view.tree);
  const steps: Step[] = [];
  const reads: ReadRow[] = [];
  let instruction: string | undefined;
  let toolCalls = 0;

  const noteRead = (path: string, hash: string, tool: string): void => {
    const id = `${agent}/${generation}/${toolCalls}/${path}`;
    if (reads.some((row) => row.id === id)) return;
    reads.push({ id, agent, generation, toolCall: toolCalls, tool, path, sha256: hash });
    steps.push({ type: 'read', id, path });
  };
  const model = meteredModel(context, agent, generation, (call, reply) => {
    if (reply.text.trim() !== '') steps.push({ type: 'said', call, text: reply.text });
  });
  const limit = config.budget.toolCallsPerGeneration;
  const use = (what: ToolUse, refuse?: Denial): Promise<Outcome> =>
    watch.time(agent, 'guard', () => session.use(what, refuse));
  let stopped = signal;
  const shell = children.shell(agent);
  const toolbox = createToolbox({
    workspace,
    use,
    shell: (job) => watch.time(agent, 'sandbox', () => shell.run(job)),
    toolCallLimit: limit,
  });
  const agentConfig = context.plan.agents.find(({ name }) => name === agent);

  const result = await runMetaAgent({
    modules: ownModules(view),
    facts,
    seed: context.plan.seed,
    run: (job) => sandbox.run(job),
    signal,
    chat: async (text, options, chatSignal) => {
      stopped = chatSignal;
      instruction ??= text;
      const done = await runChat({
        model,
        ...(options.system === undefined ? {} : { system: options.system }),
        ...(agentConfig?.maxOutputTokens === undefined ? {} : { maxOutputTokens: agentConfig.maxOutputTokens }),
        ...(agentConfig?.temperature === undefined ? {} : { temperature: agentConfig.temperature }),
        instruction: text,
        toolbox: {
          definitions: toolbox.definitions,
          call: async (call) => {
            toolCalls += 1;
            const answer = await toolbox.call(call, stopped);
            for (const read of answer.reads) noteRead(read.path, read.sha256, call.name);
            if (answer.wrote.length > 0) steps.push({ type: 'wrote' });
            return answer;
          },
        },
        onRefused: async (call, reason) => {
          toolCalls += 1;
          await use({ tool: toolNameOf(call.name), operation: 'run' }, refusalOf(reason, toolCalls, limit));
        },
        maxToolCalls: Math.max(0, Math.min(options.maxToolCalls ?? Infinity, limit - toolCalls)),
        maxTurns: 2 * limit + 2,
        signal: chatSignal,
      });
      return done.text;
    },
    read: async (raw) => {
      const path = canonicalPath(raw);
      const text = path.ok ? workspace.read(path.path) : undefined;
      if (path.ok && text !== undefined) noteRead(path.path, sha256(text), 'ctx.read');
      return text;
    },
    list: async (raw) => {
      const path = canonicalDirectory(raw);
      return path.ok ? workspace.list(path.path) : [];
    },
  });
  signal.throwIfAborted();
  return {
    failure: result.ok ? undefined : { code: result.code, message: result.message },
    changes: workspace.changes(),
    steps,
    reads,
    instruction,
  };
}

/** The guard's record of a call that the chat itself answered. */
function refusalOf(reason: RefusalReason, used: number, limit: number): Denial {
  switch (reason) {
    case 'budget':
      return { code: 'tool-budget', check: 'budget', used: Math.min(used, limit), limit };
    case 'cut':
      return { code: 'malformed', check: 'shape', field: 'reply', problem: 'was cut at the output limit' };
    case 'unknown-tool':
      return { code: 'malformed', check: 'shape', field: 'tool', problem: 'names no tool' };
    case 'malformed':
      return { code: 'malformed', check: 'shape', field: 'arguments', problem: 'are not one JSON object' };
  }
}

/** A model's own word for a tool, bounded: it goes into a record. */
function toolNameOf(name: string): string {
  return /^[\w.-]{1,64}$/u.test(name) ? name : 'unknown';
}

/** The agent's own modules at the root of its view. */
function ownModules(view: AgentView): Record<string, string> {
  const modules: Record<string, string> = {};
  for (const [path, file] of view.tree.files) {
    if (!path.includes('/') && /\.(ts|js)$/u.test(path)) modules[path] = file.text;
  }
  return modules;
}
