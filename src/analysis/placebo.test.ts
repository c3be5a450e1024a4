import { array, assert, double, property } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LoadedRun } from '../trace/loaded-run.ts';
import { type JudgedAdoptions, finishAdoption, planAdoption } from './adoption.ts';
import type { AdoptionRule } from './adoption-rules.ts';
import { gestaltMatch } from './difflib.ts';
import { drawsOf, testPlacebo } from './placebo.ts';
import { program, runOf } from './test-runs.ts';
import { codeOf, growing, routine, seeds, START } from './test-synthetic.ts';

const RULES: readonly AdoptionRule[] = ['published', 'visible', 'provenance'];

function judge(runs: readonly LoadedRun[], rule: AdoptionRule): JudgedAdoptions {
  return finishAdoption(planAdoption(runs, rule), gestaltMatch);
}

/** In generation 4 each agent `a` writes what stands in every textbook; so does each `b`, a generation before. */
function convergingRuns(count: number): readonly LoadedRun[] {
  const textbook = `${START}${[1, 2, 3].map((n) => routine(n, 20)).join('\n')}`;
  return seeds(count, (seed) => [
    growing('a', seed, 6, (g) => (g === 4 ? textbook : undefined)),
    growing('b', seed + 50, 6, (g) => (g === 3 ? textbook : undefined)),
  ]);
}

/** In generation 4 each agent `a` takes the program that its own `b` had published. */
function adoptingRuns(count: number): readonly LoadedRun[] {
  return seeds(count, (seed) => {
    const b = growing('b', seed + 50, 6);
    return [growing('a', seed, 6, (g) => (g === 4 ? `${codeOf(b, 3)}\n${routine(seed, 3)}` : undefined)), b];
  });
}

describe.each(RULES)('the placebo test under rule %s', (rule) => {
  it('does not call two agents that converge alone adopters', () => {
    const { judged, placebo } = judge(convergingRuns(5), rule);
    const events = judged.filter(({ adoption }) => adoption);
    // The rule alone is deceived, every time ...
    expect(events).toHaveLength(5);
    // ... and chance would have given as many: strangers are as close.
    for (const { p } of events) expect(p?.adjusted).toBeGreaterThan(0.5);
    expect(placebo.expectedByChance).toBeCloseTo(5);
  });

  it('finds adopters where there are any', () => {
    const { judged, placebo } = judge(adoptingRuns(5), rule);
    const events = judged.filter(({ adoption }) => adoption);
    expect(events.map(({ judgement }) => [judgement.agent.name, judgement.generation.generation])).toEqual(
      Array.from({ length: 5 }, () => ['a', 4]),
    );
    expect(placebo).toMatchObject({ expectedByChance: 0, placeboAdoptions: 0, observed: 5 });
    for (const { p } of events) {
      expect(p?.p).toBe(1 / (placebo.n + 1));
      expect(p?.ownDraws).toBe(4);
      expect(p?.ownAsClose).toBe(0);
      expect(p?.adjusted).toBeGreaterThan(p?.p ?? 1);
      expect(p?.adjusted).toBeLessThan(0.1);
    }
  });

  it('has no p-values where there is no other run', () => {
    const { judged, placebo } = judge(adoptingRuns(1), rule);
    expect(placebo).toMatchObject({ n: 0, expectedByChance: null, observed: 1 });
    expect(judged.filter(({ p }) => p !== undefined)).toEqual([]);
  });
});

describe('drawsOf()', () => {
  const agent = (name: string, model?: string) => ({ name, ...(model && { model }), generations: [program(name, 0)] });
  const run = (id: string, fields: Partial<LoadedRun>, ...agents: ReturnType<typeof agent>[]) =>
    runOf(agents, { id, task: 't', ...fields });
  const question = (runs: readonly LoadedRun[]) => {
    const [first] = runs;
    const [asking, peer] = first?.agents ?? [];
    if (!first || !asking || !peer) throw new Error('the test needs a pair');
    return { run: first, agent: asking, peer };
  };
  const foreignOf = (runs: readonly LoadedRun[]) =>
    drawsOf([question(runs)], runs).draws.map(({ foreign }) => foreign.name);

  it('draws from other seeds, pairs and arms of the same task only', () => {
    const pair = (id: string, fields: Partial<LoadedRun>) => run(id, fields, agent('a'), agent('b'));
    const runs = [
      pair('one', { seed: 1, arm: 'paired' }),
      pair('the same run, found twice', { seed: 1, arm: 'paired' }),
      pair('other task', { seed: 2, task: 'other' }),
      run('other pair', { seed: 1 }, agent('c'), agent('d')),
      pair('other seed', { seed: 2 }),
      pair('other arm', { seed: 1, arm: 'sharing-off' }),
    ];
    expect(foreignOf(runs)).toEqual(['c', 'd', 'b', 'b']);
  });

  it("leaves agents of the asking one's own model out, unless its peer is of that model too", () => {
    const other = run('other', { seed: 2 }, agent('x', 'm1'), agent('y', 'm2'));
    expect(foreignOf([run('pair', { seed: 1 }, agent('a', 'm1'), agent('b', 'm2')), other])).toEqual(['y']);
    expect(foreignOf([run('same', { seed: 1 }, agent('a', 'm1'), agent('b', 'm1')), other])).toEqual(['x', 'y']);
  });

  it('samples by seed when there are more than were asked for, in order and always the same', () => {
    const runs = Array.from({ length: 200 }, (_, n) => run(`r${n}`, { seed: n }, agent('a'), agent(`b${n}`)));
    const draw = (seed: number) => drawsOf([question(runs)], runs, { maxDraws: 20, seed });
    expect(draw(1).possible).toBe(199);
    expect(draw(1).draws).toHaveLength(20);
    expect(draw(1)).toEqual(draw(1));
    expect(draw(2).draws).not.toEqual(draw(1).draws);
  });
});

