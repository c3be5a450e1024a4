import { expect, test } from 'vitest';
import { requestSha256 } from './canonical.ts';
import type { Model, ModelReply, ModelRequest } from './model.ts';
import { ModelError } from './model.ts';
import { createReplay } from './replay-model.ts';

const ask = (text: string): ModelRequest => ({ messages: [{ role: 'user', text }], tools: [] });
const say = (text: string): ModelReply => ({
  text,
  toolCalls: [],
  stopReason: 'end',
  usage: { inputTokens: 1, outputTokens: 1 },
  attempts: 1,
});
const recorded = (text: string) => ({ requestSha256: requestSha256(ask(text)), reply: say(`re: ${text}`) });
const base = { identity: 'openai/gpt-test', scripted: false };

test('answers in order and presents itself as the recorded model', async () => {
  const replay = createReplay({ ...base, calls: [recorded('one'), recorded('two')], name: 'replay/x' });
  expect([replay.name, replay.identity, replay.scripted]).toEqual(['replay/x', 'openai/gpt-test', false]);
  expect((await replay.complete(ask('one'))).text).toBe('re: one');
  expect(replay.remaining).toBe(1);
  expect((await replay.complete(ask('two'))).text).toBe('re: two');
});

test('a different request is refused with the number of the call, and uses up nothing', async () => {
  const replay = createReplay({ ...base, calls: [recorded('one'), recorded('two')] });
  await replay.complete(ask('one'));
  const error: unknown = await replay.complete(ask('other')).catch((caught: unknown) => caught);
  expect(error).toBeInstanceOf(ModelError);
  expect(error).toMatchObject({ code: 'replay-mismatch', message: expect.stringContaining('call 2 of 2') });
  expect((await replay.complete(ask('two'))).text).toBe('re: two');
});

test('at its end it fails, or goes on live', async () => {
  const short = createReplay({ ...base, calls: [recorded('one')] });
  await short.complete(ask('one'));
  await expect(short.complete(ask('two'))).rejects.toMatchObject({
    code: 'replay-mismatch',
    message: expect.stringContaining('call 2 was asked for'),
  });

  const asked: ModelRequest[] = [];
  const live: Model = {
    name: 'openai/gpt-test',
    ...base,
    complete: async (request) => {
      asked.push(request);
      return say('live');
    },
  };
  const resumed = createReplay({ ...base, calls: [recorded('one')], onMiss: live });
  expect((await resumed.complete(ask('one'))).text).toBe('re: one');
  expect(asked).toEqual([]);
  expect((await resumed.complete(ask('two'))).text).toBe('live');
  expect(asked).toEqual([ask('two')]);
});

test('a resumed run that differs in what was recorded does not go on live', async () => {
  const live: Model = { name: 'm', ...base, complete: async () => say('live') };
  const resumed = createReplay({ ...base, calls: [recorded('one')], onMiss: live });
  await expect(resumed.complete(ask('other'))).rejects.toMatchObject({ code: 'replay-mismatch' });
});

test('a recorded failure fails again', async () => {
  const error = new ModelError('timeout', 'openai/gpt-test', 'slow', 6);
  const replay = createReplay({ ...base, calls: [{ requestSha256: requestSha256(ask('one')), error }] });
  await expect(replay.complete(ask('one'))).rejects.toBe(error);
  expect(replay.remaining).toBe(0);
});

test('an aborted call is not answered', async () => {
  const replay = createReplay({ ...base, calls: [recorded('one')] });
  const signal = AbortSignal.abort();
  await expect(replay.complete({ ...ask('one'), signal })).rejects.toMatchObject({ code: 'aborted' });
  expect(replay.remaining).toBe(1);
});

test('goes on after the calls that a resumed run has on record', async () => {
  const recordedWith = { seed: 7, task: 'sine_approx' };
  const replay = createReplay({ ...base, calls: ['one', 'two', 'three'].map(recorded), recordedWith });
  expect(replay.recording).toMatchObject(recordedWith);
  replay.recording.skip(1);
  replay.recording.skip(1);
  expect(replay.remaining).toBe(1);
  expect((await replay.complete(ask('three'))).text).toBe('re: three');
  replay.recording.skip(1);
  expect(replay.remaining).toBe(0);
});
