import { rewriteLine } from '../apply-idea.ts';
import type { Idea } from '../persona.ts';

/* What the tuner knows about the sine: polynomials fitted by least squares. Programs for the sandbox, never run here. */

const ANSWER = /return input\.x\.map\(.*\);/;

/** `coefficients` of x, x^3, x^5 ... */
function fitted(degree: number, coefficients: readonly number[], words: string): Idea {
  const names = coefficients.map((_, index) => `fit${degree}c${2 * index + 1}`);
  const nested = names.reduceRight((inner, name) => (inner === '' ? name : `${name} + y * (${inner})`), '');
  return rewriteLine(
    `fit-${degree}`,
    words,
    ANSWER,
    `return input.x.map(fitted${degree});`,
    `
${names.map((name, index) => `const ${name} = ${coefficients[index]};`).join('\n')}

// An odd polynomial of degree ${degree} fitted over the whole turn.
function fitted${degree}(x: number): number {
  const y = x * x;
  return x * (${nested});
}
`,
  );
}

export const tunerSine: readonly Idea[] = [
  fitted(1, [0.304], 'a straight line, but with the slope of least squares'),
  fitted(3, [0.857, -0.0934], 'a fitted cubic'),
  fitted(5, [0.9879, -0.1553, 0.005643], 'one more fitted term'),
];
