import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { runChat } from '../../src/agents/chat-loop.ts';
import { DEFAULT_META_AGENT } from '../../src/agents/default-meta-agent.ts';
import type { MetaAgentResult, MetaFacts } from '../../src/agents/meta-agent.ts';
import { runMetaAgent } from '../../src/agents/meta-agent.ts';
import { openModel } from '../../src/agents/open-model.ts';
import { RETRY_POLICY } from '../../src/agents/resilience.ts';
import { createSandbox } from '../../src/sandbox/create-sandbox.ts';
import type { FakeProvider } from './fake-provider.ts';
import { startFakeProvider } from './fake-provider.ts';

const FACTS: MetaFacts = {
  agent: 'ada',
  generation: 1,
  iterationsLeft: 2,
  task: { name: 'sine_approx', statement: 'Approximate the sine.' },
  files: ['meta_agent.ts', 'task_agent.ts'],
  editable: ['task_agent.ts', 'meta_agent.ts'],
  evals: [],
  strategies: [],
  notes: [],
  toolCalls: 5,
};

const sandbox = createSandbox({ poolSize: 1, shellPoolSize: 0 });
afterAll(() => sandbox.close());
let server: FakeProvider;
let edits: string[];
beforeEach(async () => {
  server = await startFakeProvider();
  edits = [];
});
afterEach(() => server.close());

/** A generation's thinking: the meta agent in the real sandbox, its chats with a model over real HTTP. */
async function think(source: string, signal?: AbortSignal): Promise<MetaAgentResult> {
  const model = await openModel(
    { model: 'anthropic/claude-test', baseUrl: server.origin, agent: 'ada', seed: 1 },
    { ANTHROPIC_API_KEY: 'k' },
    { policy: { ...RETRY_POLICY, baseDelayMs: 1, maxAttempts: 2 }, breakers: new Map() },
  );
  return runMetaAgent({
    modules: { 'meta_agent.ts': source },
    facts: FACTS,
    run: sandbox.run,
    chat: async (instruction, { system }, stopped) => {
      const toolbox = {
        definitions: [{ name: 'editor', description: 'Edits.', parameters: { type: 'object' } }],
        call: async () => {
          edits.push('edit');
          return { text: 'edited', isError: false };
        },
      };
      const limits = { maxToolCalls: FACTS.toolCalls, signal: stopped };
      return (await runChat({ model, instruction, toolbox, ...(system === undefined ? {} : { system }), ...limits }))
        .text;
    },
    read: async (path) => (path === 'task_agent.ts' ? 'export const forward = () => 0;' : null),
    list: async () => ['meta_agent.ts', 'task_agent.ts'],
    limits: { computeMs: 3000, caseMs: 3000, wallMs: 20_000 },
    ...(signal === undefined ? {} : { signal }),
  });
}

test('the default meta agent works in the real sandbox with a model over HTTP', async () => {
  server.script(
    { kind: 'turn', text: 'I edit.', toolCalls: [{ id: 'c1', name: 'editor', arguments: '{}' }] },
    { kind: 'status', status: 503 },
    { kind: 'turn', text: 'Edited.' },
  );
  expect(await think(DEFAULT_META_AGENT)).toMatchObject({ ok: true });
  expect(edits).toEqual(['edit']);
  expect(server.fired).toEqual({ turn: 2, 'status-503': 1 });
  expect(JSON.stringify(server.seen[0]?.body)).toContain('Approximate the sine.');
});

test('a rewritten meta agent reads, lists and chats as it likes', async () => {
  server.script({ kind: 'turn', text: 'fine' });
  const source = `export async function forward(facts: { agent: string }, ctx: any) {
    const [text, none, names] = [await ctx.read('task_agent.ts'), await ctx.read('x'), await ctx.list('')];
    ctx.log([facts.agent, text.length, none, names.join('+'), await ctx.chat('hi')].join(' '));
  }`;
  expect(await think(source)).toMatchObject({ ok: true, logs: ['ada 31  meta_agent.ts+task_agent.ts fine'] });
});

test.each([
  ['a syntax error', 'export async function forward(facts, ctx) {'],
  ['no forward', 'export const other = 1;'],
  ['a throw', 'export async function forward() { throw new Error("no"); }'],
  ['an endless loop', 'export async function forward() { while (true); }'],
])('%s costs the generation and asks no model', async (_what, source) => {
  const result = await think(source);
  expect(result.ok).toBe(false);
  expect(result.ok ? '' : result.code).toMatch(/^[a-z-]+$/);
  expect(server.seen).toEqual([]);
});

test('a provider that gives up ends the meta agent, which cannot catch it and go on', async () => {
  server.script({ kind: 'status', status: 503 }, { kind: 'status', status: 503 }, { kind: 'turn', text: 'never' });
  const source = `export async function forward(facts, ctx) {
    for (;;) { try { return await ctx.chat('again'); } catch { ctx.log('caught'); } }
  }`;
  await expect(think(source)).rejects.toMatchObject({ name: 'ModelError', code: 'unavailable', attempts: 2 });
  expect([server.seen.length, server.left]).toEqual([2, 1]);
});

test('an abort ends it while its model is thinking', async () => {
  server.script({ kind: 'stall', afterFrames: 2 });
  const abort = new AbortController();
  const running = think(DEFAULT_META_AGENT, abort.signal);
  await expect.poll(() => server.fired['stall'], { timeout: 20_000 }).toBe(1);
  abort.abort();
  expect(await running).toMatchObject({ ok: false, code: 'aborted' });
  await expect.poll(() => server.abandoned, { timeout: 20_000 }).toBe(1);
});
