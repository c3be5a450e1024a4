import type { Turn } from './fake-provider.ts';
import { halves, pieces } from './openai-frames.ts';

interface Event {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** The events of a message, as Anthropic streams them. */
export function anthropicEvents(turn: Turn): Event[] {
  const events: Event[] = [
    { type: 'message_start', message: { ...envelope(turn), content: [], stop_reason: null } },
    { type: 'ping' },
  ];
  let index = 0;
  const block = (start: unknown, deltas: readonly unknown[]): void => {
    events.push({ type: 'content_block_start', index, content_block: start });
    for (const delta of deltas) events.push({ type: 'content_block_delta', index, delta });
    events.push({ type: 'content_block_stop', index });
    index += 1;
  };
  if (turn.reasoning !== undefined) {
    block({ type: 'thinking', thinking: '', signature: '' }, [
      ...halves(turn.reasoning).map((thinking) => ({ type: 'thinking_delta', thinking })),
      { type: 'signature_delta', signature: 'c2lnbmVk' },
    ]);
  }
  if (turn.text !== undefined && turn.text !== '') {
    block(
      { type: 'text', text: '' },
      halves(turn.text).map((text) => ({ type: 'text_delta', text })),
    );
  }
  for (const { id, name, arguments: raw } of turn.toolCalls ?? []) {
    block(
      { type: 'tool_use', id, name, input: {} },
      pieces(raw).map((piece) => ({ type: 'input_json_delta', partial_json: piece })),
    );
  }
  events.push({
    type: 'message_delta',
    delta: { stop_reason: stopOf(turn), stop_sequence: null },
    ...(turn.usage === null ? {} : { usage: { output_tokens: turn.usage?.output ?? 20 } }),
  });
  events.push({ type: 'message_stop' });
  return events;
}

/** The same as one body. */
export function anthropicMessage(turn: Turn): unknown {
  const content: unknown[] = [];
  if (turn.reasoning !== undefined) content.push({ type: 'thinking', thinking: turn.reasoning, signature: 'c2lnbmVk' });
  if (turn.text !== undefined && turn.text !== '') content.push({ type: 'text', text: turn.text });
  for (const { id, name, arguments: raw } of turn.toolCalls ?? []) {
    content.push({ type: 'tool_use', id, name, input: raw === '' ? {} : JSON.parse(raw) });
  }
  return { ...envelope(turn), content, stop_reason: stopOf(turn) };
}

function envelope(turn: Turn): Record<string, unknown> {
  const { input, output, cached, written } = turn.usage ?? { input: 100, output: 20 };
  // Here, unlike at OpenAI, cached tokens come on top of input tokens.
  const usage = {
    input_tokens: input - (cached ?? 0) - (written ?? 0),
    output_tokens: output,
    cache_read_input_tokens: cached ?? 0,
    cache_creation_input_tokens: written ?? 0,
  };
  return {
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'fake',
    stop_sequence: null,
    ...(turn.usage === null ? {} : { usage }),
  };
}

function stopOf(turn: Turn): string {
  return turn.finish ?? ((turn.toolCalls ?? []).length > 0 ? 'tool_use' : 'end_turn');
}
