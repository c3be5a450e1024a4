import { describe, expect, it } from 'vitest';
import { SkipLog } from '../trace/importers/skip-log.ts';
import type { LoadedAgent, LoadedRun } from '../trace/loaded-run.ts';
import type { AdoptionRow, ExposureRow } from '../trace/schema.ts';
import { defaultRule, finishAdoption, planAdoption } from './adoption.ts';
import { analyzeAdoption } from './adoption-diagnostic.ts';
import { directionsOf, outcomesOf } from './adoption-outcomes.ts';
import { provenanceQuestions, unreadIn } from './adoption-provenance.ts';
import { type AdoptionReport, adoptionReport, adoptionTable } from './adoption-report.ts';
import { type AdoptionRule, DISTANCE_RULES, judgementsOf } from './adoption-rules.ts';
import { gestaltMatch } from './difflib.ts';
import { bestThrough, publishedBefore, publishedBests } from './published-bests.ts';
import { program, runOf } from './test-runs.ts';
import { codeOf, growing, routine, START } from './test-synthetic.ts';

function reportOf(runs: readonly LoadedRun[], rule: AdoptionRule, options = {}): AdoptionReport {
  return adoptionReport(finishAdoption(planAdoption(runs, rule, options), gestaltMatch), true);
}
const eventsOf = (report: AdoptionReport): readonly string[] =>
  report.runs.flatMap(({ events }) =>
    events.map(({ agent, generation, peer, peerGeneration }) => `${agent}/${generation} < ${peer}/${peerGeneration}`),
  );

describe('the rules of adoption', () => {
  const b = growing('b', 2, 6);

  it('agree on code that was visible and new', () => {
    const a = growing('a', 1, 5, (g) => (g === 4 ? `${codeOf(b, 3)}\n${routine(9, 3)}` : undefined));
    const run = runOf([a, b]);
    expect(eventsOf(reportOf([run], 'visible'))).toEqual(['a/4 < b/3']);
    expect(eventsOf(reportOf([run], 'provenance'))).toEqual(['a/4 < b/3']);
    expect(eventsOf(reportOf([run], 'published'))).toEqual(['a/4 < b/4']);
  });

  it('differ on the same generation: published looks at what nobody could see', () => {
    const a = growing('a', 1, 5, (g) => (g === 4 ? codeOf(b, 4).replace(START, '') : undefined));
    const late = {
      ...b,
      generations: b.generations.map((one) => (one.generation === 4 ? one : { ...one, code: START })),
    };
    const run = runOf([a, late]);
    expect(eventsOf(reportOf([run], 'published'))).toContain('a/4 < b/4');
    expect(eventsOf(reportOf([run], 'visible'))).not.toContain('a/4 < b/3');
    expect(eventsOf(reportOf([run], 'provenance'))).toEqual([]);
  });

  it('differ after a generation without code: published never judges there', () => {
    const whole = growing('a', 1, 5, (g) => (g === 4 ? codeOf(b, 3) : undefined));
    const generations = whole.generations.map((one) =>
      one.generation === 3 ? program('a', 3, { valid: false }) : one,
    );
    const run = runOf([{ name: 'a', generations }, b]);
    expect(eventsOf(reportOf([run], 'published'))).toEqual([]);
    const { runs } = reportOf([run], 'visible');
    expect(runs[0]?.events).toMatchObject([{ agent: 'a', generation: 4, peerGeneration: 3, dPeer: 0, share: 0 }]);
    expect(runs[0]?.pairs?.find(({ agent, generation }) => agent === 'a' && generation === 4)).toMatchObject({
      previousGeneration: 2,
      before: 0.02,
      after: 0.04,
    });
  });

  it('judge each of several peers, and one agent alone not at all', () => {
    const c = growing('c', 3, 6);
    const a = growing('a', 1, 5, (g) => (g === 3 ? codeOf(c, 2) : undefined));
    expect(eventsOf(reportOf([runOf([a, b, c])], 'visible'))).toEqual(['a/3 < c/2']);
    expect(reportOf([runOf([a])], 'visible')).toMatchObject({
      totals: { events: 0, meanGain: null },
      runs: [{ pairs: [] }],
    });
  });

  it('give a pair without anything visible no share, and unchanged code equal to the peer none either', () => {
    const same: LoadedAgent = { name: 'a', generations: b.generations.map((one) => ({ ...one, code: START })) };
    const twin: LoadedAgent = { ...same, name: 'b' };
    const { runs, placebo } = reportOf([runOf([same, twin])], 'visible');
    const [first] = runs[0]?.pairs ?? [];
    expect(first).toMatchObject({ peerGeneration: null, dPeer: null, share: null, vsPeer: null, adoption: false });
    expect(runs[0]?.pairs?.[2]).toMatchObject({ dOwn: 0, dPeer: 0, share: null, adoption: false });
    expect(placebo.tested).toBe(0);
  });

  it('count a missing score -1 where published, and know it not elsewhere', () => {
    const a = growing('a', 1, 3);
    const scoreless = { ...a, generations: a.generations.map((one) => ({ ...one, scores: {} })) };
    const pairOf = (rule: AdoptionRule) => reportOf([runOf([scoreless, b])], rule).runs[0]?.pairs?.[0];
    expect(pairOf('published')).toMatchObject({ before: -1, after: -1 });
    expect(pairOf('visible')).toMatchObject({ before: null, after: null });
  });
});

