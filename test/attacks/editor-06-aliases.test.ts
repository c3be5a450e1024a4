import { expect, test } from 'vitest';
import { benchOf, OWN } from '../../src/agents/tools/test-guard.ts';
import { foldName, ROOT } from '../../src/materialize/paths.ts';

const names = [
  'Task_Agent.ts',
  'TASK_AGENT.TS',
  'Task_Agent.js',
  'TASK_AGENT.JS',
  'e\u0301.js',
  '\u00e9.js',
  'task_agent.ts ',
  'task_agent.ts.',
  'ta\u200dsk_agent.ts',
  'tas\u212a_agent.ts', // the Kelvin sign folds to k
];

// ED-06
test('no other spelling is task_agent.ts, and no two names of the view are one to a careless file system', async () => {
  // The grant allows them all, so that only the names themselves are in question.
  const a = benchOf({ edit: { editable: [...names, 'task_agent.ts'] } });
  const taken: string[] = [];
  for (const path of names) {
    const answer = await a.call('editor', { command: 'create', path, file_text: `alias ${path}` });
    if (!answer.isError) taken.push(path);
  }
  expect(taken).toEqual(['Task_Agent.js', 'e\u0301.js']);
  expect(a.textOf('task_agent.ts')).toBe(OWN['task_agent.ts']);
  const folded = a.workspace.list(ROOT).map(foldName);
  expect(new Set(folded).size).toBe(folded.length);
  expect(a.records).toHaveLength(names.length);
});

test('no other spelling reads or edits task_agent.ts', async () => {
  const a = benchOf({ edit: { editable: [...names, 'task_agent.ts'] } });
  for (const path of names) {
    expect(await a.call('editor', { command: 'view', path })).toMatchObject({ isError: true, reads: [] });
    const edit = { command: 'str_replace', path, old_str: 'export', new_str: 'pwned' };
    expect(await a.call('editor', edit)).toMatchObject({ isError: true, wrote: [] });
  }
  expect(a.workspace.changes()).toEqual([]);
});
