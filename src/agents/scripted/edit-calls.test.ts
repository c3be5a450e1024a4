import { array, assert, constantFrom, pre, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { EditorArguments } from './edit-calls.ts';
import { editCalls } from './edit-calls.ts';
import { withDeclaration } from './program-text.ts';
import { START } from './test-space.ts';

function applied(text: string, calls: readonly EditorArguments[]): string {
  return calls.reduce((current, call) => {
    if (call['command'] === 'create') return textOf(call, 'file_text');
    const from = textOf(call, 'old_str');
    expect(current.split(from)).toHaveLength(2);
    return current.replace(from, () => textOf(call, 'new_str'));
  }, text);
}

const program = array(constantFrom('a', 'b', 'c', '}', '', '$&'), { maxLength: 12 }).map(
  (lines) => `${lines.join('\n')}\n`,
);

function textOf(call: EditorArguments, name: string): string {
  const value = call[name];
  return typeof value === 'string' ? value : '';
}

describe('editCalls()', () => {
  test('turns the one text into the other by unique replacements, or writes it whole', () => {
    assert(
      property(program, program, (before, after) => {
        pre(before !== after);
        expect(applied(before, editCalls('f.ts', before, after))).toBe(after);
      }),
    );
  });

  test('touches only what changes', () => {
    const after = withDeclaration(
      withDeclaration(START, 'passes', 'const passes: Pass[] = [one];'),
      'one',
      'function one() {}',
    );
    const calls = editCalls('task_agent.ts', START, after);
    expect(new Set(calls.map((call) => call['command']))).toEqual(new Set(['str_replace']));
    expect(JSON.stringify(calls)).not.toContain('construct(input)');
    expect(applied(START, calls)).toBe(after);
  });

  test('takes lines out as well', () => {
    const before = withDeclaration(START, 'one', 'function one() {\n  return 1;\n}');
    const calls = editCalls('task_agent.ts', before, START);
    expect(calls.map((call) => call['command'])).toEqual(['str_replace']);
    expect(applied(before, calls)).toBe(START);
  });
});
