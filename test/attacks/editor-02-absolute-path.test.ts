import { expect, test } from 'vitest';
import { benchOf } from '../../src/agents/tools/test-guard.ts';

const commands = [
  { command: 'str_replace', old_str: 'x', new_str: 'y' },
  { command: 'view' },
  { command: 'create', file_text: 'x' },
  { command: 'insert', insert_line: 0, insert_text: 'x' },
  { command: 'undo_edit' },
] as const;

// ED-02
test.each(
  commands,
)('an absolute path into another scope is answered by $command as one that exists nowhere', async (args) => {
  const a = benchOf();
  const [there, nowhere] = ['/agents/ab/task_agent.ts', '/agents/ab/no_such_agt.ts'];
  const answer = await a.call('editor', { ...args, path: there });
  const other = await a.call('editor', { ...args, path: nowhere });
  expect(answer.isError).toBe(true);
  expect(answer.text).toBe(other.text.replaceAll(nowhere.slice(1), there.slice(1)));
  expect(a.workspace.changes()).toEqual([]);
  expect(a.records).toHaveLength(2);
  expect(a.reads).toEqual([]);
});