describe('testPlacebo()', () => {
  const run = runOf([]);
  const asked = Array.from({ length: 3 }, (_, n) => ({
    run,
    agent: { name: `a${n}`, generations: [] },
    peer: { name: 'b', generations: [] },
  }));
  const [first, second] = asked;
  if (!first || !second) throw new Error('the test needs questions');

  it('adds one, pools the draws, and is never surer than the own draws allow', () => {
    const real = [
      { question: first, closeness: 5, adoption: true },
      { question: second, closeness: 5, adoption: true },
      { question: first, closeness: null, adoption: false },
    ];
    const placebo = [
      ...[1, 2, 3].map((closeness) => ({ question: first, closeness, adoption: false })),
      ...[6, 7].map((closeness) => ({ question: second, closeness, adoption: true })),
      { question: second, closeness: null, adoption: false },
    ];
    const { n, tested, pValues, expectedByChance } = testPlacebo(real, placebo);
    expect({ n, tested, expectedByChance }).toEqual({ n: 5, tested: 2, expectedByChance: 1 });
    // Two of five draws are as close; one of them leads its next by 1, none by as much as 5 - 3.
    expect(pValues.get(first)).toMatchObject({ p: 3 / 6, ownDraws: 3, ownAsClose: 0 });
    expect(pValues.get(second)).toMatchObject({ p: 1, ownDraws: 2, ownAsClose: 2 });
  });

  it('is not sure of what the only stranger to ask wrote too', () => {
    const real = [{ question: first, closeness: 9, adoption: true }];
    const far = Array.from({ length: 96 }, () => ({ question: { ...second }, closeness: 0, adoption: false }));
    expect(testPlacebo(real, far).pValues.get(first)?.p).toBe(1 / 97);
    const own = { question: first, closeness: 9, adoption: true };
    expect(testPlacebo(real, [...far, own]).pValues.get(first)?.p).toBe(1);
  });

  it('is not sure of the closest of many that are close', () => {
    const real = [{ question: first, closeness: 10, adoption: true }];
    const far = Array.from({ length: 96 }, (_, n) => ({
      question: asked[2] ?? first,
      closeness: n % 4,
      adoption: false,
    }));
    const near = [9.7, 9.8, 9.9].map((closeness) => ({ question: first, closeness, adoption: true }));
    expect(testPlacebo(real, far).pValues.get(first)?.p).toBe(1 / 97);
    const { p = 0 } = testPlacebo(real, [...far, ...near]).pValues.get(first) ?? {};
    expect(p).toBeGreaterThan(0.015);
  });

  it('gives p-values in (0, 1] that fall with closeness and grow with adjustment', () => {
    const values = array(double({ min: 0, max: 1, noNaN: true }), { minLength: 1, maxLength: 30 });
    assert(
      property(values, values, (real, placebo) => {
        const questions = real.map(() => ({ ...first }));
        const { pValues } = testPlacebo(
          questions.map((question, n) => ({ question, closeness: real[n] ?? 0, adoption: true })),
          placebo.map((closeness) => ({ question: second, closeness, adoption: false })),
        );
        const found = questions.map((question, n) => ({ closeness: real[n] ?? 0, ...pValues.get(question) }));
        for (const { p = 0, adjusted = 0 } of found) {
          expect(p).toBeGreaterThan(0);
          expect(adjusted).toBeGreaterThanOrEqual(p * (1 - 1e-12));
          expect(adjusted).toBeLessThanOrEqual(1);
        }
        const byCloseness = found.sort((x, y) => x.closeness - y.closeness).map(({ p = 0 }) => p);
        expect(byCloseness).toEqual([...byCloseness].sort((x, y) => y - x));
      }),
    );
  });
});
