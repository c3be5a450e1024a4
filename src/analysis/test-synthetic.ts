import type { LoadedAgent, LoadedRun } from '../trace/loaded-run.ts';
import { seededRandom } from './statistics/seeded-random.ts';
import { program, runOf } from './test-runs.ts';

const WORDS =
  'grid path node rank mass tide bolt fern lamp mint oval quay rope silk tent urn vine wolf yarn zest'.split(' ');

/** A made-up Python function; different seeds give different names, operators and shapes. */
export function routine(seed: number, statements = 12): string {
  const random = seededRandom(seed * 7919 + 1);
  const pick = <T>(values: readonly T[]): T => values[Math.floor(random() * values.length)] as T;
  const name = (): string => `${pick(WORDS)}_${pick(WORDS)}${Math.floor(random() * 90) + 10}`;
  const names = [name(), name(), name()];
  const lines = [`def ${name()}(${names.join(', ')}):`];
  for (let n = 0; n < statements; n++) {
    const target = name();
    const number = Math.floor(random() * 900) + 100;
    lines.push(
      pick([
        `    ${target} = ${pick(names)} ${pick(['+', '-', '*', '//'])} ${pick(names)} + ${number}`,
        `    ${target} = [${pick(names)}(value, ${number}) for value in ${pick(names)}]`,
        `    ${target} = max(${pick(names)}, ${number}) if ${pick(names)} else min(${pick(names)}, ${number + 1})`,
      ]),
    );
    names.push(target);
  }
  lines.push(`    return ${names.slice(-3).join(' + ')}`);
  return `${lines.join('\n')}\n`;
}

export const START = 'def forward(question):\n    answer = first_guess(question, 0)\n    return answer\n';

/**
 * An agent whose program grows by a routine of its own in every generation, scoring better each time; what `taken` gives for a
 * generation replaces its program.
 */
export function growing(
  name: string,
  seed: number,
  generations: number,
  taken: (generation: number) => string | undefined = () => undefined,
): LoadedAgent {
  let code = START;
  const all = [program(name, 0, { code, score: 0 })];
  for (let g = 1; g <= generations; g++) {
    code = taken(g) ?? `${code}\n${routine(seed * 1000 + g)}`;
    all.push(program(name, g, { code, score: g / 100 }));
  }
  return { name, generations: all };
}

/** Runs of one pair with seeds 1 .. count; `make` gives the two agents of a seed. */
export function seeds(count: number, make: (seed: number) => readonly LoadedAgent[]): readonly LoadedRun[] {
  return Array.from({ length: count }, (_, n) =>
    runOf(make(n + 1), { id: `pair/seed${n + 1}`, seed: n + 1, task: 'made-up' }),
  );
}

/** Text of an agent's program of one generation. */
export function codeOf(agent: LoadedAgent, generation: number): string {
  return agent.generations.find((one) => one.generation === generation)?.code ?? '';
}
