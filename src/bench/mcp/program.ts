/** The file that is looked at and edited: of the size of a program that an agent works on. */
export const PROGRAM = 'task_agent.ts';
const BODY = Array.from(
  { length: 40 },
  (_, n) => `  const part${n} = Math.sin(${n} * step) * scale; // of the sum\n`,
).join('');

/** The text of the file, about 2.3 KB; another one for each `step`. */
export function programOf(step: number): string {
  return `${stepLine(step)}export function forward({ scale }) {\n${BODY}  return scale;\n}\n`;
}

export function stepLine(step: number): string {
  return `const step = ${step};\n`;
}
