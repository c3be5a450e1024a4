import type { CaseAnswer, CaseScore, Task } from '../../../src/evaluate/task.ts';

const circles = 26;
/** Strict but for rounding: the exact 5x5 grid has a slack of -5.6e-17. */
const tolerance = 1e-12;
/** What the field's evaluators forgive; worth 1.3e-5 of score, so only reported. */
const fieldTolerance = 1e-6;
const bestKnownSum = 2.635983;

/** A packing whose shape and numbers are sound; it may still overlap. */
export interface Packing {
  readonly centers: readonly (readonly [number, number])[];
  readonly radii: readonly number[];
}

/** The packing in an answer, or what is wrong with its shape. Every entry must be a finite number. */
export function parsePacking(output: unknown): Packing | string {
  if (typeof output !== 'object' || output === null || Array.isArray(output)) return 'the answer is not an object';
  const centers: unknown = 'centers' in output ? output.centers : undefined;
  const radii: unknown = 'radii' in output ? output.radii : undefined;
  if (!(Array.isArray(centers) && centers.length === circles)) return `centers is not an array of ${circles} pairs`;
  if (!(Array.isArray(radii) && radii.length === circles)) return `radii is not an array of ${circles} numbers`;
  const pairs: [number, number][] = [];
  for (const [i, center] of centers.entries()) {
    if (!(Array.isArray(center) && center.length === 2)) return `center ${i} is not a pair`;
    const x: unknown = center[0];
    const y: unknown = center[1];
    if (!(isFinite(x) && isFinite(y))) return `center ${i} is not two finite numbers`;
    pairs.push([x, y]);
  }
  const lengths: number[] = [];
  for (const [i, radius] of radii.entries()) {
    if (!(isFinite(radius) && radius >= 0)) return `radius ${i} is not a finite number of at least 0`;
    lengths.push(radius);
  }
  return { centers: pairs, radii: lengths };
}

/** The least distance by which circles keep off the sides and each other; negative where they do not. */
export function minSlack({ centers, radii }: Packing): { readonly slack: number; readonly where: string } {
  let slack = Infinity;
  let where = '';
  for (const [i, [x, y]] of centers.entries()) {
    const r = radii[i] ?? Number.NaN;
    const side = Math.min(x - r, 1 - x - r, y - r, 1 - y - r);
    if (!(side >= slack)) {
      slack = side;
      where = `circle ${i} and a side`;
    }
    for (let j = i + 1; j < centers.length; j++) {
      const [u, v] = centers[j] ?? [Number.NaN, Number.NaN];
      const gap = Math.hypot(x - u, y - v) - r - (radii[j] ?? Number.NaN);
      if (!(gap >= slack)) {
        slack = gap;
        where = `circles ${i} and ${j}`;
      }
    }
  }
  return { slack, where };
}

/** `value` is the sum of the radii, 0 when the packing is not strictly valid. */
export interface PackingScore extends CaseScore {
  /** Valid by the field's tolerance of 1e-6. */
  readonly validField: boolean;
}

/** Judges one packing: the sum is taken here, from the radii; nothing an answer claims about itself is read. */
export function judgePacking(answer: CaseAnswer): PackingScore {
  if (answer.status !== 'value') return invalid(`no answer: ${answer.status}`, false);
  const packing = parsePacking(answer.output);
  if (typeof packing === 'string') return invalid(packing, false);
  const { slack, where } = minSlack(packing);
  const validField = slack >= -fieldTolerance;
  if (!(slack >= -tolerance)) return invalid(`${where} overlap by ${(-slack).toExponential(3)}`, validField);
  const value = packing.radii.reduce((sum, radius) => sum + radius, 0);
  return { valid: true, validField, value, feedback: `sum of radii ${value}; least slack ${slack.toExponential(3)}` };
}

function invalid(feedback: string, validField: boolean): PackingScore {
  return { valid: false, validField, value: 0, feedback };
}

function isFinite(value: unknown): value is number {
  return Number.isFinite(value);
}

/** 26 circles in the unit square: maximise the sum of the radii. */
export const task: Task = {
  name: 'circle_packing_26',
  title: 'Pack 26 circles into the unit square so that the sum of their radii is largest',
  statement: `Pack 26 circles into the unit square without overlap and maximise the sum of their radii. Write in task_agent.ts

  export async function forward(input, ctx)

input:  {}
answer: { centers: [[x, y], ... 26 pairs], radii: [r, ... 26 numbers] }

Valid: all numbers finite, radii at least 0, every circle inside the square (x-r, 1-x-r, y-r, 1-y-r at least 0), and the distance of any two
centres at least the sum of their radii. Only rounding is forgiven (1e-12): shrink the radii a little rather than overlap.
Score: (sum of the radii) / 2.635983, higher is better; 0 when invalid. 2.635983 is the best sum known.
Limits: 10 seconds of computing. ctx.random() is a seeded generator; there is no clock.`,
  seedScore: 0.3641,
  bestKnown: 1,
  stage: { cases: 1, threshold: 0 },
  limits: { computeMs: 10_000, caseMs: 10_000, resultBytes: 64_000, memoryMb: 128 },
  better: 'higher',
  cases: () => [{ seed: 26, next: (step) => (step === 0 ? {} : undefined), judge: judgePacking }],
  score(_cases, scores) {
    const one = scores[0];
    const valid = one?.valid === true;
    const sum = valid ? one.value : 0;
    const validField = one !== undefined && 'validField' in one && one.validField === true;
    return {
      valid,
      score: sum / bestKnownSum,
      metrics: { sum, validField: validField ? 1 : 0 },
      feedback: one?.feedback ?? 'no answer',
    };
  },
};
