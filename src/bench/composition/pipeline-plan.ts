import type { Grant } from '../../guard/grants.ts';
import type { Manifest } from '../../guard/manifest.ts';
import type { AgentName, MarkKind, ScopeName } from '../../space/marks.ts';
import { defineScope, parseAgentName, parseScopeName, type ScopeDefinition } from '../../space/scope.ts';
import type { WatchPattern } from '../../space/watch.ts';

export const STAGES = ['sensor', 'filter', 'aggregator', 'alerter', 'actor'] as const;
export type Stage = (typeof STAGES)[number];

/** Agents of each stage. */
export const WIDTHS: Readonly<Record<Stage, number>> = { sensor: 8, filter: 6, aggregator: 4, alerter: 3, actor: 3 };

/** What the agents of a stage write, and where; those of the next one listen to it. */
export const OUTPUTS: Readonly<Record<Stage, { readonly kind: MarkKind; readonly scope: ScopeName }>> = {
  sensor: { kind: 'observation', scope: parseScopeName('readings') },
  filter: { kind: 'observation', scope: parseScopeName('filtered') },
  aggregator: { kind: 'observation', scope: parseScopeName('summaries') },
  alerter: { kind: 'warning', scope: parseScopeName('alerts') },
  actor: { kind: 'action', scope: parseScopeName('responses') },
};

/** Where an aggregator that was swapped in with more rights writes as well. */
export const AUDIT = parseScopeName('audit');

export const PIPELINE_SCOPES: readonly ScopeDefinition[] = [...STAGES.map((stage) => OUTPUTS[stage].scope), AUDIT].map(
  (name) => defineScope({ name, observationTopics: ['*'], warningTopics: ['*'] }),
);

/** One agent of the pipeline. */
export interface Member {
  readonly name: AgentName;
  readonly stage: Stage;
  /** Its place in its stage; who takes a place over has the same. */
  readonly place: number;
  /** How many held the place before. */
  readonly generation: number;
  readonly audits: boolean;
}

/** An agent that takes another's place in the middle of the run. */
export interface Swap {
  readonly tick: number;
  readonly stage: Stage;
  readonly place: number;
  /** It comes when the stage before has written and the one it replaces has not read: that one's unread marks are nobody's. */
  readonly midway: boolean;
  readonly audits: boolean;
}

/** Four swaps, at these shares of the run: one midway, two of different stages at once, one with more rights. */
export function planSwaps(ticks: number): readonly Swap[] {
  const at = (share: number): number => Math.floor(ticks * share);
  return [
    { tick: at(0.35), stage: 'filter', place: 1, midway: true, audits: false },
    { tick: at(0.5), stage: 'filter', place: 0, midway: false, audits: false },
    { tick: at(0.5), stage: 'alerter', place: 0, midway: false, audits: false },
    { tick: at(0.7), stage: 'aggregator', place: 0, midway: false, audits: true },
  ];
}

/** The stage that a stage listens to. */
export function sourceOf(stage: Stage): Stage | undefined {
  return STAGES[STAGES.indexOf(stage) - 1];
}

export function memberAt(stage: Stage, place: number, generation: number, audits: boolean): Member {
  return { name: parseAgentName(`${stage}-${place}.${generation}`), stage, place, generation, audits };
}

export function patternOf(stage: Stage): WatchPattern | undefined {
  const source = sourceOf(stage);
  return source === undefined ? undefined : OUTPUTS[source];
}

export function manifestOf({ name, stage, audits }: Member): Manifest {
  const pattern = patternOf(stage);
  return {
    agent: name,
    inputs: pattern === undefined ? [] : [pattern],
    outputs: [OUTPUTS[stage], ...(audits ? [{ kind: 'observation', scope: AUDIT } as const] : [])],
  };
}

export function grantOf({ name, stage, audits }: Member): Grant {
  const { kind, scope } = OUTPUTS[stage];
  return {
    agent: name,
    read: [],
    write: [
      { kind, scope },
      ...(kind === 'action' ? [{ kind: 'intent', scope } as const] : []),
      ...(audits ? [{ kind: 'observation', scope: AUDIT } as const] : []),
    ],
  };
}
