import { expect, test } from 'vitest';
import { benchOf } from '../../src/agents/tools/test-guard.ts';

const paths = [
  '..%2f..%2feval%2fexpected.json',
  '..\\..\\eval\\expected.json',
  'task_agent.ts\u0000.txt',
  '....//....//eval/expected.json',
  '%2e%2e/eval/expected.json',
];

// ED-04
test.each(paths)('%j is refused, or a literal name that is not there', async (path) => {
  const a = benchOf();
  const before = a.workspace.snapshot();
  for (const args of [
    { command: 'view', path },
    { command: 'create', path, file_text: 'pwned' },
    { command: 'str_replace', path, old_str: 'export', new_str: 'pwned' },
  ]) {
    expect(await a.call('editor', args)).toMatchObject({ isError: true, reads: [], wrote: [] });
  }
  expect(a.workspace.snapshot()).toEqual(before);
  expect(a.records).toHaveLength(3);
});

test('a NUL is refused as such even where every name is editable', async () => {
  const path = 'task_agent.ts\u0000.txt';
  const a = benchOf({ edit: { editable: [path, 'task_agent.ts'] } });
  const answer = await a.call('editor', { command: 'create', path, file_text: 'pwned' });
  expect(answer).toMatchObject({ isError: true, denied: { code: 'malformed', field: 'path' } });
  expect(answer.text).toContain('NUL');
});

test('a percent sign in a name is itself', async () => {
  const path = '..%2f..%2feval%2fexpected.json';
  const a = benchOf({ edit: { editable: [path] } });
  expect(await a.call('editor', { command: 'create', path, file_text: 'x' })).toMatchObject({ wrote: [path] });
  expect(a.workspace.changes().map((change) => change.path)).toEqual([path]);
});
