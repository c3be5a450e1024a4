import { z } from 'zod';
import type { HostFunction, Json, RunProgram, SandboxLimits } from '../sandbox/sandbox.ts';

/** What a meta agent is told: `forward(facts, ctx)` of `meta_agent.ts`. Plain JSON; paths are relative to the agent's own root. */
export interface MetaFacts {
  readonly agent: string;
  /** The generation being made, from 1. */
  readonly generation: number;
  /** Generations left after this one. */
  readonly iterationsLeft: number;
  readonly task: { readonly name: string; readonly statement: string };
  /** The agent's own files. */
  readonly files: readonly string[];
  /** Those of them (and those it may create) that are kept; changes elsewhere are refused. */
  readonly editable: readonly string[];
  /** Its own past, oldest first, as far as disclosed. */
  readonly evals: readonly MetaEval[];
  /** Folders with peers' published bests; empty when nothing is shared. */
  readonly strategies: readonly MetaStrategy[];
  /** Sentences about the last generation: refusals, an invalid program, a broken meta agent. */
  readonly notes: readonly string[];
  /** Tool calls this generation may make. */
  readonly toolCalls: number;
}

export interface MetaEval {
  readonly generation: number;
  /** `evals/gen_<n>`. */
  readonly path: string;
  readonly status: string;
  readonly train: number | null;
  readonly validation: number | null;
}

export interface MetaStrategy {
  /** `strategies/<peer>_gen<n>`. */
  readonly path: string;
  readonly agent: string;
  readonly generation: number;
  readonly valScore: number;
  /** Named only if the disclosure policy lets it be. */
  readonly model?: string;
}

/** What a meta agent may ask of one `ctx.chat(instruction, options)`. */
export interface MetaChatOptions {
  readonly system?: string;
  /** At most so many tool calls in this chat; the generation's budget holds anyway. */
  readonly maxToolCalls?: number;
}

export interface MetaAgentJob {
  /** The agent's own modules: path -> source. */
  readonly modules: Readonly<Record<string, string>>;
  /** @default 'meta_agent.ts' */
  readonly entry?: string;
  readonly facts: MetaFacts;
  /** Seeds its randomness. @default 0 */
  readonly seed?: number;
  readonly run: RunProgram;
  /** One conversation with the agent's model and tools; resolves to the model's last words. */
  readonly chat: (instruction: string, options: MetaChatOptions, signal: AbortSignal) => Promise<string>;
  /** Text of a file of the view, null or undefined when there is none that may be read. */
  readonly read: (path: string) => Promise<string | null | undefined>;
  /** Names in a directory of the view, sorted; directories end in `/`. */
  readonly list: (path: string) => Promise<readonly string[]>;
  readonly limits?: Partial<SandboxLimits>;
  /** Chats of one generation. @default 16 */
  readonly maxChats?: number;
  readonly signal?: AbortSignal;
}

export type MetaAgentResult =
  | { readonly ok: true; readonly logs: readonly string[]; readonly wallMs: number }
  | {
      readonly ok: false;
      /** The sandbox's code (`timeout`, `memory`, a syntax error's ...). */
      readonly code: string;
      readonly message: string;
      readonly logs: readonly string[];
      readonly wallMs: number;
    };

/** Limits of a meta agent where they differ from the sandbox's defaults: it thinks little, waits long and passes texts. */
export const META_AGENT_LIMITS: Partial<SandboxLimits> = {
  computeMs: 10_000,
  caseMs: 10_000,
  wallMs: 60 * 60_000,
  hostCalls: 500,
  hostBytes: 1024 * 1024,
};

const DEFAULT_MAX_CHATS = 16;
const MAX_INSTRUCTION_CHARS = 200_000;
const MAX_PATH_CHARS = 1024;

const chatArguments = z.union([
  z.tuple([z.string().min(1).max(MAX_INSTRUCTION_CHARS)]),
  z.tuple([
    z.string().min(1).max(MAX_INSTRUCTION_CHARS),
    z
      .strictObject({
        system: z.string().max(MAX_INSTRUCTION_CHARS).exactOptional(),
        maxToolCalls: z.number().int().nonnegative().exactOptional(),
      })
      .nullable(),
  ]),
]);
const pathArguments = z.tuple([z.string().max(MAX_PATH_CHARS)]);

