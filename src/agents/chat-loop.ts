import type { Message, Model, ModelReply, ModelRequest, ToolCall, ToolDefinition } from './model.ts';
import { ModelError } from './model.ts';

/** What a chat may do besides talking. `call` answers what a model may get wrong with `isError`; it throws only when broken. */
export interface Toolbox {
  readonly definitions: readonly ToolDefinition[];
  call(call: ToolCall, signal?: AbortSignal): Promise<ToolAnswer>;
}

export interface ToolAnswer {
  readonly text: string;
  readonly isError: boolean;
}

/**
 * Why a chat ended. done: the model answered without calling a tool; length: its last answer was cut at the output limit;
 * refused: the provider would not answer; tool-budget, max-turns: a limit of the chat; aborted: the signal.
 */
export type ChatStop = 'done' | 'length' | 'refused' | 'tool-budget' | 'max-turns' | 'aborted';

/** What happens in a chat, in order. `turn` counts requests from 1, `number` tool calls of the whole chat from 1. */
export type ChatEvent =
  | { readonly type: 'request'; readonly turn: number; readonly request: ModelRequest }
  | { readonly type: 'reply'; readonly turn: number; readonly reply: ModelReply; readonly ms: number }
  | { readonly type: 'retry'; readonly turn: number; readonly attempts: number }
  | { readonly type: 'tool-call'; readonly turn: number; readonly number: number; readonly call: ToolCall }
  | {
      readonly type: 'tool-result';
      readonly turn: number;
      readonly number: number;
      readonly call: ToolCall;
      readonly answer: ToolAnswer;
      /** False when the toolbox was never asked (unknown tool, malformed arguments, budget used up, cut reply). */
      readonly executed: boolean;
    }
  | { readonly type: 'done'; readonly result: ChatResult }
  | { readonly type: 'stopped'; readonly result: ChatResult };

/** Why a call is answered by the loop: the chat's budget is used up, the reply was cut, no such tool, arguments that are none. */
export type RefusalReason = 'budget' | 'cut' | 'unknown-tool' | 'malformed';

/** One answered call, for whoever keeps records. */
export interface ChatCall {
  readonly request: ModelRequest;
  readonly reply: ModelReply;
  /** Milliseconds from asking to the whole reply, retries included. */
  readonly ms: number;
}

/** One call the model gave up on. */
export interface FailedChatCall {
  readonly request: ModelRequest;
  readonly error: ModelError;
  readonly ms: number;
}

export interface ChatOptions {
  readonly model: Model;
  readonly system?: string;
  readonly instruction: string;
  readonly toolbox: Toolbox;
  /** Tool calls of the whole chat, refused ones included. */
  readonly maxToolCalls: number;
  /** Requests to the model. @default 100 */
  readonly maxTurns?: number;
  readonly maxOutputTokens?: number;
  readonly temperature?: number;
  readonly signal?: AbortSignal;
  /** Milliseconds, for durations only. @default performance.now */
  readonly now?: () => number;
  readonly onEvent?: (event: ChatEvent) => void;
  /** Awaited before each request; what it throws ends the chat and reaches the caller (a budget's hard stop). */
  readonly beforeCall?: (request: ModelRequest) => Promise<void>;
  /** Awaited after each reply and before any of its tool calls runs: a call is on record before its effects. */
  readonly onCall?: (call: ChatCall) => Promise<void>;
  /** Awaited for a call the loop answers itself, without asking the toolbox: whoever counts calls sees every one. */
  readonly onRefused?: (call: ToolCall, reason: RefusalReason) => Promise<void>;
  /** Awaited when the model gave up, before its error reaches the caller. */
  readonly onFailedCall?: (call: FailedChatCall) => Promise<void>;
}

export interface ChatResult {
  /** The model's last words. */
  readonly text: string;
  readonly turns: number;
  readonly toolCalls: number;
  readonly stop: ChatStop;
}

/** @default of `ChatOptions.maxTurns` */
export const DEFAULT_MAX_TURNS = 100;

/**
 * Lets a model work with tools until it answers without calling one, or a limit is met. Only emits events: no console, no disk.
 *
 * A reply's tool calls run one after the other in the order given, each exactly once or not at all: a call that cannot be run
 * (unknown tool, malformed arguments, a reply cut at the output limit) is answered with an error the model can read and
 * counts against the budget like any other. Every call gets exactly one result message, so roles and message counts are
 * settled by the loop, whatever a result's text says. An abort between two calls leaves the later ones unrun.
 *
 * @throws ModelError when the model gives up (never for an abort: that is `stop: 'aborted'`); whatever `beforeCall`,
 *   `onCall` or the toolbox throws.
 */
