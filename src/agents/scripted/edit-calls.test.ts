import { fc, test } from '@fast-check/vitest';
import { describe, expect } from 'vitest';
import type { EditorArguments } from './edit-calls.ts';
import { editCalls } from './edit-calls.ts';
import { withDeclaration } from './program-text.ts';
import { START } from './test-space.ts';

function applied(text: string, calls: readonly EditorArguments[]): string {
  return calls.reduce((current, call) => {
    if (call['command'] === 'create') return String(call['file_text']);
    const from = String(call['old_str']);
    expect(current.split(from)).toHaveLength(2);
    return current.replace(from, () => String(call['new_str']));
  }, text);
}

const program = fc
  .array(fc.constantFrom('a', 'b', 'c', '}', '', '$&'), { maxLength: 12 })
  .map((lines) => `${lines.join('\n')}\n`);

describe('editCalls()', () => {
  test.prop([program, program])(
    'turns the one text into the other by unique replacements, or writes it whole',
    (before, after) => {
      fc.pre(before !== after);
      expect(applied(before, editCalls('f.ts', before, after))).toBe(after);
    },
  );

  test('touches only what changes', () => {
    const after = withDeclaration(
      withDeclaration(START, 'passes', 'const passes: Pass[] = [one];'),
      'one',
      'function one() {}',
    );
    const calls = editCalls('task_agent.ts', START, after);
    expect(calls.map((call) => call['command'])).toEqual(['str_replace']);
    expect(JSON.stringify(calls)).not.toContain('construct(input)');
    expect(applied(START, calls)).toBe(after);
  });
});
