import { expect, test } from 'vitest';
import type { Standing } from '../../mcp/participant.ts';
import { followStanding } from './follow-standing.ts';

const standingIn = (phase: 'starting' | 'open'): Standing => ({
  agent: 'me',
  run: {
    id: 'r1',
    experiment: 'x',
    task: 't',
    round: 1,
    generations: 2,
    phase,
    closesAt: null,
    waitingFor: [],
  },
  best: null,
  published: null,
  peers: [],
  budget: { roundsLeft: 2, wallMinutesLeft: null, toolCallsLeft: null },
  denials: 0,
  toolCalls: 0,
  readsObserved: false,
});

test('a round that opened before anybody listened is told all the same, once', async () => {
  let asked = 0;
  const client = {
    standing: () => {
      asked += 1;
      return Promise.resolve(standingIn('open'));
    },
    onChange: () => () => undefined,
  };
  const told: (string | undefined)[] = [];
  followStanding(client, standingIn('starting'), ({ run }) => told.push(run?.phase));
  await new Promise((resolve) => setImmediate(resolve));
  expect(told).toEqual(['open']);
  expect(asked).toBe(1);
});

test('what it tells of is news; a change that it is told of while it asks is asked about again', async () => {
  const standings = [standingIn('starting'), standingIn('starting'), standingIn('open'), standingIn('open')];
  let tell = (): void => undefined;
  const client = {
    standing: async () => {
      await Promise.resolve();
      if (standings.length === 4) tell();
      return standings.shift() ?? standingIn('open');
    },
    onChange: (listener: () => void) => {
      tell = listener;
      return () => undefined;
    },
  };
  const told: (string | undefined)[] = [];
  followStanding(client, standingIn('starting'), ({ run }) => told.push(run?.phase));
  await new Promise((resolve) => setImmediate(resolve));
  expect(told).toEqual([]);
  expect(standings).toHaveLength(2);
  tell();
  await new Promise((resolve) => setImmediate(resolve));
  tell();
  await new Promise((resolve) => setImmediate(resolve));
  expect(told).toEqual(['open']);
  expect(standings).toHaveLength(0);
});

test.each([0, 1, 2, 3, 4, 5, 6])('nothing is missed that comes %i turns after an answer', async (turns) => {
  let phase: 'starting' | 'open' = 'starting';
  let tell = (): void => undefined;
  const client = {
    standing: () => {
      const answer = Promise.resolve(standingIn(phase));
      let later = answer.then(() => undefined);
      for (let n = 0; n < turns; n += 1) later = later.then(() => undefined);
      void later.then(() => {
        if (phase === 'open') return;
        phase = 'open';
        tell();
      });
      return answer;
    },
    onChange: (listener: () => void) => {
      tell = listener;
      return () => undefined;
    },
  };
  const told: (string | undefined)[] = [];
  followStanding(client, standingIn('starting'), ({ run }) => told.push(run?.phase));
  await new Promise((resolve) => setImmediate(resolve));
  expect(told).toEqual(['open']);
});
