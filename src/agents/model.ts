import type { Json } from '../space/marks.ts';

/** A tool as a model sees it; names, descriptions and schemas are constants. */
export interface ToolDefinition {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments: `type: 'object'`, `additionalProperties: false`. */
  readonly parameters: { readonly [key: string]: Json };
}

/** A tool call as the model made it. `arguments` is what parsed; `malformed` holds the raw text of what did not. */
export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: Json;
  readonly malformed?: string;
}

export type Message =
  | { readonly role: 'system'; readonly text: string }
  | { readonly role: 'user'; readonly text: string }
  | {
      readonly role: 'assistant';
      readonly text: string;
      readonly toolCalls: readonly ToolCall[];
      /** `ModelReply.continuation` of the reply this message was, handed back unread. */
      readonly continuation?: Json;
    }
  | { readonly role: 'tool'; readonly callId: string; readonly text: string; readonly isError: boolean };

export interface ModelRequest {
  readonly messages: readonly Message[];
  readonly tools: readonly ToolDefinition[];
  readonly maxOutputTokens?: number;
  readonly temperature?: number;
  readonly signal?: AbortSignal;
}

export interface Usage {
  /** Input tokens, cached ones included. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly cachedInputTokens?: number;
  /** Input tokens that were written to the provider's cache, where it bills them apart. */
  readonly cacheWriteInputTokens?: number;
  /** The provider sent no usage: the zeros above are not a measurement, and budgets cannot count this call. */
  readonly missing?: true;
}

export type StopReason = 'end' | 'tool-calls' | 'length' | 'refused' | 'other';

export interface ModelReply {
  readonly text: string;
  readonly toolCalls: readonly ToolCall[];
  readonly stopReason: StopReason;
  readonly usage: Usage;
  /** How often the provider was asked before this reply came (1 = no retry). */
  readonly attempts: number;
  /**
   * What the provider wants back verbatim with the next request (signed reasoning blocks and the like): opaque,
   * never shown to anybody, no part of what the model said.
   */
  readonly continuation?: Json;
}

/** What a replay repeats. */
export interface Recording {
  /** Of the recorded run, where the recording tells. */
  readonly seed?: number;
  readonly task?: string;
  /** Leaves out the next `calls` of its calls: a run that goes on has their replies on record and does not ask for them again. */
  skip(calls: number): void;
}

/**
 * A language model, or something that takes part like one. `complete` answers one request with one reply;
 * it retries what can be retried by itself. @throws ModelError when it gives up.
 */
export interface Model {
  /** `provider/model` as configured. */
  readonly name: string;
  /** What it answers as: for a replay the recorded model's name, otherwise `name`. Used wherever a mark names a model. */
  readonly identity: string;
  /** True for scripted personas (and for replays of them): never presented as a language model's. */
  readonly scripted: boolean;
  /** Only of a replay. */
  readonly recording?: Recording;
  complete(request: ModelRequest): Promise<ModelReply>;
}

export const MODEL_ERROR_CODES = [
  'no-key',
  'auth',
  'rate-limited',
  'unavailable',
  'timeout',
  'circuit-open',
  'bad-request',
  'bad-reply',
  'aborted',
  'replay-mismatch',
] as const;
export type ModelErrorCode = (typeof MODEL_ERROR_CODES)[number];

/** A model could not answer. `message` names the provider, what happened and the way out; never a key. */
export class ModelError extends Error {
  override readonly name = 'ModelError';
  readonly code: ModelErrorCode;
  readonly provider: string;
  readonly attempts: number;
  constructor(code: ModelErrorCode, provider: string, message: string, attempts: number, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
    this.provider = provider;
    this.attempts = attempts;
  }
}
