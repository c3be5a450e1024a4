import type { LoadedRun } from '../trace/loaded-run.ts';
import {
  type Compare,
  comparisonsOf,
  DISTANCE_RULES,
  type DistanceRule,
  judgementsOf,
  type Verdict,
  verdictOf,
} from './adoption-rules.ts';
import type { Table } from './table.ts';

/** The published rule, each of its defects mended alone, and both. */
export const RULE_VARIANTS: readonly { readonly name: string; readonly rule: DistanceRule }[] = [
  { name: 'published', rule: DISTANCE_RULES.published },
  { name: 'published, only what was visible', rule: { peer: 'published-before', previous: 'preceding' } },
  {
    name: 'published, after invalid generations too',
    rule: { peer: 'through-generation', previous: 'last-with-code' },
  },
  { name: 'visible', rule: DISTANCE_RULES.visible },
];

/** What one variant of the rule finds, and how that differs from the published rule's events. */
export interface VariantResult {
  readonly name: string;
  readonly judged: number;
  readonly events: readonly Verdict[];
  /** Events of the published rule that this one does not have, and the reverse. */
  readonly lost: readonly Verdict[];
  readonly gained: readonly Verdict[];
}

export interface DefectReport {
  readonly variants: readonly VariantResult[];
  /** Generations that the published rule never judges because they follow one without code, judged by its other half. */
  readonly skippedAfterInvalid: readonly Verdict[];
}

/** The pairs of texts that `compareVariants` compares: for a pool of threads to compare them before. */
export function variantComparisons(runs: readonly LoadedRun[]): readonly (readonly [a: string, b: string])[] {
  return RULE_VARIANTS.flatMap(({ rule }) => comparisonsOf(runs.flatMap((run) => judgementsOf(run, rule))));
}

/** What the two known defects of the published rule change, side by side. */
export function compareVariants(runs: readonly LoadedRun[], compare: Compare): DefectReport {
  const judged = RULE_VARIANTS.map(({ name, rule }) => ({
    name,
    verdicts: runs.flatMap((run) => judgementsOf(run, rule)).map((judgement) => verdictOf(judgement, compare)),
  }));
  const published = eventsByKey(judged[0]?.verdicts ?? []);
  const variants = judged.map(({ name, verdicts }) => {
    const events = eventsByKey(verdicts);
    return {
      name,
      judged: verdicts.filter(({ share }) => share !== null).length,
      events: [...events.values()],
      lost: [...published].filter(([key]) => !events.has(key)).map(([, verdict]) => verdict),
      gained: [...events].filter(([key]) => !published.has(key)).map(([, verdict]) => verdict),
    };
  });
  const known = new Set((judged[0]?.verdicts ?? []).map(keyOf));
  const skippedAfterInvalid = (judged[2]?.verdicts ?? []).filter((verdict) => !known.has(keyOf(verdict)));
  return { variants, skippedAfterInvalid };
}

function eventsByKey(verdicts: readonly Verdict[]): ReadonlyMap<string, Verdict> {
  return new Map(verdicts.filter(({ adoption }) => adoption).map((verdict) => [keyOf(verdict), verdict]));
}

function keyOf({ judgement: { run, agent, peer, generation } }: Verdict): string {
  return JSON.stringify([run.id, agent.name, peer.name, generation.id]);
}

export function variantTable({ variants }: DefectReport): Table {
  return {
    columns: ['rule', 'judged', 'events', 'as published', 'lost', 'gained'],
    rows: variants.map(({ name, judged, events, lost, gained }) => [
      name,
      judged,
      events.length,
      events.length - gained.length,
      lost.length,
      gained.length,
    ]),
    notes: [
      "The published rule compares with the peer's best up to and including the same generation, which the agent could not see, and never judges a generation whose preceding one has no code. Each is mended alone, then both (rule visible).",
    ],
  };
}

export function changedEventsTable({ variants }: DefectReport): Table {
  const rows = variants.flatMap(({ name, lost, gained }) => [
    ...lost.map((verdict) => changeRow(name, 'lost', verdict)),
    ...gained.map((verdict) => changeRow(name, 'gained', verdict)),
  ]);
  return {
    columns: ['rule', 'change', 'run', 'agent', 'peer', 'generation', 'peer generation', 'share'],
    rows,
    notes: ['peer generation and share: by the published rule for a lost event, by the rule named for a gained one.'],
  };
}

function changeRow(name: string, change: string, { judgement, share }: Verdict): Table['rows'][number] {
  const { run, agent, peer, generation, version } = judgement;
  return [name, change, run.id, agent.name, peer.name, generation.generation, version?.generation ?? null, share];
}

export function skippedAfterInvalidTable({ skippedAfterInvalid }: DefectReport): Table {
  return {
    columns: [
      'run',
      'agent',
      'peer',
      'generation',
      'last with code',
      'd own',
      'd peer',
      'share',
      'before',
      'after',
      'adoption',
    ],
    rows: skippedAfterInvalid.map(({ judgement, dOwn, dPeer, share, adoption }) => [
      judgement.run.id,
      judgement.agent.name,
      judgement.peer.name,
      judgement.generation.generation,
      judgement.previous.generation,
      dOwn,
      dPeer,
      share,
      judgement.previous.scores.validation ?? null,
      judgement.generation.scores.validation ?? null,
      adoption,
    ]),
    notes: ['Generations the published rule leaves out because the one before has no code, by the same statistic.'],
  };
}
