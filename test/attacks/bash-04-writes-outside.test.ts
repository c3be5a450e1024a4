import { afterAll, expect, test } from 'vitest';
import { benchOf, OWN } from '../../src/agents/tools/test-guard.ts';
import { createSandbox } from '../../src/sandbox/create-sandbox.ts';

const sandbox = createSandbox();
afterAll(() => sandbox.close());

const redirections = [
  'echo p > /agents/ab/task_agent.ts',
  'echo p >> ../ab/task_agent.ts',
  'echo p | tee ../ab/t',
  'cp task_agent.ts ../ab/',
  'mv task_agent.ts ../ab/',
  'sed -i s/a/b/ ../ab/task_agent.ts',
  'mkdir -p /eval',
  "echo '{}' > /eval/expected.json",
  'mkdir -p /agents/ab ../ab; echo p > /agents/ab/task_agent.ts; mv task_agent.ts ../ab/',
  'rm -rf strategies evals; ln -s /task_agent.ts strategies',
  'chmod 777 strategies/b_gen1/task_agent.ts; echo p > strategies/b_gen1/task_agent.ts',
];

// BA-04
test.each([
  ...redirections,
  redirections.join('; '),
])('outside the agent’s own files nothing persists of: %s', async (command) => {
  const a = benchOf({ shell: sandbox.shell });
  const before = a.workspace.snapshot();
  const answer = await a.call('bash', { command });
  expect(a.failures).toEqual([]);
  expect(answer.wrote).toEqual([]);
  expect(a.workspace.snapshot()).toEqual(before);
  const denied = a.records.filter(({ code }) => code !== undefined);
  expect(answer.text.match(/^not persisted: /gm)?.length ?? 0).toBe(denied.length);
});

test('a legal edit beside an illegal one is kept, the illegal one is named', async () => {
  const a = benchOf({ shell: sandbox.shell });
  const command =
    'sed -i s/1/2/ task_agent.ts && cat strategies/b_gen1/task_agent.ts >> task_agent.ts; echo p > evals/gen_1/train.json';
  const answer = await a.call('bash', { command });
  expect(answer.text).toContain('not persisted: /evals/gen_1/train.json: ');
  expect(answer.wrote).toEqual(['task_agent.ts']);
  expect(a.textOf('task_agent.ts')).toBe(`${OWN['task_agent.ts'].replace('1', '2')}export const peer = 1;\n`);
  expect(answer.reads.map(({ path }) => path)).toContain('strategies/b_gen1/task_agent.ts');
});
