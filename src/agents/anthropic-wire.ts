import type { ContentBlockParam, MessageCreateParamsNonStreaming, Tool } from '@anthropic-ai/sdk/resources/messages';
import { z } from 'zod';
import type { Json } from '../space/marks.ts';
import type { Message, ModelReply, ModelRequest, StopReason, ToolCall, ToolDefinition, Usage } from './model.ts';
import { MAX_TEXT_CHARS } from './openai-wire.ts';
import { BrokenStream } from './provider-failure.ts';
import { BoundedText, MAX_ARGUMENT_CHARS, MAX_CALLS, sentArguments, sentName, toolCallsOf } from './tool-arguments.ts';

type Block = ContentBlockParam;
type Blocks = Block[];

/**
 * The body of a messages request, model and limits apart. System messages become the one system text; the results of
 * a turn's tool calls (and user text after them) become the blocks of one user message, as this format wants it.
 */
export function anthropicBody(
  request: ModelRequest,
): Pick<MessageCreateParamsNonStreaming, 'system' | 'messages' | 'tools'> {
  const system = request.messages.filter((message) => message.role === 'system').map(({ text }) => text.toWellFormed());
  const messages: { role: 'user' | 'assistant'; content: Blocks }[] = [];
  for (const message of request.messages) {
    if (message.role === 'system') continue;
    const role = message.role === 'assistant' ? 'assistant' : 'user';
    const blocks = blocksOf(message);
    const last = messages.at(-1);
    if (last?.role === role) last.content.push(...blocks);
    else messages.push({ role, content: blocks });
  }
  return {
    ...(system.length === 0 ? {} : { system: system.join('\n\n') }),
    messages,
    ...(request.tools.length === 0 ? {} : { tools: request.tools.map(anthropicTool) }),
  };
}

function blocksOf(message: Exclude<Message, { role: 'system' }>): Blocks {
  const text = message.text.toWellFormed();
  switch (message.role) {
    case 'user':
      return [{ type: 'text', text: filled(text) }];
    case 'tool':
      return [
        {
          type: 'tool_result',
          tool_use_id: message.callId,
          content: [{ type: 'text', text: filled(text) }],
          ...(message.isError ? { is_error: true } : {}),
        },
      ];
    case 'assistant':
      break;
  }
  const shape = continuationSchema.safeParse(message.continuation).data;
  if (shape !== undefined) return shape.blocks.flatMap((block) => restored(block, message.toolCalls));
  const said: Blocks = text.trim() === '' ? [] : [{ type: 'text', text }];
  const blocks = [...said, ...message.toolCalls.map(toolUse)];
  return blocks.length === 0 ? [{ type: 'text', text: filled('') }] : blocks;
}

/** Empty text blocks are refused by the API. */
function filled(text: string): string {
  return text.trim() === '' ? '(empty)' : text;
}

function toolUse(call: ToolCall): Block {
  return { type: 'tool_use', id: call.id, name: sentName(call.name), input: sentArguments(call) };
}

function anthropicTool(tool: ToolDefinition): Tool {
  return { name: tool.name, description: tool.description, input_schema: { ...tool.parameters, type: 'object' } };
}

/** A reply's blocks in order, where it reasoned: signed reasoning verbatim, tool calls by their position. */
const continuationSchema = z.strictObject({
  blocks: z.array(
    z.discriminatedUnion('type', [
      z.strictObject({ type: z.literal('thinking'), thinking: z.string(), signature: z.string() }),
      z.strictObject({ type: z.literal('redacted_thinking'), data: z.string() }),
      z.strictObject({ type: z.literal('text'), text: z.string() }),
      z.strictObject({ type: z.literal('call'), call: z.number().int().nonnegative() }),
    ]),
  ),
});
type KeptBlock = z.infer<typeof continuationSchema>['blocks'][number];

function restored(block: KeptBlock, calls: readonly ToolCall[]): Blocks {
  if (block.type !== 'call') return block.type === 'text' && block.text.trim() === '' ? [] : [block];
  const call = calls[block.call];
  return call === undefined ? [] : [toolUse(call)];
}

const tokens = z.number().nonnegative().nullish();
const usageSchema = z.looseObject({
  input_tokens: tokens,
  output_tokens: tokens,
  cache_read_input_tokens: tokens,
  cache_creation_input_tokens: tokens,
});
const blockSchema = z.looseObject({
  type: z.string(),
  text: z.string().nullish(),
  thinking: z.string().nullish(),
  signature: z.string().nullish(),
  data: z.string().nullish(),
  id: z.string().nullish(),
  name: z.string().nullish(),
  input: z.unknown().optional(),
});
const deltaSchema = z.looseObject({
  type: z.string().nullish(),
  text: z.string().nullish(),
  thinking: z.string().nullish(),
  signature: z.string().nullish(),
  partial_json: z.string().nullish(),
  stop_reason: z.string().nullish(),
});
const eventSchema = z.looseObject({
  type: z.string(),
  index: z.number().nullish(),
  message: z.looseObject({ usage: usageSchema.nullish() }).nullish(),
  content_block: blockSchema.nullish(),
  delta: deltaSchema.nullish(),
  usage: usageSchema.nullish(),
});
const messageSchema = z.looseObject({
  content: z.array(blockSchema),
  stop_reason: z.string().nullish(),
  usage: usageSchema.nullish(),
});

interface OpenBlock {
  readonly type: string;
  readonly text: BoundedText;
  signature: string;
  readonly id: string;
  readonly name: string;
}

/** Puts a reply together from a stream's events, or from the one body of a reply that is not streamed. */
export class AnthropicReply {
  readonly #blocks = new Map<number, OpenBlock>();
  readonly #usage = new Map<string, number>();
  #stop: string | undefined;
  #whole = false;

