import { describe, expect, test } from 'vitest';
import { ModelError } from '../model.ts';
import { readJournal } from './journal.ts';
import { listOf, parseProgram } from './program-text.ts';
import { MISDEEDS } from './personas/vandal.ts';
import { listPersonas, openScripted } from './scripted-model.ts';
import type { SimulatedGeneration } from './test-space.ts';
import { START, converse, simulate } from './test-space.ts';

/** Made-up gains of what a program uses: enough for the flow of a run; what the programs do is tested where they run. */
const GAINS: Readonly<Record<string, number>> = {
  placeByDemand: 0.02,
  placeByOwnPressure: 0.03,
  placeByBestOfThree: 0.04,
  placeByBestOfFour: 0.05,
  swapOnce: 0.08,
  relocate: 0.02,
  anneal: 0.03,
  kick: 0.04,
};

async function madeUpScore(program: string): Promise<number> {
  const parsed = parseProgram(readJournal(program).code);
  const start = /placement = (\w+)\(/.exec(parsed.find('forward')?.text ?? '')?.[1] ?? '';
  const used = [start, ...listOf(parsed.find('passes'))];
  if (used.includes('evenOut') || used.includes('placeFillingUp')) return 0;
  return used.reduce((sum, name) => sum + (GAINS[name] ?? -0.01), 0.7);
}

const pair = [
  { name: 'planner', persona: 'planner' },
  { name: 'tuner', persona: 'tuner' },
];

function triedBy(history: readonly SimulatedGeneration[], agent: string): readonly string[] {
  const last = history.findLast((one) => one.agent === agent);
  return readJournal(last?.program ?? '').entries.map(({ key }) => key);
}

describe('openScripted()', () => {
  test('names itself as scripted and refuses a persona that does not exist, naming those that do', () => {
    const model = openScripted('tuner', { seed: 1, agent: 'a', task: 'prism_placement' });
    expect([model.name, model.identity, model.scripted]).toEqual(['scripted/tuner', 'scripted/tuner', true]);
    const open = () => openScripted('gpt', { seed: 1, agent: 'a', task: 'prism_placement' });
    expect(open).toThrow(ModelError);
    for (const { name } of listPersonas()) expect(open).toThrow(`scripted/${name}`);
  });

  test('gives the same request the same reply', async () => {
    const [once, twice] = await Promise.all(
      [1, 2].map(() => simulate(pair, madeUpScore, { seed: 42, generations: 6 })),
    );
    expect(once).toEqual(twice);
  });

  test('varies with the seed', async () => {
    const runs = await Promise.all([42, 43, 44].map((seed) => simulate(pair, madeUpScore, { seed, generations: 6 })));
    expect(new Set(runs.map((run) => JSON.stringify(run.map(({ program }) => program)))).size).toBeGreaterThan(1);
  });

  test('estimates usage from the text of messages, tools and reply', async () => {
    const model = openScripted('planner', { seed: 1, agent: 'a', task: 'prism_placement' });
    const ask = (text: string) => model.complete({ messages: [{ role: 'user', text }], tools: [] });
    const [short, long] = [await ask('x'), await ask('x'.repeat(401))];
    expect(long.usage.inputTokens - short.usage.inputTokens).toBe(100);
    expect(short.usage.outputTokens).toBeGreaterThan(0);
  });

  test('an aborted request is an abort', async () => {
    const model = openScripted('idle', { seed: 1, agent: 'a', task: 't' });
    await expect(model.complete({ messages: [], tools: [], signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'aborted',
    });
  });
});

describe('a pair', () => {
  test.each([42, 43, 44, 45, 46])('takes techniques in both directions with seed %d', async (seed) => {
    const history = await simulate(pair, madeUpScore, { seed, generations: 12 });
    expect(triedBy(history, 'planner').some((key) => /^take:\w+@tuner/.test(key))).toBe(true);
    expect(triedBy(history, 'tuner').some((key) => /^take:\w+@planner/.test(key))).toBe(true);
  });

  test('takes nothing where sharing is off', async () => {
    const history = await simulate(pair, madeUpScore, { seed: 42, generations: 12, sharing: false });
    expect(
      [...triedBy(history, 'planner'), ...triedBy(history, 'tuner')].filter((key) => key.startsWith('take:')),
    ).toEqual([]);
  });

  test('reads the peer and says what it takes from whom before it edits', async () => {
    const history = await simulate(pair, madeUpScore, { seed: 42, generations: 12 });
    const adopting = history.filter(({ program, generation }) =>
      readJournal(program).entries.some((entry) => entry.generation === generation && entry.key.startsWith('take:')),
    );
    expect(adopting.length).toBeGreaterThan(2);
    for (const { messages, program } of adopting) {
      const key = readJournal(program).entries.at(-1)?.key ?? '';
      const [, taken = '', peer = ''] = /^take:(\w+)@(\w+)/.exec(key) ?? [];
      const editing = messages.findIndex(
        (one) =>
          one.role === 'assistant' &&
          one.toolCalls.some((call) => JSON.stringify(call.arguments).includes('str_replace')),
      );
      const earlier = JSON.stringify(messages.slice(0, editing));
      expect(earlier).toMatch(new RegExp(`strategies/${peer}_gen\\d+/task_agent.ts`));
      expect(messages[editing]?.text).toContain(taken);
      expect(messages[editing]?.text).toContain(peer);
    }
  });

  test('what it takes is in the text it read, word for word', async () => {
    const history = await simulate(pair, madeUpScore, { seed: 43, generations: 12 });
    for (const { agent, generation, program, messages } of history) {
      const { entries, undo, code } = readJournal(program);
      if (entries.at(-1)?.generation !== generation || entries.at(-1)?.key.startsWith('take:') !== true) continue;
      const read = messages
        .flatMap((one) => (one.role === 'tool' ? [one.text.replaceAll(/^ {0,6}\d+\t/gm, '')] : []))
        .join('\n');
      const parsed = parseProgram(code);
      for (const name of undo.added) expect(read, `${agent} ${generation} ${name}`).toContain(parsed.find(name)?.text);
    }
  });
});

describe('an improver', () => {
  test('takes back what lowered the score and does not try it again', async () => {
    const history = await simulate(pair.slice(0, 1), madeUpScore, { seed: 42, generations: 12 });
    const keys = triedBy(history, 'planner');
    expect(new Set(keys).size).toBe(keys.length);
    expect(
      readJournal(history.at(-1)?.program ?? '').entries.some(({ outcome }) => outcome?.startsWith('dropped')),
    ).toBe(true);
    expect(history.at(-1)?.score).toBe(Math.max(...history.map(({ score }) => score)));
  });

  test('notices a change that was rolled back and does not try it again', async () => {
    const history = await simulate(pair.slice(1), madeUpScore, { seed: 42, generations: 12 });
    expect(history.filter(({ score }) => score === 0)).toHaveLength(1);
    const { entries } = readJournal(history.at(-1)?.program ?? '');
    expect(entries.filter(({ key }) => key === 'even-out')).toMatchObject([{ outcome: 'lost 0.0000' }]);
  });

  test('turns numbers of a program for a task it knows nothing about, but not those the instruction gives', async () => {
    const start =
      'const limit = 80;\nconst width = 0.3;\n\nexport async function forward(): Promise<number> {\n  return width * limit;\n}\n';
    const history = await simulate(pair.slice(1), async (text) => text.length, {
      seed: 1,
      generations: 3,
      start,
      task: 'new_task',
    });
    expect(history.at(-1)?.program).toContain('const limit = 80;');
    expect(triedBy(history, 'tuner').every((key) => key.startsWith('nudge:width='))).toBe(true);
  });

  test('writes the whole file when an edit is refused, to the same effect', async () => {
    const model = openScripted('planner', { seed: 42, agent: 'planner', task: 'prism_placement' });
    const [allowed, refused] = [new Map([['task_agent.ts', START]]), new Map([['task_agent.ts', START]])];
    await converse(model, allowed);
    await converse(model, refused, { refused: ['str_replace'] });
    expect(refused.get('task_agent.ts')).not.toBe(START);
    expect(refused).toEqual(allowed);
  });

  test('gives up when that is refused too', async () => {
    const model = openScripted('planner', { seed: 42, agent: 'planner', task: 'prism_placement' });
    const files = new Map([['task_agent.ts', START]]);
    const messages = await converse(model, files, { refused: ['str_replace', 'create'] });
    expect(messages.at(-1)).toMatchObject({ text: 'The edit was refused; nothing is changed.' });
    expect(files.get('task_agent.ts')).toBe(START);
  });

  test('ends the chat where there is nothing to read', async () => {
    const model = openScripted('planner', { seed: 42, agent: 'planner', task: 'prism_placement' });
    const messages = await converse(model, new Map());
    expect(messages.at(-1)).toMatchObject({ role: 'assistant', toolCalls: [] });
  });
});

test('idle changes nothing', async () => {
  const files = new Map([['task_agent.ts', START]]);
  await converse(openScripted('idle', { seed: 1, agent: 'a', task: 't' }), files);
  expect([...files]).toEqual([['task_agent.ts', START]]);
});

test('vandal commits another misdeed each generation, counted from what it is told', async () => {
  const model = openScripted('vandal', { seed: 1, agent: 'a', task: 't' });
  const texts: string[] = [];
  for (let generation = 1; generation <= MISDEEDS.length + 1; generation += 1) {
    const messages = await converse(model, new Map(), {
      instruction: `This is generation ${generation}; see task_agent.ts.`,
    });
    texts.push(messages.at(-1)?.text ?? '');
  }
  expect(texts).toEqual([...MISDEEDS, ...MISDEEDS.slice(0, 1)].map(({ name }) => `That was ${name}.`));
});
