import { expect, test } from 'vitest';
import type { RunProgram, Verdict } from '../sandbox/sandbox.ts';
import { DEFAULT_META_AGENT } from './default-meta-agent.ts';
import type { MetaAgentJob, MetaFacts } from './meta-agent.ts';
import { runMetaAgent } from './meta-agent.ts';

const FACTS: MetaFacts = {
  agent: 'a',
  generation: 3,
  iterationsLeft: 9,
  task: { name: 'sine', statement: 'Approximate the sine. `${backticks}` and "quotes" included.' },
  files: ['meta_agent.ts', 'task_agent.ts'],
  editable: ['task_agent.ts'],
  evals: [],
  strategies: [],
  notes: [],
  toolCalls: 40,
};

type Host = (name: string, ...args: unknown[]) => Promise<unknown>;

/** Stands in for the sandbox: runs `program` in place of the modules, host calls and abort included. */
function sandboxOf(program: (facts: unknown, host: Host) => Promise<unknown>): RunProgram {
  return async ({ cases, host, signal }) => {
    const aborted = new Promise<Verdict>((resolve) => {
      const end = (): void =>
        resolve({ status: 'crash', error: { code: 'aborted', message: 'killed' }, wallMs: 1, logs: [] });
      if (signal?.aborted) end();
      signal?.addEventListener('abort', end, { once: true });
    });
    const ask: Host = async (name, ...args) => {
      // As over the wire: JSON in, JSON out.
      const answer = await host?.[name]?.(JSON.parse(JSON.stringify(args)), AbortSignal.any([]));
      return answer === undefined ? undefined : JSON.parse(JSON.stringify(answer));
    };
    const facts = cases[0]?.next(0, undefined);
    expect(cases[0]?.next(1, null)).toBeUndefined();
    const run = program(facts, ask).then(
      (): Verdict => ({ status: 'value', value: null, wallMs: 1, logs: ['log'] }),
      (error: unknown): Verdict => ({
        status: 'error',
        error: { code: 'thrown', message: error instanceof Error ? error.message : '' },
        wallMs: 1,
        logs: [],
      }),
    );
    return [await Promise.race([run, aborted])];
  };
}

function job(run: RunProgram, more: Partial<MetaAgentJob> = {}): MetaAgentJob {
  return {
    modules: { 'meta_agent.ts': DEFAULT_META_AGENT },
    facts: FACTS,
    run,
    chat: async () => 'said',
    read: async (path) => (path === 'task_agent.ts' ? 'source' : undefined),
    list: async () => ['evals/', 'task_agent.ts'],
    ...more,
  };
}

test('a meta agent gets its facts, chats, reads and lists', async () => {
  let seen: unknown;
  const result = await runMetaAgent(
    job(
      sandboxOf(async (facts, host) => {
        seen = [
          facts,
          await host('chat', 'improve', { system: 's', maxToolCalls: 3 }),
          await host('chat', 'again', null),
          await host('read', 'task_agent.ts'),
          await host('read', 'nothing'),
          await host('list', ''),
        ];
      }),
    ),
  );
  expect(result).toEqual({ ok: true, logs: ['log'], wallMs: 1 });
  expect(seen).toEqual([FACTS, 'said', 'said', 'source', null, ['evals/', 'task_agent.ts']]);
});

test('a meta agent that throws is a value with its code', async () => {
  const run = sandboxOf(async () => {
    throw new Error('oops');
  });
  expect(await runMetaAgent(job(run))).toEqual({ ok: false, code: 'thrown', message: 'oops', logs: [], wallMs: 1 });
});

test.each([
  ['chat'],
  ['chat', 1],
  ['chat', ''],
  ['chat', 'x'.repeat(200_001)],
  ['chat', 'x', { model: 'other' }],
  ['chat', 'x', { maxToolCalls: -1 }],
  ['chat', 'x', {}, 'more'],
  ['read', 7],
  ['read', 'x'.repeat(2000)],
  ['list', '', ''],
])('bad arguments never reach the host: %s %j %j', async (name: string, ...args: unknown[]) => {
  const chats: string[] = [];
  let code: unknown;
  const run = sandboxOf(async (_facts, host) => {
    await host(name, ...args).catch((error: { code: unknown }) => {
      code = error.code;
    });
  });
  const result = await runMetaAgent(job(run, { chat: async (text) => (chats.push(text), 'said') }));
  expect([result.ok, code, chats]).toEqual([true, 'bad-arguments', []]);
});

test('chats at once are held one after the other, in order', async () => {
  const order: string[] = [];
  const run = sandboxOf(async (_facts, host) => {
    await Promise.all([host('chat', 'one'), host('read', 'x'), host('chat', 'two')]);
  });
  await runMetaAgent(
    job(run, {
      chat: async (text) => {
        order.push(`${text} begins`);
        await new Promise((resolve) => setTimeout(resolve, 5));
        order.push(`${text} ends`);
        return '';
      },
      read: async () => void order.push('read'),
    }),
  );
  expect(order).toEqual(['one begins', 'one ends', 'read', 'two begins', 'two ends']);
});

test('chats are bounded', async () => {
  let held = 0;
  const run = sandboxOf(async (_facts, host) => {
    for (let n = 0; n < 50; n += 1) await host('chat', 'x').catch(() => undefined);
  });
  await runMetaAgent(job(run, { maxChats: 3, chat: async () => ((held += 1), '') }));
  expect(held).toBe(3);
});

test('a budget stop inside a chat cannot be caught by the program', async () => {
  const stop = new Error('budget used up');
  let chats = 0;
  const run = sandboxOf(async (_facts, host) => {
    for (let n = 0; n < 10; n += 1) await host('chat', 'x').catch(() => undefined);
  });
  const running = runMetaAgent(
    job(run, {
      chat: async () => {
        chats += 1;
        throw stop;
      },
    }),
  );
  await expect(running).rejects.toBe(stop);
  expect(chats).toBe(1);
});

test('an abort ends the program and what it was waiting for', async () => {
  const abort = new AbortController();
  let chatEnded = false;
  const run = sandboxOf(async (_facts, host) => {
    await host('chat', 'x');
  });
  const result = await runMetaAgent(
    job(run, {
      signal: abort.signal,
      chat: async (_text, _options, signal) => {
        setTimeout(() => abort.abort(), 5);
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        chatEnded = true;
        return '';
      },
    }),
  );
  expect([result.ok, result.ok ? '' : result.code, chatEnded]).toEqual([false, 'aborted', true]);
});

test('nothing is under way any more once a killed program has been reported', async () => {
  let chatEnded = false;
  const killed: RunProgram = async ({ host }) => {
    host?.['chat']?.(['x'], AbortSignal.any([])).catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 5));
    return [{ status: 'timeout', error: { code: 'timeout', message: 'too slow' }, wallMs: 1, logs: [] }];
  };
  const result = await runMetaAgent(
    job(killed, {
      chat: async (_text, _options, signal) => {
        await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        await new Promise((resolve) => setTimeout(resolve, 20));
        chatEnded = true;
        return '';
      },
    }),
  );
  expect([result.ok, chatEnded]).toEqual([false, true]);
});
