import { describe, expect, it } from 'vitest';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ConfigError, parseConfig, readConfig } from './config.ts';

const minimal = {
  name: 'x',
  task: 'prism_placement',
  agents: [
    { name: 'a', model: 'scripted/planner' },
    { name: 'b', model: 'scripted/tuner' },
  ],
};

function problemsOf(value: unknown): readonly string[] {
  try {
    parseConfig(value, 'x.yaml');
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('parseConfig()', () => {
  it('fills in every default of the design', () => {
    expect(parseConfig(minimal, 'x.yaml')).toMatchObject({
      generations: 20,
      seeds: [42],
      arms: ['paired'],
      selection: 'latest',
      onRegression: 'rollback-invalid',
      editable: ['task_agent.ts', 'meta_agent.ts'],
      maxFileBytes: 65_536,
      budget: { toolCallsPerGeneration: 40 },
      disclosure: { train: 'cases', validation: 'score', peerModel: true },
    });
  });

  it.each([
    [{ ...minimal, genrations: 3 }, 'genrations: unknown key; did you mean "generations"?'],
    [{ ...minimal, budget: { usdd: 1 } }, 'budget.usdd: unknown key; did you mean "usd"?'],
    [
      { ...minimal, agents: [{ ...minimal.agents[0], modle: 'x' }, minimal.agents[1]] },
      'agents.0.modle: unknown key; did you mean "model"?',
    ],
    [
      { ...minimal, arms: ['piared'] },
      'arms.0: "piared" is not one of paired, solo, sharing-off; did you mean "paired"?',
    ],
    [
      { ...minimal, arms: ['placebo'] },
      'arms.0: "placebo" is not available in this version; use paired, solo, sharing-off',
    ],
    [
      { ...minimal, agents: [minimal.agents[0]] },
      'arms: paired needs at least two agents, there is 1; add one or use arms: [solo]',
    ],
    [
      { ...minimal, agents: [minimal.agents[0], minimal.agents[0]] },
      'agents: two agents are named "a"; names are unique',
    ],
    [{ ...minimal, seeds: [1, 1] }, 'seeds: has the same entry twice'],
    [
      { ...minimal, editable: ['meta_agent.ts'] },
      'editable: task_agent.ts is missing; it is the program that is evolved',
    ],
    [
      { ...minimal, space: 'mysql://x' },
      "space: the address of the PostgreSQL log cannot be used: it is not of the form postgres://user:password@host:5432/database; leave it out to keep each run's log in its own folder",
    ],
  ])('names the key, the value and the way out: %#', (value, problem) => {
    expect(problemsOf(value)).toContain(problem);
  });

  it('names every problem at once', () => {
    expect(problemsOf({ name: 'a b', agents: [] }).length).toBeGreaterThanOrEqual(3);
  });

  it('an agent may not be named like the runner', () => {
    expect(problemsOf({ ...minimal, agents: [{ name: 'runner', model: 'm' }, minimal.agents[1]] }).join()).toContain(
      '"runner"',
    );
  });
});

describe('readConfig()', () => {
  it('says what is wrong with a file that is not there, a folder, and text that is no YAML', async () => {
    const dir = await mkdtemp(join(tmpdir(), 'hivemark-config-'));
    await writeFile(join(dir, 'bad.yaml'), 'a: [1');
    await expect(readConfig(join(dir, 'none.yaml'))).rejects.toThrow('there is no such file');
    await expect(readConfig(dir)).rejects.toThrow('this is a folder');
    await expect(readConfig(join(dir, 'bad.yaml'))).rejects.toThrow('not valid YAML');
  });

  it("takes a task's path from the config's folder", async () => {
    const dir = await mkdtemp(join(tmpdir(), 'hivemark-config-'));
    await writeFile(join(dir, 'x.yaml'), JSON.stringify({ ...minimal, task: './my-task' }));
    expect((await readConfig(join(dir, 'x.yaml'))).task).toBe(join(dir, 'my-task'));
  });

  it("takes a recording's path from the config's folder too", async () => {
    const dir = await mkdtemp(join(tmpdir(), 'hivemark-config-'));
    const agents = [
      { name: 'a', model: 'replay/../run' },
      { name: 'b', model: 'scripted/idle' },
    ];
    await writeFile(join(dir, 'x.yaml'), JSON.stringify({ ...minimal, agents }));
    const { agents: read } = await readConfig(join(dir, 'x.yaml'));
    expect(read.map(({ model }) => model)).toEqual([`replay/${join(dir, '..', 'run')}`, 'scripted/idle']);
  });
});
