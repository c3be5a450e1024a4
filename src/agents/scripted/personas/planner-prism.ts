import { addPass, rewriteLine } from '../apply-idea.ts';
import type { Idea } from '../persona.ts';

/*
 * What the planner knows about placing models: constructions, and one exchange. The texts are programs for the sandbox and
 * are never run here. What they reach is tested in prism-pair.test.ts.
 */

const START = /let placement = \w+\(input\);/;

const GREEDY = `
// KV pressure of a GPU with this demand and this many GB in use.
function pressureOf(demand: number, used: number): number {
  if (demand === 0) return 0;
  return used < memoryGb ? demand / (memoryGb - used) : 1_000_000;
}

// Places models in the given order, each where the pressure is least once it is there; where none fits, on the emptiest.
function placeInOrder(input: Input, order: Model[]): number[] {
  const placement = new Array<number>(input.models.length).fill(0);
  const demand = new Array<number>(input.gpuCount).fill(0);
  const used = new Array<number>(input.gpuCount).fill(0);
  for (const model of order) {
    let choice = used.indexOf(Math.min(...used));
    let least = Infinity;
    for (let gpu = 0; gpu < input.gpuCount; gpu++) {
      if (used[gpu] + model.size > memoryGb) continue;
      const pressure = pressureOf(demand[gpu] + model.req / model.slo, used[gpu] + model.size);
      if (pressure < least) {
        least = pressure;
        choice = gpu;
      }
    }
    placement[model.id] = choice;
    demand[choice] += model.req / model.slo;
    used[choice] += model.size;
  }
  return placement;
}
`;

const PEAK = `
// The greatest pressure of a placement; over 1,000,000 where a GPU holds more than it can.
function peakOf(input: Input, placement: number[]): number {
  const demand = new Array<number>(input.gpuCount).fill(0);
  const used = new Array<number>(input.gpuCount).fill(0);
  for (const model of input.models) {
    demand[placement[model.id]] += model.req / model.slo;
    used[placement[model.id]] += model.size;
  }
  let peak = 0;
  for (let gpu = 0; gpu < input.gpuCount; gpu++) {
    peak = Math.max(peak, used[gpu] > memoryGb ? 2_000_000 : pressureOf(demand[gpu], used[gpu]));
  }
  return peak;
}
`;

const BEST_ORDER = `
// The best of several orders, each placed greedily.
function placeByBestOf(input: Input, keys: ((model: Model) => number)[]): number[] {
  const tries = keys.map((key) => placeInOrder(input, [...input.models].sort((a, b) => key(b) - key(a))));
  return tries.reduce((best, next) => (peakOf(input, next) < peakOf(input, best) ? next : best));
}
`;

const SWAP = `
// Exchanges the two models whose exchange lowers the greatest pressure most.
function swapOnce(placement: number[], input: Input): number[] {
  let best = placement;
  let peak = peakOf(input, placement);
  for (let one = 0; one < placement.length; one++) {
    for (let other = one + 1; other < placement.length; other++) {
      if (placement[one] === placement[other]) continue;
      const trial = [...placement];
      trial[one] = placement[other];
      trial[other] = placement[one];
      const next = peakOf(input, trial);
      if (next < peak) {
        peak = next;
        best = trial;
      }
    }
  }
  return best;
}
`;

function construction(key: string, words: string, name: string, code: string, needs: string): Idea {
  return rewriteLine(key, words, START, `let placement = ${name}(input);`, `${needs}\n${code}`);
}

/** The idea, unless what supersedes it is there already. */
function unlessThere(name: string, idea: Idea): Idea {
  return { ...idea, apply: (program) => (program.find(name) === undefined ? idea.apply(program) : undefined) };
}

