import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { SkipLog } from '../trace/importers/skip-log.ts';
import type { LoadedRun } from '../trace/loaded-run.ts';
import { finishAdoption, planAdoption } from './adoption.ts';
import { compareVariants } from './adoption-defects.ts';
import { analyzeAdoption, analyzeOutcomes, analyzeProvenance } from './adoption-diagnostic.ts';
import { type AdoptionPair, type AdoptionReport, adoptionReport } from './adoption-report.ts';
import { gestaltMatch } from './difflib.ts';
import type { GenerationProvenance } from './provenance-shares.ts';
import { hasCode } from './published-bests.ts';
import { archivedRuns, HAS_ARCHIVES, SHARED } from './test-runs.ts';

if (!HAS_ARCHIVES) console.info('SKIPPED: adoption in the published runs, because ../shared/data is not there');

interface TrueCounts {
  len_a: number;
  len_b: number;
  matched: number;
  blocks: number;
  popular: number;
}
interface TruePair {
  agent: string;
  peer: string;
  gen: number;
  prev_gen: number;
  peer_best_gen: number;
  d_own: number;
  d_peer: number;
  ratio: number;
  score_before: number;
  score_after: number;
  adoption: boolean;
  own: TrueCounts;
  vs_peer: TrueCounts;
  visible_only: { peer_best_gen: number | null; d_peer: number | null; ratio: number | null; adoption: boolean };
}
interface TrueEvent {
  agent: string;
  peer: string;
  gen: number;
  ratio: number;
}
interface Truth {
  runs: { pairing: string; seed: string; agents: string[]; pairs: TruePair[]; adoptions: TrueEvent[] }[];
  skipped_after_invalid: {
    pairing: string;
    seed: string;
    agent: string;
    gen: number;
    last_valid_gen: number;
    d_own: number;
    d_peer: number;
    ratio: number;
    score_before: number;
    score_after: number;
  }[];
}

