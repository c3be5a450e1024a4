import { describe, expect, it } from 'vitest';
import type { Model, ModelReply } from '../agents/model.ts';
import { ModelError } from '../agents/model.ts';
import { Meter } from './budget.ts';
import { meteredModel, type MeteredContext } from './metered-model.ts';
import { Stopwatch } from './stopwatch.ts';

const REPLY: ModelReply = {
  text: 'done',
  toolCalls: [],
  stopReason: 'end',
  usage: { inputTokens: 2, outputTokens: 3, cachedInputTokens: 0 },
  attempts: 1,
};
const REQUEST = { messages: [{ role: 'user' as const, text: 'improve it' }], tools: [] };

/** A run whose blobs reach the disk when told to; `done` says in which order things came about. */
function runOf(complete: Model['complete']) {
  const done: string[] = [];
  const waiting: PromiseWithResolvers<void>[] = [];
  const context: MeteredContext = {
    blobs: {
      write: async (content) => {
        const written = Promise.withResolvers<void>();
        waiting.push(written);
        const name = `blob ${waiting.length}`;
        await written.promise;
        done.push(name);
        return typeof content === 'string' ? 'a'.repeat(64) : '';
      },
      read: () => Promise.reject(new Error('nothing is read')),
      readBytes: () => Promise.reject(new Error('nothing is read')),
    },
    meter: new Meter({}, () => 0),
    watch: new Stopwatch(() => 0),
    models: new Map([['a', { name: 'scripted/x', identity: 'scripted/x', scripted: true, complete }]]),
    usdOf: () => 0,
    clock: () => 0,
    state: { calls: new Map() },
    recorder: {
      record: async (rows) => {
        done.push(...rows.map(({ key }) => `row ${key}`));
      },
    },
  };
  return { done, waiting, model: meteredModel(context, 'a', 1, () => done.push('told')) };
}

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('meteredModel()', () => {
  it('asks while its request is being written, and records the call once request and reply are on disk', async () => {
    const { done, waiting, model } = runOf(async () => REPLY);
    const reply = model.complete(REQUEST);
    await settle();
    expect(waiting).toHaveLength(2);
    waiting[1]?.resolve();
    await settle();
    expect(done).toEqual(['blob 2']);
    waiting[0]?.resolve();
    expect(await reply).toEqual(REPLY);
    expect(done).toEqual(['blob 2', 'blob 1', 'row a/1/1', 'told']);
  });

  it('gives no reply, and records none, when its request cannot be written', async () => {
    const { done, waiting, model } = runOf(async () => REPLY);
    const reply = model.complete(REQUEST);
    await settle();
    waiting[0]?.reject(new Error('ENOSPC: the disk is full'));
    waiting[1]?.resolve();
    await expect(reply).rejects.toThrow('ENOSPC');
    expect(done).toEqual(['blob 2']);
  });

  it('records a failed call once its request is on disk', async () => {
    const { done, waiting, model } = runOf(() => Promise.reject(new ModelError('auth', 'p', 'no', 1)));
    const reply = model.complete(REQUEST).catch((error: unknown) => error);
    await settle();
    expect(done).toEqual([]);
    waiting[0]?.resolve();
    expect(await reply).toBeInstanceOf(ModelError);
    expect(done).toEqual(['blob 1', 'row a/1/1/failed-0']);
  });

  it('leaves nothing under way behind an aborted call', async () => {
    const { done, waiting, model } = runOf(() => Promise.reject(new ModelError('aborted', 'p', 'stopped', 1)));
    let over = false;
    const reply = model.complete(REQUEST).catch((error: unknown) => {
      over = true;
      return error;
    });
    await settle();
    expect(over).toBe(false);
    waiting[0]?.resolve();
    expect(await reply).toBeInstanceOf(ModelError);
    expect(done).toEqual(['blob 1']);
  });
});