/**
 * Runs an agent's own `meta_agent.ts` in the sandbox. It may ask for `ctx.chat(instruction, options?)`, `ctx.read(path)` (null
 * when there is no such file) and `ctx.list(path)`; arguments are checked here, and calls are served one at a time in the
 * order they came, so that a meta agent that asks for several at once leaves the same record every time.
 *
 * A meta agent that does not load, throws or overruns is a value (`ok: false`). What `chat` itself throws (a budget's stop, a
 * provider that gave up) ends the program and is rethrown: a meta agent must not be able to catch a budget and go on.
 *
 * @throws whatever `chat`, `read` or `list` threw, and what the sandbox itself throws when it is broken.
 */
export async function runMetaAgent(job: MetaAgentJob): Promise<MetaAgentResult> {
  const ended = new AbortController();
  const signal = job.signal === undefined ? ended.signal : AbortSignal.any([job.signal, ended.signal]);
  const maxChats = job.maxChats ?? DEFAULT_MAX_CHATS;
  let broken: { readonly error: unknown } | undefined;
  let chats = 0;
  let queue: Promise<unknown> = Promise.resolve();

  /** In turn; the first failure of the host's own ends everything. */
  const serve =
    (answer: (args: readonly Json[]) => Promise<Json>): HostFunction =>
    (args) => {
      const turn = queue.then(async () => {
        if (broken !== undefined || signal.aborted) throw new HostRefusal('ended', 'the generation has ended');
        try {
          return await answer(args);
        } catch (error) {
          if (error instanceof HostRefusal) throw error;
          broken = { error };
          ended.abort();
          throw new HostRefusal('ended', 'the generation has ended');
        }
      });
      queue = turn.catch(() => undefined);
      return turn;
    };

  const chat = serve(async (args) => {
    const parsed = chatArguments.safeParse(args);
    if (!parsed.success) {
      throw new HostRefusal('bad-arguments', 'ctx.chat(instruction, { system?, maxToolCalls? }): a text, then options');
    }
    chats += 1;
    if (chats > maxChats) throw new HostRefusal('too-many-chats', `at most ${maxChats} chats a generation`);
    return job.chat(parsed.data[0], parsed.data[1] ?? {}, signal);
  });
  const read = serve(async (args) => (await job.read(pathOf('read', args))) ?? null);
  const list = serve(async (args) => [...(await job.list(pathOf('list', args)))]);

  // The facts are plain JSON by their type; the copy drops what is undefined.
  const facts: Json = JSON.parse(JSON.stringify(job.facts));
  const running = job.run({
    modules: job.modules,
    entry: job.entry ?? 'meta_agent.ts',
    cases: [{ seed: job.seed ?? 0, next: (step) => (step === 0 ? facts : undefined) }],
    limits: { ...META_AGENT_LIMITS, ...job.limits },
    host: { chat, read, list },
    signal,
  });
  const outcome = await running.then(
    ([verdict]) => ({ verdict }),
    (error: unknown) => ({ error }),
  );
  // A killed child may leave a chat under way: nothing may act on the view after this function is done.
  ended.abort();
  await queue;
  if (broken !== undefined) throw broken.error;
  if (job.signal?.aborted) {
    return { ok: false, code: 'aborted', message: 'the generation was aborted', logs: [], wallMs: 0 };
  }
  if ('error' in outcome) throw outcome.error;
  const { verdict } = outcome;
  if (verdict === undefined) throw new Error('the sandbox gave no verdict for a meta agent');
  const { logs, wallMs } = verdict;
  // What `forward` of a meta agent returns is not looked at: that it returned is enough, with nothing or with anything.
  if (verdict.status === 'value' || verdict.status === 'bad-result') return { ok: true, logs, wallMs };
  return { ok: false, code: verdict.error.code, message: verdict.error.message, logs, wallMs };
}

/** A refusal that reaches the program by its `code`. */
class HostRefusal extends Error {
  override readonly name = 'HostRefusal';
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.code = code;
  }
}

function pathOf(name: string, args: readonly Json[]): string {
  const parsed = pathArguments.safeParse(args);
  if (!parsed.success) throw new HostRefusal('bad-arguments', `ctx.${name}(path): one path`);
  return parsed.data[0];
}
