import type { CaseAnswer, CaseScore, Split, Task, TestSecret } from '../../../src/evaluate/task.ts';

const points = 161;
const goldenRatio = 1.61803398875;
const maxAbs = 10;

/** What gives the sine at once, or in a step or two. */
const withoutSine = 'sin cos tan asin acos atan atan2 sinh cosh tanh asinh acosh atanh exp expm1'
  .split(' ')
  .map((name) => `Math.${name}`);

/** Points over [-pi, pi], each a little off an even grid, so that no table of round arguments fits. `shift` moves the wobble. */
export function samplePoints(shift: number): readonly number[] {
  return Array.from({ length: points }, (_, i) => {
    const x = -Math.PI + (2 * Math.PI * i) / (points - 1) + 0.007 * Math.sin(goldenRatio * i + shift);
    return Math.min(Math.PI, Math.max(-Math.PI, x));
  });
}

/** `value` is `1 / (1 + 4 rmse + max|error|)`, 0 when invalid. */
export function judgeApproximation(xs: readonly number[], answer: CaseAnswer): CaseScore {
  if (answer.status !== 'value') return invalid(`no answer: ${answer.status}`);
  const ys: unknown = answer.output;
  if (!(Array.isArray(ys) && ys.length === xs.length))
    return invalid(`the answer is not an array of ${xs.length} numbers`);
  let squares = 0;
  let worst = 0;
  for (const [i, x] of xs.entries()) {
    const y: unknown = ys[i];
    if (!(typeof y === 'number' && Math.abs(y) <= maxAbs)) return invalid(`entry ${i} is not a number from -10 to 10`);
    const error = Math.abs(y - Math.sin(x));
    squares += error * error;
    worst = Math.max(worst, error);
  }
  const rmse = Math.sqrt(squares / xs.length);
  const value = 1 / (1 + 4 * rmse + worst);
  return { valid: true, value, feedback: `rmse ${rmse.toExponential(3)}, largest error ${worst.toExponential(3)}` };
}

function invalid(feedback: string): CaseScore {
  return { valid: false, value: 0, feedback };
}

/** Train has the published points; the others have the same wobble shifted, so that a table of train points does not carry over. */
function shiftOf(split: Split, secret: TestSecret): number {
  if (split === 'train') return 0;
  return split === 'validation' ? 2 : (secret('test') / 2 ** 32) * 2 * Math.PI;
}

/** A smoke test: approximate the sine without the functions of `Math` that give it. */
export const task: Task = {
  name: 'sine_approx',
  title: 'Approximate the sine on [-pi, pi] with arithmetic alone',
  statement: `Approximate sin(x) on [-pi, pi]. Write in task_agent.ts

  export async function forward(input, ctx)

input:  { x: [161 numbers from -pi to pi] }
answer: an array of 161 numbers, entry i an approximation of sin(x[i]); every entry finite and from -10 to 10.

Math has no trigonometric, hyperbolic or exponential functions here. Score: 1 / (1 + 4 rmse + largest absolute error), higher is better,
1 is exact; 0 when invalid. Other points than those you are shown decide which program is best.
Limits: 1 second of computing.`,
  seedScore: 0.1045,
  bestKnown: 1,
  stage: { cases: 1, threshold: 0 },
  limits: { computeMs: 1_000, caseMs: 1_000, resultBytes: 64_000, memoryMb: 128 },
  better: 'higher',
  withoutGlobals: withoutSine,
  cases(split, secret) {
    const xs = samplePoints(shiftOf(split, secret));
    return [
      {
        seed: 161,
        next: (step) => (step === 0 ? { x: [...xs] } : undefined),
        judge: (answer) => judgeApproximation(xs, answer),
      },
    ];
  },
  score(_cases, scores) {
    const one = scores[0];
    const valid = one?.valid === true;
    return {
      valid,
      score: valid ? one.value : 0,
      metrics: { loss: valid ? 1 / one.value - 1 : points },
      feedback: one?.feedback ?? 'no answer',
    };
  },
};
