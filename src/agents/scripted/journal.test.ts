import { describe, expect, test } from 'vitest';
import { readJournal, settleLast, undoOf, writeJournal } from './journal.ts';
import { withDeclaration } from './program-text.ts';
import { START } from './test-space.ts';

const CHANGED = withDeclaration(
  withDeclaration(START, 'twice', 'function twice(x: number): number {\n  return 2 * x;\n}'),
  'passes',
  'const passes: Pass[] = [\n\n  twice,\n];',
);
const entry = { generation: 3, key: 'twice', words: 'doubles | everything' };
const journal = { code: CHANGED, entries: [entry], undo: undoOf(START, CHANGED) };

describe('the journal', () => {
  test('is read as it was written', () => {
    const text = writeJournal(journal);
    expect(text.startsWith(CHANGED.trimEnd())).toBe(true);
    const back = readJournal(text);
    expect(back).toEqual({ ...journal, entries: [{ ...entry, words: 'doubles   everything' }] });
    expect(writeJournal(back)).toBe(text);
  });

  test('consists of comments only', () => {
    const lines = writeJournal(journal).slice(CHANGED.length).split('\n');
    expect(lines.every((line) => line === '' || line.startsWith('//'))).toBe(true);
  });

  test('of a program without one is empty', () => {
    expect(readJournal(START)).toEqual({ code: START, entries: [], undo: { added: [], replaced: new Map() } });
  });
});

describe('settleLast()', () => {
  test('keeps a change that improved the best score', () => {
    const settled = settleLast(
      journal,
      new Map([
        [0, 0.5],
        [2, 0.7],
        [3, 0.71],
      ]),
    );
    expect(settled.code).toBe(CHANGED);
    expect(settled.entries.at(-1)?.outcome).toBe('kept 0.7100');
  });

  test('takes a change back that did not, to the very text before it', () => {
    const settled = settleLast(
      journal,
      new Map([
        [0, 0.5],
        [2, 0.7],
        [3, 0.7],
      ]),
    );
    expect(settled.code).toBe(START);
    expect(settled.entries.at(-1)?.outcome).toBe('dropped 0.7000 after 0.7000');
    expect(settled.undo.added).toEqual([]);
  });

  test('concludes nothing where no score is disclosed', () => {
    expect(settleLast(journal, new Map()).code).toBe(CHANGED);
  });
});
