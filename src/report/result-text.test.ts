import { describe, expect, it } from 'vitest';
import type { RunSummary } from '../trace/run-folder.ts';
import { resultText } from './result-text.ts';

const agent = (name: string, validation: number, scripted = true): RunSummary['agents'][number] => ({
  name,
  model: `scripted/${name}`,
  scripted,
  generations: 3,
  invalid: 1,
  best: { generation: 2, train: 0.5, validation, test: null },
  adoptions: 1,
  denials: 0,
  tokens: 10,
  usd: 0,
});
const run = (arm: string, agents: RunSummary['agents'], adoptions: RunSummary['adoptions'] = []): RunSummary => ({
  dir: `/r/${arm}`,
  task: 't',
  seed: 7,
  arm,
  status: 'done',
  agents,
  adoptions,
});
const adoption: RunSummary['adoptions'][number] = {
  agent: 'a',
  generation: 2,
  peer: 'b',
  peerGeneration: 1,
  evidence: { level: 'read', exposures: ['e'], reads: ['r'] },
  reuse: 0.934,
  share: 0.1,
  before: 0.5,
  after: 0.4,
};
const text = (runs: readonly RunSummary[], publicSecret = false): string =>
  resultText({ experiment: 'x', wallMs: 1234, runs }, { dir: '/r', publicSecret });

describe('resultText()', () => {
  const pair = run('paired', [agent('a', 0.8), agent('b', 0.7)], [adoption]);

  it('says who took what from whom, on what evidence, and what it did to the score', () => {
    expect(text([pair])).toMatch(/s7-paired +a +2 +b gen 1 +93 % +read +0\.5000 +0\.4000 +-0\.1000/u);
  });

  it('sets the pair beside each agent alone, for the same seed', () => {
    const alone = [run('solo', [agent('a', 0.6)]), run('solo', [agent('b', 0.75)])];
    expect(text([pair, ...alone])).toContain(
      'the pair reached 0.8000; alone, in as many generations: a 0.6000, b 0.7500 (pairing +0.0500)',
    );
    expect(text([pair])).not.toContain('alone, in as many');
  });

  it('calls scripted models scripted, and only them', () => {
    expect(text([pair])).toContain('SCRIPTED');
    expect(text([run('paired', [agent('a', 1, false), agent('b', 1, false)])])).not.toContain('SCRIPTED');
  });

  it('says why a run stopped, that nobody adopted anything, and that a secret is public', () => {
    const stopped: RunSummary = { ...pair, adoptions: [], status: 'stopped: budget of 3 calls is used up (3 made)' };
    expect(text([stopped])).toContain('stopped: budget of 3 calls');
    expect(text([stopped])).toContain('Nobody adopted anything');
    expect(text([stopped], true)).toContain('public secret');
  });

  it('fits a terminal of 120 columns', () => {
    expect(
      Math.max(
        ...text([pair], true)
          .split('\n')
          .map((line) => line.length),
      ),
    ).toBeLessThanOrEqual(120);
  });
});
