import { expect, test } from 'vitest';
import { benchOf } from '../../src/agents/tools/test-guard.ts';

// ED-01
test('a path into the neighbour whose name begins like one’s own leads out of the view', async () => {
  const a = benchOf();
  const answer = await a.call('editor', { command: 'create', path: '../ab/task_agent.ts', file_text: 'pwned' });
  expect(answer).toMatchObject({ isError: true, denied: { code: 'malformed', field: 'path' }, wrote: [] });
  expect(a.workspace.changes()).toEqual([]);
  expect(a.records).toHaveLength(1);
});

test('a name that only begins like one of one’s own files is none of them', async () => {
  const a = benchOf();
  for (const path of ['task_agent.tsx', 'task_agent.ts2/x', 'task_agent']) {
    const answer = await a.call('editor', { command: 'create', path, file_text: 'x' });
    expect(answer).toMatchObject({ isError: true, denied: { code: 'not-editable', path } });
  }
  expect(a.workspace.changes()).toEqual([]);
});

test('the honest edit of one’s own file goes through', async () => {
  const a = benchOf();
  const answer = await a.call('editor', { command: 'create', path: './task_agent.ts', file_text: 'mine' });
  expect(answer).toMatchObject({ isError: false, wrote: ['task_agent.ts'] });
});
