import { expect, test } from 'vitest';
import { benchOf } from '../../src/agents/tools/test-guard.ts';

// ED-03
test.each([
  'task_agent.ts/../../../eval/expected.json',
  'strategies/b_gen1/../../eval/expected.json',
  'strategies/../../eval/expected.json',
  '/../eval/expected.json',
])('view of %s shows nothing, and reads nothing', async (path) => {
  const a = benchOf();
  const answer = await a.call('editor', { command: 'view', path });
  expect(answer).toMatchObject({ isError: true, reads: [] });
  expect(answer.text).toMatch(/leads out of the view|no such file: \/eval\/expected\.json/);
  expect(a.records).toHaveLength(1);
});

test('the same steps inside the view lead where they say', async () => {
  const a = benchOf();
  const answer = await a.call('editor', { command: 'view', path: 'strategies/b_gen1/../../task_agent.ts' });
  expect(answer).toMatchObject({ isError: false, reads: [{ path: 'task_agent.ts' }] });
});
