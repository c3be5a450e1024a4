import { expect, it } from 'vitest';
import type { RunEvent } from '../experiment/progress.ts';
import { ProgressView } from './progress-view.ts';

const started: RunEvent = {
  type: 'run-started',
  run: 'a+b-s1-paired',
  dir: '/r',
  generations: 2,
  fromRound: 0,
  agents: [{ name: 'a', model: 'scripted/a', scripted: true }],
};
const done: RunEvent = {
  type: 'generation-done',
  run: 'a+b-s1-paired',
  agent: 'a',
  generation: 1,
  status: 'failed',
  score: 0,
  best: 0.5,
  tokens: 12,
  usd: 0,
  denials: 3,
  adoptions: 1,
  published: false,
  adopted: [{ peer: 'b', peerGeneration: 0, reuse: 0.5 }],
  reason: 'the program is invalid:\nboom\u001b[31m',
  timing: { total: 1, model: 0, sandbox: 0, guard: 0 },
};

function shown(interactive: boolean): string {
  let text = '';
  const view = new ProgressView({ out: () => {}, err: (more) => (text += more), interactive, columns: 80 });
  view.on(started);
  view.on(done);
  view.on({ type: 'run-ended', run: 'a+b-s1-paired', status: 'done' });
  return text;
}

it('without a terminal there is one plain line per generation, and no control characters of anybody', () => {
  const text = shown(false);
  expect(text).toMatch(
    /round 1\/2 {2}a {2}failed {2}score 0\.0000 {2}best 0\.5000 {2}tokens 12 {2}denials 3 {2}adoptions 1 {2}the program is invalid: boom/u,
  );
  expect(text).toContain("a took code from b's generation 0: 50 % of its new code");
  expect(text.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
});

it('on a terminal the table is erased by as many lines as it had', () => {
  const text = shown(true);
  expect(text).toContain('\u001b[3A\u001b[0J');
  expect(text.endsWith('a+b-s1-paired: done\n')).toBe(true);
});