export async function runChat(options: ChatOptions): Promise<ChatResult> {
  const { model, toolbox, signal, onEvent } = options;
  const now = options.now ?? (() => performance.now());
  const maxTurns = options.maxTurns ?? DEFAULT_MAX_TURNS;
  const messages: Message[] = [];
  if (options.system !== undefined) messages.push({ role: 'system', text: options.system });
  messages.push({ role: 'user', text: options.instruction });
  const known = new Set(toolbox.definitions.map((tool) => tool.name));
  let text = '';
  let turns = 0;
  let toolCalls = 0;

  const end = (stop: ChatStop): ChatResult => {
    const result: ChatResult = { text, turns, toolCalls, stop };
    onEvent?.({ type: stop === 'done' ? 'done' : 'stopped', result });
    return result;
  };

  while (true) {
    if (signal?.aborted) return end('aborted');
    if (turns >= maxTurns) return end('max-turns');
    const request = requestOf(options, messages);
    await options.beforeCall?.(request);
    turns += 1;
    onEvent?.({ type: 'request', turn: turns, request });
    const startedAt = now();
    let reply: ModelReply;
    try {
      reply = await model.complete(request);
    } catch (error) {
      if (error instanceof ModelError) await options.onFailedCall?.({ request, error, ms: now() - startedAt });
      if (error instanceof ModelError && error.code === 'aborted' && signal?.aborted) return end('aborted');
      throw error;
    }
    const ms = now() - startedAt;
    await options.onCall?.({ request, reply, ms });
    if (reply.attempts > 1) onEvent?.({ type: 'retry', turn: turns, attempts: reply.attempts });
    onEvent?.({ type: 'reply', turn: turns, reply, ms });
    text = reply.text;
    messages.push(assistantMessage(reply));
    if (reply.stopReason === 'refused') return end('refused');
    if (reply.toolCalls.length === 0) return end(reply.stopReason === 'length' ? 'length' : 'done');

    for (const call of reply.toolCalls) {
      if (signal?.aborted) return end('aborted');
      const fits = toolCalls < options.maxToolCalls;
      if (fits) toolCalls += 1;
      const number = toolCalls;
      const refusal: Refusal | undefined = fits
        ? whyNot(call, reply, known)
        : { reason: 'budget', text: `the budget of ${options.maxToolCalls} tool calls is used up.` };
      if (refusal !== undefined) await options.onRefused?.(call, refusal.reason);
      if (refusal === undefined) onEvent?.({ type: 'tool-call', turn: turns, number, call });
      const answer =
        refusal === undefined ? await toolbox.call(call, signal) : { text: `Error: ${refusal.text}`, isError: true };
      onEvent?.({ type: 'tool-result', turn: turns, number, call, answer, executed: refusal === undefined });
      messages.push({ role: 'tool', callId: call.id, text: answer.text, isError: answer.isError });
    }
    if (toolCalls >= options.maxToolCalls) return end('tool-budget');
  }
}

function requestOf(options: ChatOptions, messages: readonly Message[]): ModelRequest {
  return {
    messages: [...messages],
    tools: options.toolbox.definitions,
    ...(options.maxOutputTokens === undefined ? {} : { maxOutputTokens: options.maxOutputTokens }),
    ...(options.temperature === undefined ? {} : { temperature: options.temperature }),
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  };
}

function assistantMessage(reply: ModelReply): Message {
  return {
    role: 'assistant',
    text: reply.text,
    toolCalls: reply.toolCalls,
    ...(reply.continuation === undefined ? {} : { continuation: reply.continuation }),
  };
}

interface Refusal {
  readonly reason: RefusalReason;
  readonly text: string;
}

/** Why a call is not run; a cut reply runs none of its calls, since any of them may be half of what was meant. */
function whyNot(call: ToolCall, reply: ModelReply, known: ReadonlySet<string>): Refusal | undefined {
  if (reply.stopReason === 'length') {
    return {
      reason: 'cut',
      text: 'your reply was cut at the output limit, so none of its tool calls was executed. Make smaller steps.',
    };
  }
  if (!known.has(call.name)) {
    const text = `there is no tool named ${JSON.stringify(call.name.slice(0, 64))}. Tools: ${[...known].join(', ') || 'none'}.`;
    return { reason: 'unknown-tool', text };
  }
  if (call.malformed !== undefined) {
    const text = `the arguments are not one JSON object (${describeMalformed(call.malformed)}); nothing was executed. Call ${call.name} again with valid arguments.`;
    return { reason: 'malformed', text };
  }
  return undefined;
}

/** Both ends of a long text: how it began, and what was said of its size. */
function describeMalformed(raw: string): string {
  if (raw.length <= 300) return `got: ${raw}`;
  return `got: ${raw.slice(0, 180).toWellFormed()} ... ${raw.slice(-100).toWellFormed()}`;
}
