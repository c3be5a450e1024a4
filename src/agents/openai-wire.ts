import type {
  ChatCompletionCreateParams,
  ChatCompletionMessageParam,
  ChatCompletionTool,
} from 'openai/resources/chat/completions';
import { z } from 'zod';
import type { Message, ModelReply, ModelRequest, StopReason, ToolDefinition, Usage } from './model.ts';
import { BrokenStream } from './provider-failure.ts';
import { BoundedText, MAX_ARGUMENT_CHARS, MAX_CALLS, sentArguments, sentName, toolCallsOf } from './tool-arguments.ts';

/** Characters of one reply's text that are kept. */
export const MAX_TEXT_CHARS = 4 * 1024 * 1024;

/** The body of a chat completions request, model and limits apart. Every message becomes exactly one message. */
export function openAiBody(request: ModelRequest): Pick<ChatCompletionCreateParams, 'messages' | 'tools'> {
  return {
    messages: request.messages.map(openAiMessage),
    ...(request.tools.length === 0 ? {} : { tools: request.tools.map(openAiTool) }),
  };
}

function openAiMessage(message: Message): ChatCompletionMessageParam {
  const text = message.text.toWellFormed();
  switch (message.role) {
    case 'system':
    case 'user':
      return { role: message.role, content: text };
    case 'tool':
      return { role: 'tool', tool_call_id: message.callId, content: toolText(text, message.isError) };
    case 'assistant':
      break;
  }
  const reasoning = continuationSchema.safeParse(message.continuation).data;
  return {
    role: 'assistant',
    content: text === '' && message.toolCalls.length > 0 ? null : text,
    ...(message.toolCalls.length === 0
      ? {}
      : {
          tool_calls: message.toolCalls.map((call) => ({
            id: call.id,
            type: 'function' as const,
            function: { name: sentName(call.name), arguments: JSON.stringify(sentArguments(call)) },
          })),
        }),
    ...reasoning,
  };
}

/** This format has no field for a failed tool call, so its text says it. */
function toolText(text: string, isError: boolean): string {
  return isError && !/^error\b/i.test(text) ? `Error: ${text}` : text;
}

function openAiTool(tool: ToolDefinition): ChatCompletionTool {
  return {
    type: 'function',
    function: { name: tool.name, description: tool.description, parameters: { ...tool.parameters } },
  };
}

/** Several compatible servers want a turn's reasoning back with its tool results, under the name they gave it. */
const continuationSchema = z.strictObject({ reasoning_content: z.string() });

const usageSchema = z.looseObject({
  prompt_tokens: z.number().nonnegative(),
  completion_tokens: z.number().nonnegative(),
  prompt_tokens_details: z
    .looseObject({
      cached_tokens: z.number().nonnegative().nullish(),
      cache_write_tokens: z.number().nonnegative().nullish(),
    })
    .nullish(),
});
const callSchema = z.looseObject({
  index: z.number().nullish(),
  id: z.string().nullish(),
  function: z.looseObject({ name: z.string().nullish(), arguments: z.string().nullish() }).nullish(),
});
const saidSchema = z.looseObject({
  content: z.string().nullish(),
  refusal: z.string().nullish(),
  reasoning_content: z.string().nullish(),
  tool_calls: z.array(callSchema).nullish(),
});
const bodySchema = z.looseObject({
  choices: z
    .array(
      z.looseObject({
        delta: saidSchema.nullish(),
        message: saidSchema.nullish(),
        finish_reason: z.string().nullish(),
      }),
    )
    .nullish(),
  usage: usageSchema.nullish().catch(undefined),
});

interface CallBeingSaid {
  id: string;
  name: string;
  readonly index: number;
  readonly arguments: BoundedText;
}

/** Puts a reply together from a stream's chunks, or from the one body of a reply that is not streamed. */
export class OpenAiReply {
  readonly #text = new BoundedText(MAX_TEXT_CHARS);
  readonly #refusal = new BoundedText(MAX_TEXT_CHARS);
  readonly #reasoning = new BoundedText(MAX_TEXT_CHARS);
  readonly #calls: CallBeingSaid[] = [];
  #finish: string | undefined;
  #usage: Usage | undefined;

  /** @throws z.ZodError, BrokenStream for what is not a chunk or a completion */
  add(body: unknown): void {
    const { choices, usage } = bodySchema.parse(body);
    if (usage) this.#usage = usageOf(usage);
    const choice = choices?.[0];
    if (choice === undefined) return;
    if (choice.finish_reason) this.#finish = choice.finish_reason;
    const said = choice.delta ?? choice.message;
    if (!said) return;
    this.#text.add(said.content ?? '');
    this.#refusal.add(said.refusal ?? '');
    this.#reasoning.add(said.reasoning_content ?? '');
    for (const [position, call] of (said.tool_calls ?? []).entries()) this.#addCall(call, position);
  }

  /** Calls are told apart by index; a server that sends none, or the same for all, tells them apart by id. */
  #addCall(piece: z.infer<typeof callSchema>, position: number): void {
    const index = piece.index ?? position;
    let call = this.#calls.findLast((known) => known.index === index);
    if (call === undefined || (piece.id && call.id !== '' && piece.id !== call.id)) {
      if (this.#calls.length >= MAX_CALLS)
        throw new BrokenStream('bad-reply', `the reply has more than ${MAX_CALLS} tool calls`);
      call = { id: '', name: '', index, arguments: new BoundedText(MAX_ARGUMENT_CHARS) };
      this.#calls.push(call);
    }
    if (piece.id) call.id = piece.id;
    if (piece.function?.name) call.name = piece.function.name;
    call.arguments.add(piece.function?.arguments ?? '');
  }

  /** @throws BrokenStream when the provider never said why it stopped: the stream was cut */
  finish(): Omit<ModelReply, 'attempts'> {
    if (this.#finish === undefined)
      throw new BrokenStream('unavailable', 'the stream was cut before the reply was whole');
    const toolCalls = toolCallsOf(this.#calls);
    const refused = this.#refusal.chars > 0;
    return {
      text: refused ? this.#refusal.text : this.#text.text,
      toolCalls,
      stopReason: refused ? 'refused' : this.#text.whole ? stopReasonOf(this.#finish, toolCalls.length > 0) : 'length',
      usage: this.#usage ?? { inputTokens: 0, outputTokens: 0, missing: true },
      ...(this.#reasoning.chars > 0 && this.#reasoning.whole && toolCalls.length > 0
        ? { continuation: { reasoning_content: this.#reasoning.text } }
        : {}),
    };
  }
}

function stopReasonOf(finish: string, hasCalls: boolean): StopReason {
  if (finish === 'length') return 'length';
  if (finish === 'content_filter') return 'refused';
  if (hasCalls) return 'tool-calls';
  return finish === 'stop' ? 'end' : 'other';
}

function usageOf(usage: z.infer<typeof usageSchema>): Usage {
  const { cached_tokens: cached, cache_write_tokens: written } = usage.prompt_tokens_details ?? {};
  return {
    inputTokens: usage.prompt_tokens,
    outputTokens: usage.completion_tokens,
    ...(cached ? { cachedInputTokens: cached } : {}),
    ...(written ? { cacheWriteInputTokens: written } : {}),
  };
}
