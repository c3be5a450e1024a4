import { describe, expect, it } from 'vitest';
import { cleanText, ownMessage, ownPlace, resolveImport } from './program-modules.ts';

const PATHS = new Set(['task_agent.ts', 'lib/pack.ts', 'lib/sort.js', 'meta_agent.ts']);

describe('resolveImport()', () => {
  it.each([
    ['./lib/pack.ts', 'task_agent.ts', 'lib/pack.ts'],
    ['./lib/pack', 'task_agent.ts', 'lib/pack.ts'],
    ['./lib/pack.js', 'task_agent.ts', 'lib/pack.ts'],
    ['./lib/sort', 'task_agent.ts', 'lib/sort.js'],
    ['./lib/sort.ts', 'task_agent.ts', 'lib/sort.js'],
    ['../task_agent', 'lib/pack.ts', 'task_agent.ts'],
    ['./sort.js', 'lib/pack.ts', 'lib/sort.js'],
  ])('finds %s from %s', (specifier, importer, path) => {
    expect(resolveImport(specifier, importer, PATHS)).toBe(path);
  });

  it.each([
    'lib/pack.ts',
    '/task_agent.ts',
    'node:fs',
    'file:///task_agent.ts',
    './nowhere.ts',
    '../task_agent.ts',
    '../../x',
  ])('refuses %s from the root', (specifier) => {
    expect(resolveImport(specifier, 'task_agent.ts', PATHS)).toBeUndefined();
  });
});

describe('ownPlace()', () => {
  it('skips frames that are not in the program', () => {
    const stack =
      'TypeError: x\n    at f (/srv/app/node_modules/a.js:1:2)\n    at lib/pack.ts:12:5\n    at task_agent.ts:3:1';
    expect(ownPlace(stack, PATHS)).toBe('lib/pack.ts:12');
  });

  it('finds nothing in a stack of strangers', () => {
    expect(ownPlace('at /srv/secret/scorer.js:1:2', PATHS)).toBeUndefined();
  });
});

describe('ownMessage()', () => {
  it('puts the place first and drops the engine suffix', () => {
    const thrown = { name: 'SyntaxError', message: "Unexpected token ';' [task_agent.ts:4:9]", stack: '' };
    expect(ownMessage(thrown, PATHS)).toBe("task_agent.ts:4: SyntaxError: Unexpected token ';'");
  });

  it('keeps line breaks and control characters out of a report', () => {
    expect(cleanText('a\nb\u0000\u001b[31mc', 100)).toBe('a b [31mc');
    expect(cleanText('x'.repeat(50), 10)).toBe('xxxxxxxxxx...');
  });
});
