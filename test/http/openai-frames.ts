import type { Turn } from './fake-provider.ts';

const PIECE = 64 * 1024;

/** The chunks of a chat completion, as OpenAI streams them (`[DONE]` apart). */
export function openAiChunks(turn: Turn): unknown[] {
  const chunk = (delta: unknown, finish: string | null = null) => ({
    id: 'chatcmpl-1',
    object: 'chat.completion.chunk',
    created: 0,
    model: 'fake',
    choices: [{ index: 0, delta, finish_reason: finish, logprobs: null }],
    usage: null,
  });
  const calls = (turn.toolCalls ?? []).flatMap((call, position) => {
    const index = turn.sameIndex ? 0 : position;
    const start = { index, id: call.id, type: 'function', function: { name: call.name, arguments: '' } };
    return [
      chunk({ tool_calls: [start] }),
      ...pieces(call.arguments).map((text) => chunk({ tool_calls: [{ index, function: { arguments: text } }] })),
    ];
  });
  return [
    chunk({ role: 'assistant', content: '' }),
    ...(turn.reasoning === undefined ? [] : [chunk({ reasoning_content: turn.reasoning })]),
    ...halves(turn.text ?? '').map((text) => chunk({ content: text })),
    ...calls,
    chunk({}, finishOf(turn)),
    ...(turn.usage === null ? [] : [{ ...chunk({}), choices: [], usage: usageOf(turn) }]),
  ];
}

/** The same as one body. */
export function openAiCompletion(turn: Turn): unknown {
  const toolCalls = (turn.toolCalls ?? []).map(({ id, name, arguments: text }) => ({
    id,
    type: 'function',
    function: { name, arguments: text },
  }));
  return {
    id: 'chatcmpl-1',
    object: 'chat.completion',
    created: 0,
    model: 'fake',
    choices: [
      {
        index: 0,
        message: {
          role: 'assistant',
          content: turn.text ?? null,
          refusal: null,
          ...(toolCalls.length === 0 ? {} : { tool_calls: toolCalls }),
          ...(turn.reasoning === undefined ? {} : { reasoning_content: turn.reasoning }),
        },
        finish_reason: finishOf(turn),
      },
    ],
    ...(turn.usage === null ? {} : { usage: usageOf(turn) }),
  };
}

function finishOf(turn: Turn): string {
  return turn.finish ?? ((turn.toolCalls ?? []).length > 0 ? 'tool_calls' : 'stop');
}

function usageOf({ usage }: Turn): unknown {
  const { input, output, cached, written } = usage ?? { input: 100, output: 20 };
  return {
    prompt_tokens: input,
    completion_tokens: output,
    total_tokens: input + output,
    prompt_tokens_details: {
      cached_tokens: cached ?? 0,
      ...(written === undefined ? {} : { cache_write_tokens: written }),
    },
  };
}

/** Two pieces of a text, so that a stream has a middle. */
export function halves(text: string): string[] {
  const middle = Math.ceil(text.length / 2);
  return [text.slice(0, middle), text.slice(middle)].filter((half) => half !== '');
}

/** Short texts in two, long ones in pieces of 64 KiB. */
export function pieces(text: string): string[] {
  if (text.length <= PIECE) return halves(text);
  return Array.from({ length: Math.ceil(text.length / PIECE) }, (_, index) =>
    text.slice(index * PIECE, (index + 1) * PIECE),
  );
}