describe('the records of a run of ours', () => {
  const b = growing('b', 2, 6);
  const a = growing('a', 1, 5, (g) => (g === 4 ? `${codeOf(b, 3)}\n${routine(9, 3)}` : undefined));
  const run = runOf([a, b], { format: 'native' });
  const exposure: ExposureRow = {
    id: 'e1',
    agent: 'a',
    round: 4,
    peer: 'b',
    peerGeneration: 3,
    file: 'strategies/b_gen3/task_agent.ts',
    sha256: '',
  };
  const row: AdoptionRow = {
    id: 'a/4<b/3',
    agent: 'a',
    generation: 4,
    peer: 'b',
    peerGeneration: 3,
    evidence: {
      level: 'stated',
      exposures: ['e1'],
      reads: ['r1'],
      statement: { call: 'a/4/2', text: 'taking from b' },
    },
    reuse: 0.9,
    reuseDetail: { lines: 0.9, tokens: 0.8, novelLines: 30, novelTokens: 300, longestRun: 200 },
    share: 0.1,
    before: 0.03,
    after: 0.04,
  };

  it('are what the provenance rule reports, with the evidence ladder', () => {
    const records = new Map([[run, { adoptions: [row], exposures: [exposure] }]]);
    const report = reportOf([run], 'provenance', { records });
    expect(report.runs[0]?.events).toMatchObject([
      {
        agent: 'a',
        generation: 4,
        peer: 'b',
        peerGeneration: 3,
        evidence: row.evidence,
        reuse: 0.9,
        before: 0.03,
        after: 0.04,
      },
    ]);
    expect(report.runs[0]?.events[0]?.dPeer).toBeLessThan(0.3);
  });

  it('say what was visible: without an exposure nothing was', () => {
    const records = new Map([[run, { adoptions: [], exposures: [] }]]);
    expect(eventsOf(reportOf([run], 'provenance', { records }))).toEqual([]);
  });

  it('decide which rule is meant where none is named', () => {
    expect(defaultRule([run])).toBe('provenance');
    expect(defaultRule([run, runOf([a, b])])).toBe('visible');
    expect(defaultRule([])).toBe('visible');
  });

  it('that are not there are noted, and the run is judged by its code', async () => {
    const skips = new SkipLog();
    const { json } = await analyzeAdoption([run], { skips });
    expect(json).toMatchObject({ rule: 'provenance', totals: { events: 1 } });
    expect(skips.named.map(({ path }) => path)).toEqual(['run/trace/adoptions.jsonl', 'run/trace/exposures.jsonl']);
  });

  it('cannot be asked for by a rule that there is not', async () => {
    await expect(analyzeAdoption([run], { rule: 'guess', skips: new SkipLog() })).rejects.toThrow(
      'there is no adoption rule "guess"; there are: published, visible, provenance',
    );
  });
});

