import { describe, expect, test } from 'vitest';
import { listOf, parseProgram, withDeclaration } from './program-text.ts';
import { inUse, techniquesOf, updatesOf } from './techniques.ts';
import { START } from './test-space.ts';

const parts = `const rounds = 3;

// Counts.
function count(placement: number[]): number {
  return placement.length * rounds;
}

// Does it again.
function again(placement: number[], input: Input): number[] {
  for (const pass of passes) if (pass !== again) placement = pass(placement, input, Math.random);
  return count(placement) > 0 ? placement : [];
}

function first(placement: number[]): number[] {
  return placement;
}

function unused(): number {
  return 7;
}
`;

function programWith(passes: string, code = ''): string {
  const listed = withDeclaration(START, 'passes', `const passes: Pass[] = [${passes}];`);
  return listed.replace('const passes', () => `${code}\nconst passes`);
}

const peer = inUse(parseProgram(programWith('first, again', parts)));
const own = parseProgram(
  programWith('mine', 'function mine(placement: number[]): number[] {\n  return placement;\n}\n'),
);

describe('techniquesOf()', () => {
  test('copies a pass verbatim with all it needs, comments included, and nothing else', () => {
    const again = techniquesOf(own, peer).find(({ name }) => name === 'again');
    expect(again?.copied.map(({ name }) => name)).toEqual(['rounds', 'count', 'again']);
    for (const { text, comment } of again?.copied ?? []) expect(again?.code).toContain(comment + text);
    expect(again?.code).not.toContain('unused');
    expect(again?.code).not.toContain('function first');
  });

  test('puts a pass that runs other passes last and any other first, or beside the one it stands beside at the peer', () => {
    const listed = (code: string | undefined) => listOf(parseProgram(code ?? '').find('passes'));
    const [first, again] = techniquesOf(own, peer);
    expect(listed(first?.code)).toEqual(['first', 'mine']);
    expect(listed(again?.code)).toEqual(['mine', 'again']);
    const later = parseProgram(
      programWith(
        'first, mine',
        'function first(placement: number[]): number[] {\n  return placement;\n}\nfunction mine() {}\n',
      ),
    );
    expect(listed(techniquesOf(later, peer)[0]?.code)).toEqual(['first', 'again', 'mine']);
  });

  test('finds what only a line of forward uses', () => {
    const code = 'function placeWell(input: Input): number[] {\n  return input.models.map(() => 1);\n}\n';
    const planned = parseProgram(programWith('', code).replace('= construct(input)', '= placeWell(input)'));
    const [taken, ...others] = techniquesOf(own, inUse(planned));
    expect(others).toEqual([]);
    expect(taken?.name).toBe('placeWell');
    expect(taken?.code).toContain('let placement = placeWell(input);');
    expect(taken?.code).toContain('[mine]');
  });

  test('finds nothing in a program that is the same or only holds unused code', () => {
    expect(techniquesOf(own, inUse(own))).toEqual([]);
    expect(techniquesOf(own, inUse(parseProgram(programWith('', parts))))).toEqual([]);
  });

  test('leaves out what would collide with a function of the same name', () => {
    const collides = parseProgram(withDeclaration(own.text, 'count', 'function count(): number {\n  return 0;\n}'));
    expect(techniquesOf(collides, peer).map(({ name }) => name)).toEqual(['first']);
  });
});

test('updatesOf() takes a changed number or function that both use', () => {
  const mine = inUse(parseProgram(programWith('first, again', parts.replace('rounds = 3', 'rounds = 2'))));
  const [update, ...others] = updatesOf(mine, peer);
  expect(others).toEqual([]);
  expect(update?.name).toBe('rounds');
  expect(update?.code).toBe(mine.text.replace('rounds = 2', 'rounds = 3'));
});