  /** @throws z.ZodError, BrokenStream for what is not an event */
  add(body: unknown): void {
    const event = eventSchema.parse(body);
    this.#count(event.message?.usage);
    this.#count(event.usage);
    const index = event.index ?? 0;
    switch (event.type) {
      case 'content_block_start':
        if (event.content_block) this.#open(index, event.content_block);
        return;
      case 'content_block_delta': {
        const block = this.#blocks.get(index);
        if (block === undefined)
          throw new BrokenStream('bad-reply', 'the stream goes on with a block that it never began');
        block.text.add(event.delta?.text ?? event.delta?.partial_json ?? event.delta?.thinking ?? '');
        block.signature += event.delta?.signature ?? '';
        return;
      }
      case 'message_delta':
        this.#stop = event.delta?.stop_reason ?? this.#stop;
        return;
      case 'message_stop':
        this.#whole = true;
        return;
      default:
        // Kinds of events that are newer than this code carry nothing it needs.
        return;
    }
  }

  /** A whole message at once. @throws z.ZodError, BrokenStream */
  addMessage(body: unknown): void {
    const message = messageSchema.parse(body);
    for (const [index, block] of message.content.entries()) this.#open(index, block);
    this.#count(message.usage);
    this.#stop = message.stop_reason ?? undefined;
    this.#whole = true;
  }

  #open(index: number, block: z.infer<typeof blockSchema>): void {
    const isCall = block.type === 'tool_use';
    if (isCall && this.#blocks.size >= MAX_CALLS)
      throw new BrokenStream('bad-reply', `the reply has more than ${MAX_CALLS} blocks`);
    const text = new BoundedText(isCall ? MAX_ARGUMENT_CHARS : MAX_TEXT_CHARS);
    text.add(isCall ? givenInput(block.input) : (block.text ?? block.thinking ?? block.data ?? ''));
    this.#blocks.set(index, {
      type: block.type,
      text,
      signature: block.signature ?? '',
      id: block.id ?? '',
      name: block.name ?? '',
    });
  }

  /** Later figures replace earlier ones: a stream's last usage is the sum. */
  #count(usage: z.infer<typeof usageSchema> | null | undefined): void {
    for (const [key, value] of Object.entries(usage ?? {})) if (typeof value === 'number') this.#usage.set(key, value);
  }

  /**
   * @param taken ids of the conversation's earlier tool calls: this format wants them distinct in the whole request
   * @throws BrokenStream when the message never ended: the stream was cut
   */
  finish(taken: ReadonlySet<string>): Omit<ModelReply, 'attempts'> {
    if (!this.#whole || this.#stop === undefined) {
      throw new BrokenStream('unavailable', 'the stream was cut before the reply was whole');
    }
    const blocks = [...this.#blocks.entries()].sort(([a], [b]) => a - b).map(([, block]) => block);
    const raw = blocks.filter(({ type }) => type === 'tool_use');
    const toolCalls = toolCallsOf(
      raw.map(({ id, name, text }) => ({ id, name, arguments: text })),
      taken,
    );
    const texts = blocks.filter(({ type }) => type === 'text');
    const whole = texts.every(({ text }) => text.whole);
    const continuation = continuationOf(blocks, toolCalls.length);
    return {
      text: texts.map(({ text }) => text.text).join(''),
      toolCalls,
      stopReason: whole ? stopReasonOf(this.#stop, toolCalls.length > 0) : 'length',
      usage: this.#total(),
      ...(continuation === undefined ? {} : { continuation }),
    };
  }

  #total(): Usage {
    const of = (key: string): number => this.#usage.get(key) ?? 0;
    const cached = of('cache_read_input_tokens');
    const written = of('cache_creation_input_tokens');
    return {
      inputTokens: of('input_tokens') + cached + written,
      outputTokens: of('output_tokens'),
      ...(cached > 0 ? { cachedInputTokens: cached } : {}),
      ...(written > 0 ? { cacheWriteInputTokens: written } : {}),
      ...(this.#usage.has('output_tokens') ? {} : { missing: true }),
    };
  }
}

/** A block's input as it stands at its start: `{}` (the pieces follow) or, from servers that do not stream it, all of it. */
function givenInput(input: unknown): string {
  if (typeof input !== 'object' || input === null || Object.keys(input).length === 0) return '';
  return JSON.stringify(input);
}

/** Only a reply that reasoned needs its blocks back; a call that was sent twice makes positions unsure, so it goes without. */
function continuationOf(blocks: readonly OpenBlock[], calls: number): Json | undefined {
  const reasoned = blocks.some(({ type }) => type === 'thinking' || type === 'redacted_thinking');
  if (!reasoned || calls !== blocks.filter(({ type }) => type === 'tool_use').length) return undefined;
  if (blocks.some(({ text, type }) => type !== 'tool_use' && !text.whole)) return undefined;
  let call = 0;
  const kept = blocks.flatMap(({ type, text, signature }): KeptBlock[] => {
    if (type === 'thinking') return [{ type, thinking: text.text, signature }];
    if (type === 'redacted_thinking') return [{ type, data: text.text }];
    if (type === 'text') return [{ type, text: text.text }];
    if (type !== 'tool_use') return [];
    call += 1;
    return [{ type: 'call', call: call - 1 }];
  });
  return { blocks: kept };
}

function stopReasonOf(stop: string, hasCalls: boolean): StopReason {
  if (stop === 'max_tokens' || stop === 'model_context_window_exceeded') return 'length';
  if (stop === 'refusal') return 'refused';
  if (hasCalls) return 'tool-calls';
  return stop === 'end_turn' || stop === 'stop_sequence' ? 'end' : 'other';
}