describe.skipIf(!HAS_ARCHIVES)('adoption in the published runs (skipped without ../shared)', () => {
  let runs: readonly LoadedRun[];
  let truth: Truth;
  beforeAll(async () => {
    runs = await archivedRuns('hyperspace-4runs');
    truth = JSON.parse(readFileSync(join(SHARED, 'hyperspace-4runs.truth.json'), 'utf8'));
  });

  const reportOf = (rule: 'published' | 'visible'): AdoptionReport =>
    adoptionReport(finishAdoption(planAdoption(runs, rule, { maxDraws: 0 }), gestaltMatch), true);
  const pairsOf = (report: AdoptionReport, run: Truth['runs'][number]): readonly AdoptionPair[] =>
    report.runs.find(({ id }) => id === `${run.pairing}/${run.seed}`)?.pairs ?? [];
  const counts = ({ len_a: lenA, len_b: lenB, matched, blocks, popular }: TrueCounts) => ({
    lenA,
    lenB,
    matched,
    blocks,
    popular,
  });

  it('has every integer and float of the 181 pairs under rule published, and its events', () => {
    const report = reportOf('published');
    let compared = 0;
    for (const run of truth.runs) {
      const pairs = pairsOf(report, run);
      expect(pairs).toEqual(
        run.pairs.map((pair) => ({
          agent: pair.agent,
          peer: pair.peer,
          generation: pair.gen,
          previousGeneration: pair.prev_gen,
          peerGeneration: pair.peer_best_gen,
          dOwn: pair.d_own,
          dPeer: pair.d_peer,
          share: pair.ratio,
          before: pair.score_before,
          after: pair.score_after,
          adoption: pair.adoption,
          own: counts(pair.own),
          vsPeer: counts(pair.vs_peer),
        })),
      );
      compared += pairs.length;
      const events = report.runs.find(({ id }) => id === `${run.pairing}/${run.seed}`)?.events;
      const ours = events?.map((event) => [event.agent, event.peer, event.generation, event.share].join());
      expect(new Set(ours)).toEqual(
        new Set(run.adoptions.map((event) => [event.agent, event.peer, event.gen, event.ratio].join())),
      );
    }
    expect(compared).toBe(181);
    expect(report.totals).toMatchObject({ runs: 4, events: 9 });
  });

  it('has every float of the 181 pairs under rule visible', () => {
    const report = reportOf('visible');
    let compared = 0;
    for (const run of truth.runs) {
      const pairs = pairsOf(report, run);
      for (const pair of run.pairs) {
        const ours = pairs.find(({ agent, generation }) => agent === pair.agent && generation === pair.gen);
        const { peer_best_gen, d_peer, ratio, adoption } = pair.visible_only;
        expect(ours).toMatchObject({
          previousGeneration: pair.prev_gen,
          peerGeneration: peer_best_gen,
          dOwn: pair.d_own,
          dPeer: d_peer,
          share: ratio,
          adoption,
          own: counts(pair.own),
        });
        compared++;
      }
    }
    expect(compared).toBe(181);
  });

  it('shows the eight generations that the published rule never judges', () => {
    const { skippedAfterInvalid, variants } = compareVariants(runs, gestaltMatch);
    const key = (run: string, agent: string, generation: number) => `${run} ${agent} ${generation}`;
    const ours = new Map(
      skippedAfterInvalid.map((verdict) => [
        key(verdict.judgement.run.id, verdict.judgement.agent.name, verdict.judgement.generation.generation),
        verdict,
      ]),
    );
    expect(ours.size).toBe(8);
    for (const row of truth.skipped_after_invalid) {
      const verdict = ours.get(key(`${row.pairing}/${row.seed}`, row.agent, row.gen));
      expect(verdict).toMatchObject({ dOwn: row.d_own, dPeer: row.d_peer, share: row.ratio });
      expect(verdict?.judgement.previous.generation).toBe(row.last_valid_gen);
      expect(verdict?.judgement.previous.scores.validation).toBe(row.score_before);
    }
    expect(variants.map(({ events }) => events.length)).toEqual([9, 10, 10, 11]);
  });

  it('counts what each defect changes, and what strangers would have given', async () => {
    const { json, tables } = await analyzeAdoption(runs, { rule: 'visible', skips: new SkipLog(), threads: 1 });
    expect(json).toMatchObject({
      rule: 'visible',
      totals: { runs: 4, events: 11, improving: 8, degrading: 1, neutral: 2 },
      placebo: { n: 654, strangers: 8, placeboAdoptions: 0, tested: 165, observed: 11, expectedByChance: 0 },
      variants: [
        { rule: 'published', judged: 181, events: 9, lost: 0, gained: 0 },
        { rule: 'published, only what was visible', judged: 157, events: 10, lost: 0, gained: 1 },
        { rule: 'published, after invalid generations too', judged: 189, events: 10, lost: 0, gained: 1 },
        { rule: 'visible', judged: 165, events: 11, lost: 0, gained: 2 },
      ],
    });
    for (const { table } of tables) for (const row of table.rows) expect(row).toHaveLength(table.columns.length);
  });

  it('finds by provenance what the distances call adoption only where the code was new to the adopter', async () => {
    const { json } = await analyzeAdoption(runs, { rule: 'provenance', skips: new SkipLog(), threads: 1 });
    expect(json).toMatchObject({ totals: { events: 11 }, placebo: { placeboAdoptions: 0, expectedByChance: 0 } });
  });

  it('attributes every line that counts, in every program, to one origin', async () => {
    const { json } = await analyzeProvenance(runs, { skips: new SkipLog() });
    const generations = json['generations'] as readonly GenerationProvenance[];
    expect(generations).toHaveLength(
      runs.flatMap(({ agents }) => agents.flatMap((one) => one.generations.filter(hasCode))).length,
    );
    for (const { shares, counted } of generations) {
      expect(counted).toBeGreaterThan(10);
      expect(shares.own + shares.peer + shares.initial + shares.common).toBeCloseTo(1);
    }
  });

  it('gives the outcomes of the published rule', async () => {
    const { json } = await analyzeOutcomes(runs, { rule: 'published', skips: new SkipLog(), threads: 1 });
    const totals = { runs: 4, events: 9, improving: 7, degrading: 0, neutral: 2, meanLoss: null };
    expect(json).toMatchObject({ rule: 'published', totals });
  });
});
