import { expect, it } from 'vitest';
import { parseConfig } from './config.ts';
import { planRuns } from './run-plan.ts';

const config = parseConfig(
  {
    name: 'x',
    task: 't',
    agents: [
      { name: 'a', model: 'scripted/x' },
      { name: 'b', model: 'scripted/y' },
    ],
    seeds: [1, 2],
    arms: ['paired', 'solo', 'sharing-off'],
  },
  'x',
);

it('planRuns() lists arms as configured, then seeds; a solo arm has a run per agent', () => {
  expect(planRuns(config).map(({ id }) => id)).toEqual([
    'a+b-s1-paired',
    'a+b-s2-paired',
    'a-s1-solo',
    'b-s1-solo',
    'a-s2-solo',
    'b-s2-solo',
    'a+b-s1-sharing-off',
    'a+b-s2-sharing-off',
  ]);
});

it('planRuns() shares strategies in the paired arm alone', () => {
  expect(
    new Set(
      planRuns(config)
        .filter(({ sharing }) => sharing)
        .map(({ arm }) => arm),
    ),
  ).toEqual(new Set(['paired']));
});