describe('published bests', () => {
  const scored = (...scores: readonly (number | undefined)[]): LoadedAgent => ({
    name: 'p',
    generations: scores.map((score, g) => program('p', g, { code: `${g}`, ...(score !== undefined && { score }) })),
  });

  it('are strict improvements above 0, or what the trace says', () => {
    const agent = scored(0, -1, 0.3, 0.3, undefined, 0.2, 0.5);
    expect(publishedBests(agent).map(({ generation }) => generation)).toEqual([2, 6]);
    expect(publishedBefore(agent, 6)?.generation).toBe(2);
    expect(publishedBefore(agent, 2)).toBeUndefined();
    const said = {
      ...agent,
      generations: agent.generations.map((one) => ({ ...one, published: one.generation === 3 })),
    };
    expect(publishedBests(said).map(({ generation }) => generation)).toEqual([3]);
  });

  it('differ from what the published rule looks at: the first maximum above -1 up to the same generation', () => {
    expect(bestThrough(scored(0, 0.4, 0.4), 2)?.generation).toBe(1);
    expect(bestThrough(scored(0, 0.4, 0.5), 1)?.generation).toBe(1);
    expect(bestThrough(scored(undefined, -1), 1)).toBeUndefined();
  });
});

describe('outcomes', () => {
  const effects = [
    { before: 0.2, after: 0.5 },
    { before: 0.2, after: 0.3 },
    { before: 0.5, after: 0.4 },
    { before: 0.5, after: 0.5 },
    { before: null, after: 0.5 },
  ];

  it('are improving, degrading or neutral, with the mean of each', () => {
    const { meanGain, meanLoss, ...counts } = outcomesOf(effects);
    expect(counts).toEqual({ events: 5, improving: 2, degrading: 1, neutral: 2 });
    expect(meanGain).toBeCloseTo(0.2);
    expect(meanLoss).toBeCloseTo(-0.1);
    expect(outcomesOf([])).toMatchObject({ meanGain: null, meanLoss: null });
  });

  it('go by direction, those without events included', () => {
    const place = { task: 't', pairing: 'p', agent: 'a', peer: 'b' };
    const reverse = { task: 't', pairing: 'p', agent: 'b', peer: 'a' };
    const directions = directionsOf(
      effects.map((effect) => ({ ...effect, ...place })),
      [place, reverse, { ...place, task: 'another' }],
    );
    expect(directions).toMatchObject([
      { ...place, events: 5 },
      { ...reverse, events: 0 },
      { ...place, task: 'another', events: 0 },
    ]);
  });
});

describe('code that was there and could not be read', () => {
  const at = (agent: string, generation: number, code?: string) =>
    program(agent, generation, {
      score: generation / 10,
      ...(code === undefined ? { unread: true as const } : { code }),
    });
  const lost = {
    name: 'a',
    generations: [at('a', 0, routine(1)), at('a', 1), at('a', 2, routine(3)), at('a', 3, routine(4))],
  };
  const { unread: _, ...none } = at('a', 1);
  const invalid = {
    ...lost,
    generations: lost.generations.map((one, n) => (n === 1 ? { ...none, valid: false } : one)),
  };
  const b = {
    name: 'b',
    generations: [at('b', 0, routine(5)), at('b', 1, routine(6)), at('b', 2), at('b', 3, routine(7))],
  };
  const judged = (agent: typeof lost) =>
    judgementsOf(runOf([agent, b]), DISTANCE_RULES.visible)
      .filter((one) => one.agent === agent)
      .map(({ generation, previous, version }) => [generation.generation, previous.generation, version?.generation]);

  it('is no generation without code: what was made from it is not judged, and a peer that showed it showed nothing known', () => {
    expect(judged(lost)).toEqual([[3, 2, undefined]]);
    expect(judged(invalid)).toEqual([
      [2, 0, 1],
      [3, 2, undefined],
    ]);
    expect(provenanceQuestions(runOf([lost, b])).filter(({ agent }) => agent === lost)).toHaveLength(1);
  });

  it('is counted', () => {
    expect(unreadIn([runOf([lost, b])])).toEqual({ programs: 2, notJudged: 2 });
    const report = adoptionReport(finishAdoption(planAdoption([runOf([lost, b])], 'visible'), gestaltMatch), false);
    expect(adoptionTable(report).notes.at(-1)).toContain('2 programs could not be read; 2 that were made');
  });
});
