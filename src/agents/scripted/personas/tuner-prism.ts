import { addPass } from '../apply-idea.ts';
import { tune } from '../nudge.ts';
import type { Idea } from '../persona.ts';
import { listOf } from '../program-text.ts';

/*
 * What the tuner knows about placing models: searching from wherever it starts, one model at a time. The texts are
 * programs for the sandbox and are never run here. It does not know exchanges of two models, nor constructions.
 */

const HIGHEST = `
// What the search minimises: the worst GPU's load per free GB. Placements that do not fit count as very bad.
function highest(input: Input, placement: number[]): number {
  const load = new Array<number>(input.gpuCount).fill(0);
  const free = new Array<number>(input.gpuCount).fill(memoryGb);
  for (let id = 0; id < placement.length; id++) {
    load[placement[id]] += input.models[id].req / input.models[id].slo;
    free[placement[id]] -= input.models[id].size;
  }
  let worst = 0;
  for (let gpu = 0; gpu < input.gpuCount; gpu++) {
    if (load[gpu] > 0) worst = Math.max(worst, free[gpu] > 0 ? load[gpu] / free[gpu] : 1_000_000 - free[gpu]);
  }
  return worst;
}
`;

const RELOCATE = `
// Moves single models, always the move that helps most, until none helps.
function relocate(placement: number[], input: Input): number[] {
  let current = placement;
  let value = highest(input, current);
  for (;;) {
    let next = current;
    for (let id = 0; id < current.length; id++) {
      for (let gpu = 0; gpu < input.gpuCount; gpu++) {
        const trial = current.with(id, gpu);
        const tried = highest(input, trial);
        if (tried < value) {
          value = tried;
          next = trial;
        }
      }
    }
    if (next === current) return current;
    current = next;
  }
}
`;

const ANNEAL = `
const annealSteps = 200;
const annealHeat = 0.03;

// Simulated annealing over moves of single models; keeps the best placement it comes by.
function anneal(placement: number[], input: Input, random: () => number): number[] {
  let current = placement;
  let value = highest(input, current);
  let best = current;
  let bestValue = value;
  for (let step = 0; step < annealSteps; step++) {
    const heat = annealHeat * 0.01 ** (step / annealSteps);
    const id = Math.floor(random() * current.length);
    const trial = current.with(id, Math.floor(random() * input.gpuCount));
    const tried = highest(input, trial);
    if (tried <= value || random() < Math.exp((value - tried) / heat)) {
      current = trial;
      value = tried;
      if (value < bestValue) {
        best = current;
        bestValue = value;
      }
    }
  }
  return best;
}
`;

const KICK = `
const kickRounds = 2;
const kickSize = 2;

// Throws a few models anywhere, lets the passes before this one repair it as far as they can, and keeps what is better.
function kick(placement: number[], input: Input, random: () => number): number[] {
  const repairs = passes.slice(0, passes.indexOf(kick));
  let best = placement;
  let bestValue = highest(input, best);
  for (let round = 0; round < kickRounds; round++) {
    let trial = best;
    for (let thrown = 0; thrown < kickSize; thrown++) {
      trial = trial.with(Math.floor(random() * trial.length), Math.floor(random() * input.gpuCount));
    }
    let value = highest(input, trial);
    for (;;) {
      const before = value;
      for (const repair of repairs) trial = repair(trial, input, random);
      value = highest(input, trial);
      if (!(value < before)) break;
    }
    if (value < bestValue) {
      best = trial;
      bestValue = value;
    }
  }
  return best;
}
`;

const SPREAD = `
// Moves models to the GPU with the least load until the loads are as even as they get; memory takes care of itself.
function evenOut(placement: number[], input: Input): number[] {
  const current = [...placement];
  const load = new Array<number>(input.gpuCount).fill(0);
  for (const model of input.models) load[current[model.id]] += model.req / model.slo;
  for (const model of [...input.models].sort((a, b) => b.size - a.size).slice(0, 6)) {
    const least = load.indexOf(Math.min(...load));
    load[current[model.id]] -= model.req / model.slo;
    load[least] += model.req / model.slo;
    current[model.id] = least;
  }
  return current;
}
`;

const SCATTER = `
// Starts over from a random placement, for variety.
function scatter(placement: number[], input: Input, random: () => number): number[] {
  const thrown = placement.map(() => Math.floor(random() * input.gpuCount));
  return highest(input, thrown) < 1 ? thrown : placement;
}
`;

/** The idea, as soon as there is a pass for it to work with. */
function onceThereArePasses(idea: Idea): Idea {
  return { ...idea, apply: (program) => (listOf(program.find('passes')).length > 0 ? idea.apply(program) : undefined) };
}

export const tunerPrism: readonly Idea[] = [
  addPass(
    'relocate',
    'whatever the start, move single models downhill until no move helps',
    'relocate',
    'first',
    HIGHEST + RELOCATE,
  ),
  onceThereArePasses(
    addPass(
      'kick',
      'many small restarts beat one long search: kick the placement and let the passes repair it',
      'kick',
      { before: 'anneal' },
      HIGHEST + KICK,
    ),
  ),
  onceThereArePasses(
    addPass(
      'anneal',
      'downhill ends in the first valley, annealing can leave it: accept worse moves while it is hot',
      'anneal',
      'last',
      HIGHEST + ANNEAL,
    ),
  ),
  onceThereArePasses(
    addPass('even-out', 'even loads should mean even pressure, and cost nothing to make', 'evenOut', 'last', SPREAD),
  ),
  tune('annealSteps', 2, 'twice as many annealing steps', 4000),
  tune('kickSize', 2, 'kicks twice as hard, to get further away', 16),
  tune('annealHeat', 3, 'three times the heat, to cross higher ridges', 1),
  onceThereArePasses(
    addPass('scatter', 'a random start may lie in a better valley', 'scatter', 'first', HIGHEST + SCATTER),
  ),
  tune('kickRounds', 2, 'twice as many kicks', 16),
  tune('annealSteps', 1.5, 'half as many annealing steps again', 4000),
  tune('annealHeat', 0.3, 'a third of the heat: most of the steps were wasted on noise', 1),
  tune('kickSize', 0.5, 'kicks half as hard, so that less has to be repaired', 16),
];
