import { expect, test } from 'vitest';
import type { ChatEvent, ChatOptions, Toolbox } from './chat-loop.ts';
import { runChat } from './chat-loop.ts';
import type { Model, ModelReply, ModelRequest, StopReason, ToolCall } from './model.ts';
import { ModelError } from './model.ts';

const usage = { inputTokens: 1, outputTokens: 1 };
const call = (id: string, name = 'tool'): ToolCall => ({ id, name, arguments: {} });
const reply = (toolCalls: readonly ToolCall[], text = '', stopReason?: StopReason): ModelReply => ({
  text,
  toolCalls,
  stopReason: stopReason ?? (toolCalls.length > 0 ? 'tool-calls' : 'end'),
  usage,
  attempts: 1,
});

function scripted(replies: readonly (ModelReply | Error)[]) {
  const asked: ModelRequest[] = [];
  const model: Model = {
    name: 'm',
    identity: 'm',
    scripted: true,
    complete: async (request) => {
      asked.push(request);
      const next = replies[asked.length - 1];
      if (next === undefined) throw new Error('asked too often');
      if (next instanceof Error) throw next;
      return next;
    },
  };
  return { model, asked };
}

function box(onCall: (call: ToolCall) => void = () => undefined): Toolbox & { readonly ran: string[] } {
  const ran: string[] = [];
  return {
    ran,
    definitions: [{ name: 'tool', description: '', parameters: {} }],
    call: async (made) => {
      ran.push(made.id);
      onCall(made);
      return { text: `ran ${made.id}`, isError: false };
    },
  };
}

const chat = (model: Model, toolbox: Toolbox, more: Partial<ChatOptions> = {}) =>
  runChat({ model, toolbox, instruction: 'go', maxToolCalls: 10, ...more });

test('runs tool calls one after the other and ends when the model asks for none', async () => {
  const { model, asked } = scripted([reply([call('1'), call('2')], 'thinking'), reply([], 'done')]);
  const toolbox = box();
  const events: string[] = [];
  const result = await chat(model, toolbox, { system: 'sys', onEvent: ({ type }) => events.push(type) });
  expect(result).toEqual({ text: 'done', turns: 2, toolCalls: 2, stop: 'done' });
  expect(events).toEqual([
    'request',
    'reply',
    'tool-call',
    'tool-result',
    'tool-call',
    'tool-result',
    'request',
    'reply',
    'done',
  ]);
  expect(asked[1]?.messages).toEqual([
    { role: 'system', text: 'sys' },
    { role: 'user', text: 'go' },
    { role: 'assistant', text: 'thinking', toolCalls: [call('1'), call('2')] },
    { role: 'tool', callId: '1', text: 'ran 1', isError: false },
    { role: 'tool', callId: '2', text: 'ran 2', isError: false },
  ]);
  expect(asked[0]?.messages.length).toBe(2);
});

test('a call is on record before its effects', async () => {
  const { model } = scripted([reply([call('1')]), reply([])]);
  const order: string[] = [];
  const toolbox = box(() => order.push('effect'));
  await chat(model, toolbox, {
    beforeCall: async () => void order.push('before'),
    onCall: async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      order.push('recorded');
    },
  });
  expect(order).toEqual(['before', 'recorded', 'effect', 'before', 'recorded']);
});

test('a record that cannot be written stops the chat before any effect', async () => {
  const { model } = scripted([reply([call('1')])]);
  const toolbox = box();
  const full = new Error('disk full');
  await expect(
    chat(model, toolbox, {
      onCall: async () => {
        throw full;
      },
    }),
  ).rejects.toBe(full);
  expect(toolbox.ran).toEqual([]);
});

test('the tool budget stops the chat; calls over it are answered but not run', async () => {
  const { model, asked } = scripted([reply([call('1')]), reply([call('2'), call('3'), call('4')])]);
  const toolbox = box();
  const results: ChatEvent[] = [];
  const result = await chat(model, toolbox, {
    maxToolCalls: 2,
    onEvent: (event) => event.type === 'tool-result' && results.push(event),
  });
  expect(result).toMatchObject({ turns: 2, toolCalls: 2, stop: 'tool-budget' });
  expect([toolbox.ran, asked.length]).toEqual([['1', '2'], 2]);
  expect(results).toMatchObject([{ executed: true }, { executed: true }, { executed: false }, { executed: false }]);
});

test('refused calls count against the budget too, so that nonsense ends', async () => {
  const { model } = scripted(Array.from({ length: 50 }, (_, n) => reply([call(`${n}`, 'unknown')])));
  const toolbox = box();
  expect(await chat(model, toolbox, { maxToolCalls: 5 })).toMatchObject({ turns: 5, stop: 'tool-budget' });
  expect(toolbox.ran).toEqual([]);
});

test('maxTurns stops the chat', async () => {
  const { model } = scripted(Array.from({ length: 9 }, (_, n) => reply([call(`${n}`)])));
  expect(await chat(model, box(), { maxTurns: 3 })).toMatchObject({ turns: 3, stop: 'max-turns' });
});

test('a reply cut at the output limit runs none of its calls, and the chat goes on', async () => {
  const { model, asked } = scripted([reply([call('1'), call('2')], 'half', 'length'), reply([], 'ok')]);
  const toolbox = box();
  expect(await chat(model, toolbox)).toMatchObject({ text: 'ok', stop: 'done' });
  expect(toolbox.ran).toEqual([]);
  expect(asked[1]?.messages.slice(-2)).toMatchObject([{ isError: true }, { isError: true }]);
});

test('a cut answer and a refusal say so', async () => {
  expect((await chat(scripted([reply([], 'half', 'length')]).model, box())).stop).toBe('length');
  const toolbox = box();
  expect((await chat(scripted([reply([call('1')], '', 'refused')]).model, toolbox)).stop).toBe('refused');
  expect(toolbox.ran).toEqual([]);
});

test('an abort between two calls leaves the later one unrun', async () => {
  const abort = new AbortController();
  const { model } = scripted([reply([call('1'), call('2')])]);
  const toolbox = box(() => abort.abort());
  expect(await chat(model, toolbox, { signal: abort.signal })).toMatchObject({ stop: 'aborted', toolCalls: 1 });
  expect(toolbox.ran).toEqual(['1']);
});

test('an abort during a request is an end; a failure is told, then thrown', async () => {
  const abort = new AbortController();
  const aborting: Model = {
    ...scripted([]).model,
    complete: async () => {
      abort.abort();
      throw new ModelError('aborted', 'm', 'aborted', 1);
    },
  };
  expect((await chat(aborting, box(), { signal: abort.signal })).stop).toBe('aborted');

  const down = new ModelError('unavailable', 'm', 'down', 6);
  const told: ModelError[] = [];
  const failing = chat(scripted([down]).model, box(), { onFailedCall: async ({ error }) => void told.push(error) });
  await expect(failing).rejects.toBe(down);
  expect(told).toEqual([down]);
});
