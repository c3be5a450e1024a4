import { rewriteLine } from '../apply-idea.ts';
import type { Idea } from '../persona.ts';

/* What the planner knows about the sine: its series, term by term, and its symmetry. Programs for the sandbox, never run here. */

const ANSWER = /return input\.x\.map\(.*\);/;

function series(degree: number, words: string): Idea {
  const name = `series${degree}`;
  return rewriteLine(
    `series-${degree}`,
    words,
    ANSWER,
    `return input.x.map(${name});`,
    `
// The power series of the sine up to x^${degree}.
function ${name}(x: number): number {
  let term = x;
  let sum = x;
  for (let power = 3; power <= ${degree}; power += 2) {
    term *= (-x * x) / (power * (power - 1));
    sum += term;
  }
  return sum;
}
`,
  );
}

const FOLD = `
const halfTurn = 3.141592653589793;

// The angle between -pi/2 and pi/2 that has the same sine.
function fold(x: number): number {
  if (x > halfTurn / 2) return halfTurn - x;
  return x < -halfTurn / 2 ? -halfTurn - x : x;
}
`;

export const plannerSine: readonly Idea[] = [
  series(3, 'one more term of the series: x - x^3/6'),
  series(5, 'the series up to x^5'),
  rewriteLine(
    'shift-by-half',
    'the sine is a shifted cosine, so start from half a turn away',
    ANSWER,
    'return input.x.map(shifted);',
    `
// The cosine's series, taken half a turn away.
function shifted(x: number): number {
  const y = x - 3.141592653589793;
  return 1 - (y * y) / 2;
}
`,
  ),
  {
    key: 'fold',
    words: 'the series is good near zero only: fold the angle into the quarter turn around zero first',
    apply(program) {
      const forward = program.find('forward');
      const name = /return input\.x\.map\((\w+)\);/.exec(forward?.text ?? '')?.[1];
      if (name === undefined || program.find('fold') !== undefined) return undefined;
      const line = `return input.x.map((x) => ${name}(fold(x)));`;
      return rewriteLine('fold', '', ANSWER, line, FOLD).apply(program);
    },
  },
];
