import { mulberry32 } from '../../../src/evaluate/mulberry32.ts';
import type { CaseAnswer, CaseScore, Task, TaskCase } from '../../../src/evaluate/task.ts';

/** A language model to place: `size` in GB, `req` requests a second, `slo` its latency objective. */
export interface Model {
  readonly id: number;
  readonly size: number;
  readonly req: number;
  readonly slo: number;
}

export interface Instance {
  readonly gpuCount: number;
  readonly models: readonly Model[];
}

const memoryGb = 80;
const casesPerSeed = 50;
/** The pressure of a GPU without free memory, and of a case without a valid answer. */
const worstPressure = 1_000_000;

/** What scoring needs beyond the case's own pressure. */
export interface PlacementCase extends TaskCase {
  readonly instance: Instance;
  /** Pooled lower bound of the case's pressure: the maximum of ratios is at least the ratio of the sums. */
  readonly bound: number;
}

/** The 50 instances of one seed, drawn in sequence from one stream. @see README.md */
export function drawInstances(seed: number): readonly Instance[] {
  const random = mulberry32(seed);
  return Array.from({ length: casesPerSeed }, () => {
    const gpuCount = random.int(5, 9);
    const models = Array.from({ length: 2 * gpuCount }, (_, id) => ({
      id,
      size: random.int(10, 29),
      req: random.int(1, 9),
      slo: random.int(5, 9),
    }));
    return { gpuCount, models };
  });
}

/** `sum(req/slo) / (80 GPUs - sum(size))`: no placement has less. */
export function pooledBound({ gpuCount, models }: Instance): number {
  let demand = 0;
  let size = 0;
  for (const model of models) {
    demand += model.req / model.slo;
    size += model.size;
  }
  return demand / (memoryGb * gpuCount - size);
}

/** Judges one placement: the largest pressure over the GPUs, or why it is no placement. */
export function judgePlacement({ gpuCount, models }: Instance, answer: CaseAnswer): CaseScore {
  if (answer.status !== 'value') return invalid(`no answer: ${answer.status}`);
  const placement: unknown = answer.output;
  if (!Array.isArray(placement)) return invalid('the answer is not an array');
  if (placement.length !== models.length) {
    return invalid(`the answer has ${placement.length} entries for ${models.length} models`);
  }
  const demand = zeros(gpuCount);
  const size = zeros(gpuCount);
  for (const [i, model] of models.entries()) {
    const gpu: unknown = placement[i];
    if (!(typeof gpu === 'number' && Number.isInteger(gpu) && gpu >= 0 && gpu < gpuCount)) {
      return invalid(`entry ${i} is not an integer from 0 to ${gpuCount - 1}`);
    }
    demand[gpu] = (demand[gpu] ?? 0) + model.req / model.slo;
    size[gpu] = (size[gpu] ?? 0) + model.size;
  }
  const over = size.findIndex((gb) => !(gb <= memoryGb));
  if (over >= 0) return invalid(`GPU ${over} holds ${size[over]} GB of ${memoryGb}`);
  const pressures = demand.map((sum, gpu) => {
    const free = memoryGb - (size[gpu] ?? 0);
    return free > 0 ? sum / free : worstPressure;
  });
  const value = Math.max(...pressures);
  const at = pressures.indexOf(value);
  return { valid: true, value, feedback: `pressure ${value.toFixed(4)} on GPU ${at}, which holds ${size[at]} GB` };
}

function zeros(length: number): number[] {
  return Array.from({ length }, () => 0);
}

function invalid(feedback: string): CaseScore {
  return { valid: false, value: worstPressure, feedback };
}

function caseOf(instance: Instance, seed: number): PlacementCase {
  return {
    instance,
    bound: pooledBound(instance),
    seed,
    next: (step) =>
      step === 0 ? { gpuCount: instance.gpuCount, models: instance.models.map((model) => ({ ...model })) } : undefined,
    judge: (answer) => judgePlacement(instance, answer),
  };
}

/** Model placement on GPUs ("Prism"): minimise the maximum KV-cache pressure. */
export const task: Task = {
  name: 'prism_placement',
  title: 'Place language models on GPUs so that the highest memory pressure is least',
  statement: `Place M models on G GPUs of 80 GB each (M = 2 G). Write in task_agent.ts

  export async function forward(input, ctx)

input:  { gpuCount: G, models: [{ id, size, req, slo }, ...] }; models[i].id is i, size is in GB, req and slo are positive integers.
answer: an array of M integers; entry i is the GPU (0 to G-1) that model i is placed on.

A placement is valid when every model is on exactly one GPU and the sizes on each GPU add up to at most 80.
The pressure of a GPU is (sum of req/slo of its models) / (80 - sum of their sizes); 1,000,000 when no memory is free; 0 when it is empty.
Minimise the largest pressure over the GPUs.

Score: over 50 instances, (sum of lower bounds) / (sum of your largest pressures), between 0 and 1, higher is better. The lower bound of
an instance is (sum of all req/slo) / (80 G - sum of all sizes); it can be approached, seldom reached. A case that is invalid, throws or
takes too long counts as 1,000,000 and makes the whole score 0.
Limits: aim for at most 2 seconds of computing for 50 instances and half a second for one; at twice that a case fails. ctx.random() is a seeded generator; there is no clock.
Other instances than those you are shown decide which program is best: do not recognise instances, solve them.`,
  seedScore: 0.692,
  bestKnown: 0.8877,
  stage: { cases: 5, threshold: 0 },
  // Twice what the statement promises: making a fresh realm for each case counts too, and a busy machine is not the program's fault.
  limits: { computeMs: 4_000, caseMs: 1_000, resultBytes: 64_000, memoryMb: 128 },
  runCases: casesPerSeed,
  better: 'lower',
  cases(split, secret) {
    const seeds =
      split === 'train' ? [7001] : split === 'validation' ? [7002] : [0, 1, 2].map((part) => secret(`test ${part}`));
    return seeds.flatMap((seed) => {
      const programSeeds = mulberry32(seed ^ 0x9e3779b9);
      return drawInstances(seed).map((instance) => caseOf(instance, programSeeds.u32()));
    });
  },
  score(cases, scores) {
    let pressure = 0;
    let bound = 0;
    let validCases = 0;
    for (const [i, one] of cases.entries()) {
      const score = scores[i];
      pressure += score?.valid ? score.value : worstPressure;
      bound += boundOf(one);
      if (score?.valid) validCases += 1;
    }
    const meanPressure = pressure / cases.length;
    const rawScore = bound / pressure;
    const valid = validCases === cases.length;
    const fieldScore = 1 / meanPressure + validCases / cases.length;
    return {
      valid,
      score: valid ? rawScore : 0,
      metrics: { meanPressure, fieldScore, validCases, rawScore },
      feedback: valid
        ? `mean pressure ${meanPressure.toFixed(6)}; lower bound ${(bound / cases.length).toFixed(6)}`
        : `${cases.length - validCases} of ${cases.length} cases have no valid placement: score 0`,
    };
  },
};

function boundOf(one: TaskCase): number {
  if ('bound' in one && typeof one.bound === 'number') return one.bound;
  throw new TypeError('prism_placement scores only its own cases');
}
