import { mean } from './statistics/median.ts';
import type { Table } from './table.ts';

/** Validation scores before and after something was taken; null where there is none. */
export interface Effect {
  readonly before: number | null;
  readonly after: number | null;
}

/** @see hyperspace `analysis_output.txt`, "Adoption outcomes" */
export interface Outcomes {
  readonly events: number;
  readonly improving: number;
  readonly degrading: number;
  /** The score is the same, or one of the two is not known. */
  readonly neutral: number;
  /** Mean of after - before over the improving events, and over the degrading ones (negative); null without any. */
  readonly meanGain: number | null;
  readonly meanLoss: number | null;
}

/** What adoptions did to the score. */
export function outcomesOf(effects: readonly Effect[]): Outcomes {
  const differences = effects.map(({ before, after }) => (before === null || after === null ? 0 : after - before));
  const gains = differences.filter((difference) => difference > 0);
  const losses = differences.filter((difference) => difference < 0);
  return {
    events: effects.length,
    improving: gains.length,
    degrading: losses.length,
    neutral: effects.length - gains.length - losses.length,
    meanGain: mean(gains) ?? null,
    meanLoss: mean(losses) ?? null,
  };
}

/** An event where it happened. */
export interface PlacedEffect extends Effect {
  /** Null where the run does not say. */
  readonly task: string | null;
  readonly pairing: string;
  readonly agent: string;
  readonly peer: string;
}

/** Outcomes of the events that share a place. */
export interface PlacedOutcomes extends Outcomes {
  readonly task: string | null;
  readonly pairing: string;
  readonly agent: string;
  readonly peer: string;
}

/** Who took from whom, by task and pairing, with what effect; directions without events included where `possible` names them. */
export function directionsOf(
  effects: readonly PlacedEffect[],
  possible: readonly Omit<PlacedEffect, keyof Effect>[] = [],
): readonly PlacedOutcomes[] {
  type Place = Omit<PlacedEffect, keyof Effect>;
  const keyOf = ({ task, pairing, agent, peer }: Place): string => JSON.stringify([task, pairing, agent, peer]);
  const places = new Map<string, Place & { readonly effects: Effect[] }>();
  for (const place of [...possible, ...effects]) {
    const { task, pairing, agent, peer } = place;
    if (!places.has(keyOf(place))) places.set(keyOf(place), { task, pairing, agent, peer, effects: [] });
  }
  for (const effect of effects) places.get(keyOf(effect))?.effects.push(effect);
  return [...places.values()].map(({ effects: own, ...place }) => ({ ...place, ...outcomesOf(own) }));
}

export function directionTable(directions: readonly PlacedOutcomes[]): Table {
  return {
    columns: [
      'task',
      'pairing',
      'adopter',
      'from',
      'events',
      'improving',
      'degrading',
      'neutral',
      'mean gain',
      'mean loss',
    ],
    rows: directions.map((one) => [one.task, one.pairing, one.agent, one.peer, ...outcomeCells(one)]),
    notes: [],
  };
}

export function outcomeTable(directions: readonly PlacedOutcomes[], all: Outcomes, notes: readonly string[]): Table {
  const adopters = [...new Set(directions.map(({ agent }) => agent))];
  const sum = (agent: string, of: (one: Outcomes) => number): number =>
    directions.filter((one) => one.agent === agent).reduce((total, one) => total + of(one), 0);
  const meanOf = (agent: string, of: 'improving' | 'degrading', what: 'meanGain' | 'meanLoss'): number | null => {
    const count = sum(agent, (one) => one[of]);
    return count === 0 ? null : sum(agent, (one) => (one[what] ?? 0) * one[of]) / count;
  };
  return {
    columns: ['adopter', 'events', 'improving', 'degrading', 'neutral', 'mean gain', 'mean loss'],
    rows: [
      ['all', ...outcomeCells(all)],
      ...adopters.map((agent) => [
        agent,
        sum(agent, (one) => one.events),
        sum(agent, (one) => one.improving),
        sum(agent, (one) => one.degrading),
        sum(agent, (one) => one.neutral),
        meanOf(agent, 'improving', 'meanGain'),
        meanOf(agent, 'degrading', 'meanLoss'),
      ]),
    ],
    notes,
  };
}

function outcomeCells(one: Outcomes): readonly (number | null)[] {
  return [one.events, one.improving, one.degrading, one.neutral, one.meanGain, one.meanLoss];
}
