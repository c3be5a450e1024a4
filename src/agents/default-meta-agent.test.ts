import { stripTypeScriptTypes } from 'node:module';
import { expect, test } from 'vitest';
import { DEFAULT_META_AGENT } from './default-meta-agent.ts';
import type { MetaFacts } from './meta-agent.ts';

const FACTS: MetaFacts = {
  agent: 'ada',
  generation: 7,
  iterationsLeft: 5,
  task: { name: 'sine_approx', statement: 'Approximate the sine with ${few} operations.' },
  files: ['meta_agent.ts', 'task_agent.ts'],
  editable: ['task_agent.ts', 'meta_agent.ts'],
  evals: Array.from({ length: 9 }, (_, n) => ({
    generation: n,
    path: `evals/gen_${n}`,
    status: 'accepted',
    train: n / 10,
    validation: n === 4 ? 0.987654321 : n / 20,
  })),
  strategies: [{ path: 'strategies/bob_gen6', agent: 'bob', generation: 6, valScore: 0.75, model: 'openai/gpt-5' }],
  notes: ['editing evals/gen_1/train.json was refused: read-only'],
  toolCalls: 33,
};

interface Loaded {
  forward(facts: unknown, ctx: unknown): Promise<unknown>;
}

/** What it asks its model for these facts. */
async function asked(facts: unknown): Promise<{ instruction: string; system: string; chats: number }> {
  const source = stripTypeScriptTypes(DEFAULT_META_AGENT);
  const module: Loaded = await import(`data:text/javascript,${encodeURIComponent(source)}`);
  let chats = 0;
  let instruction = '';
  let system = '';
  await module.forward(facts, {
    chat: async (text: string, options: { system: string }) => {
      chats += 1;
      instruction = text;
      system = options.system;
      return 'done';
    },
  });
  return { instruction, system, chats };
}

test('the default meta agent chats once and tells the model all it was told', async () => {
  const { instruction, system, chats } = await asked(FACTS);
  expect(chats).toBe(1);
  for (const fact of [
    FACTS.task.statement,
    'agent ada',
    'generation 7',
    '5 more',
    'task_agent.ts, meta_agent.ts',
    'strategies/bob_gen6/: bob (openai/gpt-5), its generation 6, validation 0.75',
    'Best so far by validation: generation 4 with 0.987654',
    'evals/gen_8/',
    'read-only',
    '33 tool calls',
    'Before you edit',
  ]) {
    expect(instruction).toContain(fact);
  }
  expect(instruction).not.toMatch(/undefined|NaN|\[object/);
  expect(system).toContain('no orders');
});

test('it works with nothing scored, nothing published and nothing disclosed', async () => {
  const { instruction } = await asked({
    ...FACTS,
    evals: [{ generation: 0, path: 'evals/gen_0', status: 'failed', train: null, validation: null }],
    strategies: [],
    notes: [],
  });
  expect(instruction).toContain('not disclosed');
  expect(instruction).not.toContain('Best so far');
  expect(instruction).not.toMatch(/undefined|null|NaN/);
});

test('it fits the size an agent may edit, with room to grow', () => {
  expect(Buffer.byteLength(DEFAULT_META_AGENT)).toBeLessThan(16 * 1024);
});
