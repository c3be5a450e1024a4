import { afterEach, beforeEach, expect, vi } from 'vitest';
import type { Model, ModelRequest } from '../../src/agents/model.ts';
import { ModelError } from '../../src/agents/model.ts';
import type { OpenModelOptions } from '../../src/agents/open-model.ts';
import { openModel } from '../../src/agents/open-model.ts';
import type { RetryPolicy, Timing } from '../../src/agents/resilience.ts';
import { RETRY_POLICY } from '../../src/agents/resilience.ts';
import type { FakeProvider } from './fake-provider.ts';
import { startFakeProvider } from './fake-provider.ts';

export const KEY = 'sk-test-0123456789abcdef';
const ECHO = {
  name: 'echo',
  description: 'Says it again.',
  parameters: {
    type: 'object',
    properties: { text: { type: 'string' } },
    required: ['text'],
    additionalProperties: false,
  },
};
export const REQUEST: ModelRequest = { messages: [{ role: 'user', text: 'hello' }], tools: [ECHO] };
/** A call of the tool `echo`, as it goes over the wire. */
export const call = (id: string, text: string) => ({ id, name: 'echo', arguments: JSON.stringify({ text }) });

/** One of the providers that every claim is made for. */
export interface ProviderCase {
  readonly title: string;
  readonly model: string;
  readonly path: string;
  readonly keyEnv: string;
}
export const PROVIDERS: readonly ProviderCase[] = [
  { title: 'openai', model: 'openai/gpt-test', path: '/v1', keyEnv: 'OPENAI_API_KEY' },
  { title: 'openai-compatible', model: 'openai-compatible/org/open-test', path: '/v1', keyEnv: 'HIVEMARK_API_KEY' },
  { title: 'anthropic', model: 'anthropic/claude-test', path: '', keyEnv: 'ANTHROPIC_API_KEY' },
];

/** A fresh server for each test of a block, and models that talk to it. */
export interface ProviderBench {
  readonly server: FakeProvider;
  /** Milliseconds of every wait so far; waits take no time but move the clock. */
  readonly slept: readonly number[];
  timing(): Timing;
  open(
    policy?: Partial<RetryPolicy>,
    stream?: boolean,
    shared?: Pick<OpenModelOptions, 'timing' | 'breakers'>,
  ): Promise<Model>;
}

export function useProvider({ model, path, keyEnv }: ProviderCase): ProviderBench {
  let server: FakeProvider | undefined;
  let slept: number[] = [];
  beforeEach(async () => {
    server = await startFakeProvider();
    slept = [];
  });
  afterEach(() => server?.close());
  const running = (): FakeProvider => {
    if (server === undefined) throw new Error('no server outside of a test');
    return server;
  };
  const timing = (): Timing => {
    let skipped = 0;
    return {
      now: () => skipped,
      sleep: async (ms) => {
        slept.push(ms);
        skipped += ms;
      },
      random: () => 0.5,
    };
  };
  return {
    get server() {
      return running();
    },
    get slept() {
      return slept;
    },
    timing,
    open: (policy = {}, stream = true, shared = { timing: timing(), breakers: new Map() }) =>
      openModel(
        { model, baseUrl: `${running().origin}${path}`, agent: 'a', seed: 1, stream },
        { [keyEnv]: KEY },
        { policy: { ...RETRY_POLICY, ...policy }, ...shared },
      ),
  };
}

/** The ModelError a promise ends with; nothing of it holds the key. */
export async function failureOf(promise: Promise<unknown>): Promise<ModelError> {
  const error: unknown = await promise.then(
    () => undefined,
    (caught: unknown) => caught,
  );
  if (!(error instanceof ModelError)) throw new Error(`not a ModelError: ${String(error)}`);
  for (const text of [error.message, error.stack ?? '', JSON.stringify(error), String(error.cause)]) {
    expect(text).not.toContain(KEY);
  }
  return error;
}

/**
 * What `run` comes to while timers stand still, but for `ms` after each of the server's next `stalls` stalls: those attempts are timed out,
 * and no other is, however slow the machine.
 */
export async function throughStalls<Value>(
  server: FakeProvider,
  stalls: number,
  ms: number,
  run: () => Promise<Value>,
): Promise<Value> {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  try {
    const running = run();
    running.catch(() => undefined);
    for (let n = 1; n <= stalls; n += 1) {
      await expect.poll(() => server.fired['stall'], { timeout: 20_000 }).toBe(n);
      await vi.advanceTimersByTimeAsync(ms);
    }
    return await running;
  } finally {
    vi.useRealTimers();
  }
}
