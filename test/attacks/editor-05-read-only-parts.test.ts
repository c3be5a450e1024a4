import { expect, test } from 'vitest';
import { benchOf } from '../../src/agents/tools/test-guard.ts';
import { at } from '../../src/materialize/test-marks.ts';

const attacks = [
  { path: 'strategies/b_gen1/task_agent.ts', file_text: 'x' },
  { path: 'strategies/a_gen99/metadata.json', file_text: '{"val_score":1}' },
  { path: 'evals/gen_1/report.json', file_text: '{"overall_accuracy":1}' },
] as const;

// ED-05
test.each(attacks)('nothing is written to $path', async ({ path, file_text }) => {
  const a = benchOf();
  const before = a.workspace.snapshot();
  const answer = await a.call('editor', { command: 'create', path, file_text });
  expect(answer).toMatchObject({ isError: true, denied: { code: 'not-editable', path }, wrote: [] });
  expect(a.workspace.snapshot()).toEqual(before);
  expect(a.workspace.changes()).toEqual([]);
  expect(a.records).toHaveLength(1);
});

// The second lock: a grant that lists too much opens nothing that the view says is read-only.
test.each(attacks)('nothing is written to $path by a grant that would allow it', async ({ path, file_text }) => {
  const a = benchOf({ edit: { editable: [path] } });
  const answer = await a.call('editor', { command: 'create', path, file_text });
  expect(answer).toMatchObject({ isError: true, wrote: [] });
  expect(answer.text).toContain('read-only');
  expect(a.workspace.remove(at('evals/gen_1/train.json'))?.code).toBe('read-only');
  expect(a.workspace.changes()).toEqual([]);
});