export const plannerPrism: readonly Idea[] = [
  construction(
    'least-after',
    'judge a GPU by its pressure after the model is on it, since that is what counts in the end',
    'placeByDemand',
    `
// Most demanding models first.
function placeByDemand(input: Input): number[] {
  return placeInOrder(input, [...input.models].sort((a, b) => b.req / b.slo - a.req / a.slo));
}
`,
    GREEDY,
  ),
  construction(
    'largest-first',
    'place the largest models first, as bin packing does',
    'placeBySize',
    `
// Largest models first.
function placeBySize(input: Input): number[] {
  return placeInOrder(input, [...input.models].sort((a, b) => b.size - a.size));
}
`,
    GREEDY,
  ),
  construction(
    'own-pressure-first',
    'order models by the pressure each would make alone, so that size counts beside demand',
    'placeByOwnPressure',
    `
// Models that would press hardest on an empty GPU first.
function placeByOwnPressure(input: Input): number[] {
  const alone = (model: Model) => pressureOf(model.req / model.slo, model.size);
  return placeInOrder(input, [...input.models].sort((a, b) => alone(b) - alone(a)));
}
`,
    GREEDY,
  ),
  addPass(
    'swap-once',
    'a greedy order cannot be undone, but one good exchange of two models can repair its worst choice',
    'swapOnce',
    'first',
    GREEDY + PEAK + SWAP,
  ),
  unlessThere(
    'placeByBestOfFour',
    construction(
      'best-of-three',
      'no order is best for every case, so try three and keep the best',
      'placeByBestOfThree',
      `
// Demand, request rate and size as orders.
function placeByBestOfThree(input: Input): number[] {
  return placeByBestOf(input, [(model) => model.req / model.slo, (model) => model.req, (model) => model.size]);
}
`,
      GREEDY + PEAK + BEST_ORDER,
    ),
  ),
  construction(
    'two-each',
    'there are twice as many models as GPUs: give each GPU one demanding and one modest model',
    'placeInPairs',
    `
// The most demanding model shares its GPU with the least demanding one, and so on.
function placeInPairs(input: Input): number[] {
  const order = [...input.models].sort((a, b) => b.req / b.slo - a.req / a.slo);
  const placement = new Array<number>(order.length).fill(0);
  order.forEach((model, rank) => {
    placement[model.id] = rank < input.gpuCount ? rank : order.length - 1 - rank;
  });
  return placement;
}
`,
    '',
  ),
  construction(
    'best-of-four',
    'the pressure a model makes alone is one more order worth trying',
    'placeByBestOfFour',
    `
// Demand, request rate, size and pressure alone as orders.
function placeByBestOfFour(input: Input): number[] {
  return placeByBestOf(input, [
    (model) => model.req / model.slo,
    (model) => model.req,
    (model) => model.size,
    (model) => pressureOf(model.req / model.slo, model.size),
  ]);
}
`,
    GREEDY + PEAK + BEST_ORDER,
  ),
  construction(
    'smallest-first',
    'the other way round: small models first leave the choice open for longer',
    'placeSmallestFirst',
    `
// Smallest models first.
function placeSmallestFirst(input: Input): number[] {
  return placeInOrder(input, [...input.models].sort((a, b) => a.size - b.size));
}
`,
    GREEDY,
  ),
  construction(
    'fill-up',
    'fill one GPU after the other, so that late models find whole GPUs free',
    'placeFillingUp',
    `
// Most demanding models first, each on the first GPU that can hold it.
function placeFillingUp(input: Input): number[] {
  const placement = new Array<number>(input.models.length).fill(0);
  const used = new Array<number>(input.gpuCount).fill(0);
  for (const model of [...input.models].sort((a, b) => b.req / b.slo - a.req / a.slo)) {
    const gpu = Math.max(0, used.findIndex((size) => size + model.size <= memoryGb));
    placement[model.id] = gpu;
    used[gpu] += model.size;
  }
  return placement;
}
`,
    '',
  ),
  construction(
    'slo-first',
    'tight service levels first, demand second',
    'placeBySlo',
    `
// Tightest service levels first, the more requests the earlier.
function placeBySlo(input: Input): number[] {
  return placeInOrder(input, [...input.models].sort((a, b) => a.slo - b.slo || b.req - a.req));
}
`,
    GREEDY,
  ),
  construction(
    'requests-first',
    'the busiest models first, whatever their service level',
    'placeByRequests',
    `
// Most requested models first.
function placeByRequests(input: Input): number[] {
  return placeInOrder(input, [...input.models].sort((a, b) => b.req - a.req));
}
`,
    GREEDY,
  ),
];
