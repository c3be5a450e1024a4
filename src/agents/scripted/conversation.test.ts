import { expect, test } from 'vitest';
import type { Json } from '../../space/marks.ts';
import type { Message } from '../model.ts';
import {
  evalsListed,
  readConversation,
  scoresShown,
  strategiesListed,
  textShown,
  valScoreShown,
  wasAsked,
} from './conversation.ts';

function exchange(name: string, args: Json, text: string, isError = false): Message[] {
  const id = `${name}-${JSON.stringify(args)}`;
  return [
    { role: 'assistant', text: '', toolCalls: [{ id, name, arguments: args }] },
    { role: 'tool', callId: id, text, isError },
  ];
}

const view = (path: string) => ({ command: 'view', path });

test('textShown() joins numbered lines of several views, whatever stands around them', () => {
  const conversation = readConversation([
    ...exchange(
      'editor',
      view('task_agent.ts'),
      'task_agent.ts, 4 lines\n     1\tconst a = 1;\n     2\t\n(2 more lines)\n',
    ),
    ...exchange('editor', { ...view('task_agent.ts'), view_range: [3, 4] }, '     3\t  \tb;\n     4\t}\n'),
    ...exchange('bash', { command: 'cat -n strategies/b_gen2/task_agent.ts' }, '     1\tother\n'),
  ]);
  expect(textShown(conversation, 'task_agent.ts')).toBe('const a = 1;\n\n  \tb;\n}\n');
  expect(textShown(conversation, 'strategies/b_gen2/task_agent.ts')).toBe('other\n');
  expect(textShown(conversation, 'meta_agent.ts')).toBeUndefined();
});

test('textShown() takes no line after a gap, and nothing from a refused view', () => {
  const gap = readConversation(exchange('editor', view('a.ts'), '     1\tone\n     9\tnine\n'));
  expect(textShown(gap, 'a.ts')).toBe('one\n');
  const refused = readConversation(exchange('editor', view('a.ts'), '     1\tone\n', true));
  expect(textShown(refused, 'a.ts')).toBeUndefined();
});

test('listings name generations and the newest strategy of each peer', () => {
  const listing =
    './evals/gen_0/validation.json\n./evals/gen_12/train.json\n./strategies/b-1_gen9/task_agent.ts\n./strategies/b-1_gen10/metadata.json\n';
  const conversation = readConversation(exchange('bash', { command: 'find' }, listing));
  expect([...evalsListed(conversation)]).toEqual([0, 12]);
  expect(strategiesListed(conversation)).toEqual([{ folder: 'strategies/b-1_gen10', peer: 'b-1', generation: 10 }]);
});

test('scores are read from the lines of grep, and a peer score from its own metadata only', () => {
  const conversation = readConversation([
    ...exchange(
      'bash',
      { command: 'grep' },
      'evals/gen_1/validation.json:{"score":0.5}\nevals/gen_2/validation.json:{"score":1e-3}\n',
    ),
    ...exchange('bash', { command: 'cat strategies/b_gen1/metadata.json' }, '{ "agent": "b", "valScore": 0.75 }'),
  ]);
  expect([...scoresShown(conversation)]).toEqual([
    [1, 0.5],
    [2, 0.001],
  ]);
  expect(valScoreShown(conversation, 'strategies/b_gen1')).toBe(0.75);
  expect(valScoreShown(conversation, 'strategies/c_gen1')).toBeUndefined();
});

test('wasAsked() knows refused calls too', () => {
  const conversation = readConversation(exchange('editor', view('a.ts'), 'Error', true));
  expect(wasAsked(conversation, 'editor', view('a.ts'))).toBe(true);
  expect(wasAsked(conversation, 'editor', view('b.ts'))).toBe(false);
});
