import type { Evidence } from '../trace/schema.ts';
import type { JudgedAdoption, JudgedAdoptions, PlaceboSummary } from './adoption.ts';
import { unreadIn } from './adoption-provenance.ts';
import { type Outcomes, outcomesOf } from './adoption-outcomes.ts';
import type { AdoptionRule } from './adoption-rules.ts';
import type { GestaltMatch } from './difflib.ts';
import type { Table } from './table.ts';

/** One adoption, as `analyze adoption --json` gives it. Distances are 1 - gestalt ratio, 0 .. 1. */
export interface AdoptionEvent {
  readonly agent: string;
  readonly peer: string;
  readonly generation: number;
  readonly peerGeneration: number | null;
  readonly dOwn: number;
  readonly dPeer: number | null;
  readonly share: number | null;
  readonly before: number | null;
  readonly after: number | null;
  readonly evidence?: Evidence;
  readonly reuse?: number;
  /** Empirical, from the placebo draws; absent where there are none. */
  readonly pValue?: number;
  /** Benjamini-Hochberg over all judgements. */
  readonly pAdjusted?: number;
  /** The event's own placebo draws: how many, and how many as close. */
  readonly placebo?: { readonly draws: number; readonly asClose: number };
}

export interface AdoptionPair extends AdoptionEvent {
  readonly previousGeneration: number;
  readonly adoption: boolean;
  readonly own: MatchCounts;
  readonly vsPeer: MatchCounts | null;
}

export type MatchCounts = Omit<GestaltMatch, 'ratio'>;

export interface AdoptionRunReport {
  readonly id: string;
  readonly pairing: string;
  readonly seed: number | null;
  readonly agents: readonly string[];
  readonly events: readonly AdoptionEvent[];
  readonly pairs?: readonly AdoptionPair[];
}

export interface AdoptionReport {
  readonly rule: AdoptionRule;
  readonly runs: readonly AdoptionRunReport[];
  readonly totals: { readonly runs: number } & Outcomes;
  readonly placebo: PlaceboSummary;
  /** Programs whose code was there and could not be read, and those made from them, which are not judged. */
  readonly unread: { readonly programs: number; readonly notJudged: number };
}

/** The document of `analyze adoption --json`, without what was skipped in reading. */
export function adoptionReport({ rule, runs, judged, placebo }: JudgedAdoptions, pairs: boolean): AdoptionReport {
  const events = judged.filter(({ adoption }) => adoption);
  return {
    rule,
    runs: runs.map((run) => {
      const own = judged.filter(({ judgement }) => judgement.run === run);
      return {
        id: run.id,
        pairing: run.pairing,
        seed: run.seed ?? null,
        agents: run.agents.map(({ name }) => name),
        events: own.filter(({ adoption }) => adoption).map(eventOf),
        ...(pairs ? { pairs: own.map(pairOf) } : {}),
      };
    }),
    totals: { runs: runs.length, ...outcomesOf(events) },
    placebo,
    unread: unreadIn(runs),
  };
}

function eventOf(one: JudgedAdoption): AdoptionEvent {
  const { judgement, dOwn, dPeer, share, before, after, evidence, reuse, p } = one;
  return {
    agent: judgement.agent.name,
    peer: judgement.peer.name,
    generation: judgement.generation.generation,
    peerGeneration: judgement.version?.generation ?? null,
    dOwn,
    dPeer,
    share,
    before,
    after,
    ...(evidence && { evidence }),
    ...(reuse !== undefined && { reuse }),
    ...(p && { pValue: p.p, pAdjusted: p.adjusted, placebo: { draws: p.ownDraws, asClose: p.ownAsClose } }),
  };
}

function pairOf(one: JudgedAdoption): AdoptionPair {
  return {
    ...eventOf(one),
    previousGeneration: one.judgement.previous.generation,
    adoption: one.adoption,
    own: countsOf(one.own),
    vsPeer: one.vsPeer && countsOf(one.vsPeer),
  };
}

function countsOf({ lenA, lenB, matched, blocks, popular }: GestaltMatch): MatchCounts {
  return { lenA, lenB, matched, blocks, popular };
}

/** One line for each adoption. */
export function adoptionTable({ rule, runs, totals, placebo, unread }: AdoptionReport): Table {
  return {
    columns: [
      'run',
      'adopter',
      'generation',
      'from',
      'peer generation',
      'd own',
      'd peer',
      'share',
      'before',
      'after',
      'evidence',
      'p',
      'p adjusted',
    ],
    rows: runs.flatMap(({ id, events }) =>
      events.map((event) => [
        id,
        event.agent,
        event.generation,
        event.peer,
        event.peerGeneration,
        event.dOwn,
        event.dPeer,
        event.share,
        event.before,
        event.after,
        evidenceText(event.evidence),
        event.pValue ?? null,
        event.pAdjusted ?? null,
      ]),
    ),
    notes: [
      RULE_NOTES[rule],
      `${totals.events} adoptions in ${totals.runs} ${totals.runs === 1 ? 'run' : 'runs'}: ${totals.improving} improving, ${totals.degrading} degrading, ${totals.neutral} neutral.`,
      placeboNote(placebo),
      ...(unread.programs === 0
        ? []
        : [
            `${unread.programs} programs could not be read; ${unread.notJudged} that were made from one of them are not judged.`,
          ]),
    ],
  };
}

const RULE_NOTES: Readonly<Record<AdoptionRule, string>> = {
  published:
    'Rule published: share = d peer / (d own + d peer) below 0.4, as hyperspace has it, its two known defects included (see the variants).',
  visible:
    'Rule visible: share below 0.4, against what the peer had published before; the own previous program is the last one with code.',
  provenance:
    "Rule provenance: at least a quarter of the novel code (in none of the agent's own past) is found in code of the peer that was visible; evidence similar < exposed < read < stated.",
};

/** What the placebo test says, in one or two sentences. */
export function placeboNote(placebo: PlaceboSummary): string {
  const { n, strangers, placeboAdoptions, tested, observed, expectedByChance, sampled } = placebo;
  if (expectedByChance === null) {
    return 'Placebo: no other run of the same task to draw strangers from, so no p-values; give several runs at once.';
  }
  const chosen = sampled ? ` (a sample of ${sampled.of}, seed ${sampled.seed})` : '';
  return (
    `Placebo: n = ${n} comparisons with programs of ${strangers} agents of other runs that the agent cannot have seen${chosen}, of which ${placeboAdoptions} would count as adoptions. ` +
    `Chance alone would give ${expectedByChance.toFixed(1)} of the ${observed} adoptions among ${tested} comparisons. p: empirical, one added, so never below 1/(n+1) = ${(1 / (n + 1)).toPrecision(2)}; p adjusted: Benjamini-Hochberg over all comparisons. Comparisons with programs of the same agent are not independent, so with few agents p is too small.`
  );
}

/** The level; where nobody could see what the agent opened, that is said too. */
function evidenceText(evidence: Evidence | undefined): string | null {
  if (evidence === undefined) return null;
  return evidence.readsObserved === false ? `${evidence.level}, reads unobservable` : evidence.level;
}
