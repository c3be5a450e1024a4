import { describe, expect, test } from 'vitest';
import { closureOf, listOf, numberOf, parseProgram, withDeclaration, withoutDeclaration } from './program-text.ts';
import { identifiersOf } from './scan-code.ts';
import { START } from './test-space.ts';

const TRICKY = `import type { X } from './x.ts';
// Not a declaration: function ghost() {}
const text = "function inString() {}"; const two = 2
/** Brackets in odd places. */
export function shaped({ a }: { a: number }): { b: number; c: string } {
  const pattern = /[}/]\\}/g;
  return { b: a / 2 / 1, c: \`}\${"}"}\` };
}

let later
type Shape = { kind: 'function x() {}' };
export const arrow = async (x: number) => {
  function inner() { return x; }
  return inner();
};
class Holder { run() { return two; } }
`;

describe('parseProgram()', () => {
  test('finds the top-level declarations and nothing inside strings, comments, templates or other functions', () => {
    const { declarations } = parseProgram(TRICKY);
    expect(declarations.map(({ name, kind }) => `${kind} ${name}`)).toEqual([
      'value text',
      'value two',
      'function shaped',
      'value later',
      'type Shape',
      'value arrow',
      'value Holder',
    ]);
  });

  test('gives each declaration its whole text and the comment above it', () => {
    const shaped = parseProgram(TRICKY).find('shaped');
    expect(shaped?.text.startsWith('export function shaped(')).toBe(true);
    expect(shaped?.text.endsWith('};\n}')).toBe(true);
    expect(shaped?.comment).toBe('/** Brackets in odd places. */\n');
    expect(parseProgram(START).find('passes')?.comment).toBe(
      '// Passes to run after the construction, in this order.\n',
    );
    expect(parseProgram(START).find('memoryGb')?.comment).toBe('');
  });

  test('reads hostile text in bounded time', () => {
    const hostile = [
      `const a =${'\n'.repeat(60_000)}`,
      '//\n'.repeat(20_000),
      '(/['.repeat(20_000),
      '/*'.repeat(30_000),
    ];
    const startedAt = performance.now();
    for (const text of hostile) parseProgram(`${text}\nfunction last() {}`);
    expect(performance.now() - startedAt).toBeLessThan(5_000);
  });
});

test('numberOf() reads numbers and nothing else', () => {
  const { declarations } = parseProgram('const a = 1_000;\nconst b: number = -0.5;\nconst c = 1 + 2;\nlet d = x3;\n');
  expect(declarations.map(numberOf)).toEqual([1000, -0.5, undefined, undefined]);
});

test('listOf() reads the names of an array', () => {
  expect(listOf(parseProgram('const passes: Pass[] = [a, b,\n c];').find('passes'))).toEqual(['a', 'b', 'c']);
  expect(listOf(undefined)).toEqual([]);
});

test('identifiersOf() leaves out properties, strings and comments', () => {
  const names = identifiersOf('a.b + c["d"] // e\n + `f` + [...g].h;');
  expect([...names].sort()).toEqual(['a', 'c', 'g']);
});

test('closureOf() follows what a declaration needs, in source order, and stops where told', () => {
  const program = parseProgram(
    'const k = 1;\nfunction a() { return b() + k; }\nfunction b() { return stop(); }\nfunction stop() {}\n',
  );
  expect(closureOf(program, 'a', new Set(['stop'])).map(({ name }) => name)).toEqual(['k', 'a', 'b']);
});

describe('withDeclaration()', () => {
  test('puts new code before the pipeline and replaces what has its name', () => {
    const added = withDeclaration(
      START,
      'twice',
      'function twice(x: number): number {\n  return 2 * x;\n}',
      '// $& stays.\n',
    );
    expect(added).toContain('// $& stays.\nfunction twice(');
    expect(added.indexOf('function twice')).toBeLessThan(added.indexOf('const passes'));
    const changed = withDeclaration(added, 'memoryGb', 'const memoryGb = 40;');
    expect(changed).toBe(added.replace('= 80;', '= 40;'));
  });

  test('is taken back by withoutDeclaration()', () => {
    const added = withDeclaration(START, 'twice', 'function twice() {\n  return 2;\n}', '// Two.\n');
    expect(withoutDeclaration(added, 'twice')).toBe(START);
  });
});
