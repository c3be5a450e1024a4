import { beforeEach, describe, expect, test } from 'vitest';
import { TestAnalyst } from './test-analyst.ts';
import { makeResults, PAIR, programText } from './test-results.ts';

let analyst: TestAnalyst;

beforeEach(async () => {
  analyst = await TestAnalyst.open(await makeResults());
});

describe('resources', () => {
  test('are the runs, each with a summary and the files of its programs', async () => {
    const { resources } = await analyst.client.listResources();
    expect(resources.map(({ uri }) => uri)).toEqual([
      'hivemark://runs',
      'hivemark://runs/demo%2Fa%2Bb-s7-paired',
      'hivemark://runs/demo%2Fa-s7-solo',
      'hivemark://runs/pub%2Fx_vs_y%2Fseed1',
    ]);
    for (const { uri } of resources) expect(await analyst.read(uri), uri).toContain('"');
    expect(JSON.parse(await analyst.read('hivemark://runs/demo%2Fa%2Bb-s7-paired/summary'))).toMatchObject({
      adoptionCount: 1,
    });
    expect(await analyst.read('hivemark://runs/demo%2Fa%2Bb-s7-paired/candidates/b/2/task_agent.ts')).toBe(
      programText('b', 2),
    );
    expect(await analyst.read('hivemark://runs/pub%2Fx_vs_y%2Fseed1/candidates/x/1/task_agent.py')).toContain(
      'def forward',
    );
    const { resourceTemplates } = await analyst.client.listResourceTemplates();
    expect(resourceTemplates).toHaveLength(3);
  });

  test.each([
    'hivemark://runs/..%2F..%2Fetc/candidates/a/1/passwd',
    'hivemark://runs/demo%2Fa%2Bb-s7-paired/candidates/a/1/../../../run.json',
    'hivemark://runs/demo%2Fa%2Bb-s7-paired/candidates/a/99/task_agent.ts',
    'hivemark://runs/demo%2Fa%2Bb-s7-paired/candidates/__proto__/1/task_agent.ts',
    'hivemark://runs/%',
    'hivemark://runs/',
    'hivemark://run',
    'file:///etc/passwd',
    'hivemark://runs/demo%2Fa%2Bb-s7-paired/trace/run.json',
  ])('are not elsewhere: %s', async (uri) => {
    await expect(analyst.read(uri)).rejects.toMatchObject({ code: expect.any(Number) as number });
    expect(analyst.failures).toEqual([]);
  });

  test('complete their variables', async () => {
    const uri = 'hivemark://runs/{run}/candidates/{agent}/{generation}/{+file}';
    const complete = async (name: string, value: string, chosen: Record<string, string> = {}) =>
      (
        await analyst.client.complete({
          ref: { type: 'ref/resource', uri },
          argument: { name, value },
          context: { arguments: chosen },
        })
      ).completion.values;
    expect(await complete('run', 's7')).toEqual([PAIR, 'demo/a-s7-solo']);
    expect(await complete('agent', '', { run: PAIR })).toEqual(['a', 'b']);
    expect(await complete('agent', '', { run: 'none' })).toEqual([]);
    expect(await complete('generation', '3', { run: PAIR, agent: 'a' })).toEqual(['3']);
    expect(await complete('file', 'task', { run: PAIR, agent: 'a', generation: '3' })).toEqual(['task_agent.ts']);
    await expect(complete('x', '')).rejects.toThrow(/no variable "x"/);
  });
});

test('the prompt tells how to read a run that there is', async () => {
  const { messages } = await analyst.client.getPrompt({ name: 'read_run', arguments: { run: PAIR } });
  expect(JSON.stringify(messages)).toContain('get_adoption');
  await expect(analyst.client.getPrompt({ name: 'read_run', arguments: { run: 'none' } })).rejects.toThrow(
    /no run "none"; there are/,
  );
  await expect(analyst.client.getPrompt({ name: 'read', arguments: {} })).rejects.toThrow(/there is read_run/);
});
