import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  absolutePath,
  canonicalDirectory,
  canonicalPath,
  collisionOf,
  isWithin,
  PATH_LIMITS,
  ROOT,
  reservedDirectoryOf,
  type ScopedPath,
  utf8Bytes,
} from './paths.ts';

const pathOf = (raw: string): ScopedPath => {
  const result = canonicalPath(raw);
  if (!result.ok) throw new Error(`${JSON.stringify(raw)} ${result.refusal.problem}`);
  return result.path;
};
const codeOf = (raw: string): string => {
  const result = canonicalPath(raw);
  return result.ok ? 'ok' : result.refusal.code;
};
// Strings made of what path parsers stumble over.
const nasty = fc
  .array(
    fc.oneof(
      fc.constantFrom('..', '.', '/', '//', '\\', '\0', '%2f', 'a', 'é', 'e\u0301', ' ', '\ud800', '~'),
      fc.string(),
    ),
  )
  .map((parts) => parts.join(''));

describe('canonicalPath()', () => {
  test.each([
    ['task_agent.ts', 'task_agent.ts'],
    ['/task_agent.ts', 'task_agent.ts'],
    ['./a//b/./c', 'a/b/c'],
    ['strategies/b_gen1/../../x.ts', 'x.ts'],
    ['a/b/', 'a/b'],
    ['..%2f..%2fx', '..%2f..%2fx'],
    ['.hidden', '.hidden'],
    ['a b.ts', 'a b.ts'],
  ])('takes %j as %j', (raw, path) => {
    expect(canonicalPath(raw)).toEqual({ ok: true, path });
  });

  test.each([
    ['', 'empty'],
    ['/', 'empty'],
    ['a/..', 'empty'],
    ['..', 'outside'],
    ['a/../../b', 'outside'],
    ['task_agent.ts/../../../eval/expected.json', 'outside'],
    ['a\0b', 'character'],
    ['a\nb', 'character'],
    ['a\u007fb', 'character'],
    ['a\u0085b', 'character'],
    ['a\u200db', 'character'],
    ['a\u202eb', 'character'],
    ['a\u2028b', 'character'],
    ['a\ud800b', 'character'],
    ['a\\b', 'backslash'],
    ['a.', 'trailing'],
    ['a ', 'trailing'],
    ['a./b', 'trailing'],
    [' a', 'trailing'],
    ['....//....//eval', 'trailing'],
    ['é'.repeat(128), 'too-long'],
    ['x'.repeat(256), 'too-long'],
    [`${'x'.repeat(200)}/`.repeat(6), 'too-long'],
    ['x'.repeat(100_000), 'too-long'],
    [`${'d/'.repeat(32)}x`, 'too-deep'],
  ])('refuses %j as %s', (raw, code) => {
    expect(codeOf(raw)).toBe(code);
  });

  test('takes names at the limits', () => {
    expect(codeOf('x'.repeat(255))).toBe('ok');
    expect(codeOf(`${'d/'.repeat(31)}x`)).toBe('ok');
  });

  test('gives nothing that leads out, is not canonical, or changes when parsed again', () => {
    fc.assert(
      fc.property(nasty, (raw) => {
        const result = canonicalPath(raw);
        if (!result.ok) return;
        const { path } = result;
        expect(canonicalPath(path)).toEqual(result);
        expect(canonicalPath(absolutePath(path))).toEqual(result);
        const components = path.split('/');
        expect(components.every((part) => part !== '' && part !== '.' && part !== '..')).toBe(true);
        expect(components.length).toBeLessThanOrEqual(PATH_LIMITS.depth);
        expect(utf8Bytes(path)).toBeLessThanOrEqual(PATH_LIMITS.pathBytes);
        expect(path.isWellFormed()).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

test('canonicalDirectory() knows the root, and refuses the empty string', () => {
  for (const raw of ['/', '.', './', '//', 'a/..']) expect(canonicalDirectory(raw)).toEqual({ ok: true, path: ROOT });
  expect(canonicalDirectory('').ok).toBe(false);
  expect(canonicalDirectory('..').ok).toBe(false);
});

test('isWithin() compares components: a holds a/b and never ab', () => {
  expect(isWithin(pathOf('a/b'), pathOf('a'))).toBe(true);
  expect(isWithin(pathOf('a'), pathOf('a'))).toBe(true);
  expect(isWithin(pathOf('ab'), pathOf('a'))).toBe(false);
  expect(isWithin(pathOf('ab'), ROOT)).toBe(true);
});

describe('collisionOf()', () => {
  const existing = ['task_agent.ts', 'lib/\u00e9.ts', 'Straße.ts'].map(pathOf);

  test.each([
    'Task_Agent.ts',
    'TASK_AGENT.TS',
    'lib/e\u0301.ts',
    'LIB/other.ts',
    'STRASSE.ts',
    'task_agent.ts/x',
    'lib',
  ])('refuses %j beside what is there', (raw) => {
    expect(collisionOf(pathOf(raw), existing)?.code).toBe('collision');
  });

  test.each(['task_agent.ts', 'task_agent.js', 'lib/e.ts', 'lib/x.ts'])('lets %j be', (raw) => {
    expect(collisionOf(pathOf(raw), existing)).toBeUndefined();
  });
});

test('reservedDirectoryOf() takes names for reserved that only look like it', () => {
  expect(reservedDirectoryOf(pathOf('strategies/x'))).toBe('strategies');
  expect(reservedDirectoryOf(pathOf('Evals'))).toBe('evals');
  expect(reservedDirectoryOf(pathOf('evals2/x'))).toBeUndefined();
  expect(reservedDirectoryOf(pathOf('lib/evals/x'))).toBeUndefined();
});
