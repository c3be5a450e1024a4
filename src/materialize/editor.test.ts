import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type EditorCommand, runEditor } from './editor.ts';
import type { EditorResult } from './editor-result.ts';
import { at, treeOf } from './test-marks.ts';
import { Workspace } from './workspace.ts';

const open = (text: string): Workspace => new Workspace(treeOf({ 'x.ts': text }, { 'task_agent.ts': 'peer\n' }));
/** Runs one command on a file of this text: its answer, and the text afterwards. */
const onText = (text: string, command: EditorCommand): EditorResult & { readonly after: string | undefined } => {
  const workspace = open(text);
  const result = runEditor(workspace, command);
  return { ...result, after: workspace.read(at('x.ts')) };
};
const path = 'x.ts';
const view = (text: string, view_range?: readonly number[]): EditorResult =>
  onText(text, { command: 'view', path, view_range });
const replace = (text: string, old_str: string, new_str?: string): ReturnType<typeof onText> =>
  onText(text, { command: 'str_replace', path, old_str, new_str });
const insert = (text: string, insert_line: number, insert_text: string): ReturnType<typeof onText> =>
  onText(text, { command: 'insert', path, insert_line, insert_text });

describe('view', () => {
  test('numbers the lines of a file and counts it as read', () => {
    expect(view('a\n\nb\n')).toEqual({
      text: '     1\ta\n     2\t\n     3\tb',
      isError: false,
      reads: ['x.ts'],
      after: 'a\n\nb\n',
    });
  });

  test.each<[readonly number[], string]>([
    [[2, 3], '     2\tb\n     3\tc'],
    [[3, -1], '     3\tc\n     4\td'],
    [[4, 4], '     4\td'],
  ])('shows the range %j', (range, text) => {
    expect(view('a\nb\nc\nd\n', range).text).toBe(text);
  });

  test.each<[readonly number[], RegExp]>([
    [[0, 1], /starts at line 0; the file has 2 lines/],
    [[3, 3], /starts at line 3/],
    [[1, 3], /ends at line 3; the file has 2 lines/],
    [[2, 1], /ends at line 1, before it starts/],
    [[1, -2], /ends at line -2/],
    [[1], /two whole numbers/],
    [[1, 2, 3], /two whole numbers/],
    [[1.5, 2], /two whole numbers/],
    [[1, Number.NaN], /two whole numbers/],
  ])('refuses the range %j with the reason', (range, problem) => {
    const result = view('a\nb\n', range);
    expect(result).toMatchObject({ isError: true, reads: [] });
    expect(result.text).toMatch(problem);
  });

  test('tells of an empty file, of CRLF, and of a missing newline', () => {
    expect(view('').text).toBe('[the file is empty]');
    expect(view('a\r\nb\r\n').text).toBe('     1\ta\n     2\tb\n[lines end in CRLF]');
    expect(view('a\nb').text).toBe('     1\ta\n     2\tb\n[no newline at the end]');
  });

  test('clips a long file after whole lines and says which are missing', () => {
    const { text } = view('line of the file\n'.repeat(5000));
    expect(text.length).toBeLessThan(30_200);
    expect(text).toMatch(/\n\[clipped: lines \d+-5000 of 5000 are not shown; ask for them with view_range\]$/);
  });

  test('clips a long line, never inside a character, and says so', () => {
    const { text } = view(`${'x'.repeat(1999)}😀${'y'.repeat(100)}\nnext\n`);
    expect(text).toContain(`${'x'.repeat(10)} [line clipped: 102 more characters]\n     2\tnext`);
    expect(text.isWellFormed()).toBe(true);
  });

  test('lists a directory two levels deep, with sizes and what is read-only', () => {
    const workspace = new Workspace(treeOf({ 'x.ts': 'abc', 'lib/deep/er/y.ts': 'y' }, { 'task_agent.ts': 'peer\n' }));
    expect(runEditor(workspace, { command: 'view', path: '/' })).toEqual({
      text: [
        'evals/  read-only',
        'evals/gen_1/  read-only (1 entries)',
        'lib/',
        'lib/deep/ (1 entries)',
        'strategies/  read-only',
        'strategies/b_gen1/  read-only (2 entries)',
        'x.ts  3 bytes',
      ].join('\n'),
      isError: false,
      reads: [],
    });
    expect(runEditor(workspace, { command: 'view', path: 'strategies/b_gen1' }).text).toMatch(
      /^strategies\/b_gen1\/metadata\.json {2}\d+ bytes {2}read-only\nstrategies\/b_gen1\/task_agent\.ts {2}5 bytes {2}read-only$/,
    );
    expect(runEditor(workspace, { command: 'view', path: '/', view_range: [1, 2] }).isError).toBe(true);
    expect(runEditor(workspace, { command: 'view', path: '/tmp' }).text).toBe('[the directory is empty]');
  });
});

describe('create', () => {
  test('writes a new file byte for byte', () => {
    const workspace = open('');
    const result = runEditor(workspace, { command: 'create', path: 'new.ts', file_text: 'a\r\nb$&' });
    expect(result).toEqual({ text: 'Created /new.ts (6 bytes, 2 lines).', isError: false, reads: [], wrote: 'new.ts' });
    expect(workspace.read(at('new.ts'))).toBe('a\r\nb$&');
  });

  test('replaces a file that is there, and says so', () => {
    expect(onText('old', { command: 'create', path, file_text: 'new' })).toMatchObject({
      text: 'Replaced /x.ts (3 bytes, 1 lines).',
      after: 'new',
    });
  });
});

describe('str_replace', () => {
  test('replaces the one occurrence and shows the lines around it', () => {
    const text = Array.from({ length: 20 }, (_, index) => `line ${index + 1}\n`).join('');
    const result = replace(text, 'line 10\n', 'ten\nand a half\n');
    expect(result.after).toBe(text.replace('line 10\n', 'ten\nand a half\n'));
    expect(result.text.split('\n')).toEqual([
      'Edited /x.ts:',
      '     6\tline 6',
      '     7\tline 7',
      '     8\tline 8',
      '     9\tline 9',
      '    10\tten',
      '    11\tand a half',
      '    12\tline 11',
      '    13\tline 12',
      '    14\tline 13',
      '    15\tline 14',
    ]);
  });

  test('takes both texts literally', () => {
    expect(replace('a.b\n', 'a.b', "$& $1 $$ $` $'").after).toBe("$& $1 $$ $` $'\n");
    expect(replace('axb\n', 'a.b', 'z')).toMatchObject({ isError: true, after: 'axb\n' });
  });

  test('deletes when new_str is left out', () => {
    expect(replace('keep drop\n', ' drop').after).toBe('keep\n');
    expect(replace('all', 'all')).toMatchObject({ text: 'Edited /x.ts; the file is empty now.', after: '' });
  });

  test('names the lines of several matches, overlapping ones too, and changes nothing', () => {
    const result = replace('x = 1\ny\nx = 1\n', 'x = 1', 'z');
    expect(result).toMatchObject({ isError: true, after: 'x = 1\ny\nx = 1\n' });
    expect(result.text).toContain('lines 1, 3;');
    expect(replace('aaa', 'aa', 'b')).toMatchObject({ isError: true, after: 'aaa' });
    expect(replace('a\n'.repeat(100), 'a', 'b').text).toMatch(/20 and more;/);
  });

  test('refuses an empty old_str and one that is not there', () => {
    expect(replace('a', '', 'b').text).toContain('old_str is empty');
    expect(replace('a', 'b', 'c').text).toContain('does not occur');
  });

  test('keeps CRLF: newlines of both texts mean the file’s', () => {
    expect(replace('a\r\nb\r\nc\r\n', 'a\nb', 'x\ny\nz').after).toBe('x\r\ny\r\nz\r\nc\r\n');
    expect(replace('a\r\nb\n', 'b', 'x\ny').after).toBe('a\r\nx\ny\n');
  });

  test('keeps a missing newline at the end', () => {
    expect(replace('a\nb', 'a', 'c').after).toBe('c\nb');
  });
});

describe('insert', () => {
  test.each<[string, number, string, string]>([
    ['a\nb\n', 0, 'x', 'x\na\nb\n'],
    ['a\nb\n', 1, 'x\n', 'a\nx\nb\n'],
    ['a\nb\n', 2, 'x', 'a\nb\nx\n'],
    ['a\nb', 2, 'x', 'a\nb\nx'],
    ['a\nb', 2, 'x\n', 'a\nb\nx'],
    ['a\nb', 1, 'x', 'a\nx\nb'],
    ['a\r\nb\r\n', 1, 'x\ny', 'a\r\nx\r\ny\r\nb\r\n'],
    ['', 0, 'x', 'x'],
    ['', 0, 'x\n', 'x\n'],
  ])('in %j after line %i puts %j: %j', (text, line, added, after) => {
    expect(insert(text, line, added)).toMatchObject({ isError: false, after });
  });

  test.each([-1, 3, 1.5, Number.NaN, Number.POSITIVE_INFINITY])('refuses line %s of two', (line) => {
    const result = insert('a\nb\n', line, 'x');
    expect(result).toMatchObject({ isError: true, after: 'a\nb\n' });
    expect(result.text).toContain('from 0 to 2');
  });

  test('refuses to insert nothing', () => {
    expect(insert('a\n', 1, '').isError).toBe(true);
  });
});

describe('undo_edit', () => {
  test('takes back the edits of one file, and says when there are no more', () => {
    const workspace = open('one\n');
    runEditor(workspace, { command: 'create', path: 'new.ts', file_text: 'n' });
    runEditor(workspace, { command: 'str_replace', path, old_str: 'one', new_str: 'two' });
    runEditor(workspace, { command: 'insert', path, insert_line: 0, insert_text: 'zero' });
    runEditor(workspace, { command: 'undo_edit', path });
    expect(workspace.read(at(path))).toBe('two\n');
    runEditor(workspace, { command: 'undo_edit', path });
    expect(workspace.read(at(path))).toBe('one\n');
    expect(runEditor(workspace, { command: 'undo_edit', path })).toMatchObject({ isError: true });
    expect(runEditor(workspace, { command: 'undo_edit', path: 'new.ts' }).text).toContain('gone again');
    expect(workspace.changes()).toEqual([]);
  });

  test('restores the text before any edit that succeeded, and only then has one to restore', () => {
    const piece = fc.oneof(fc.constantFrom('', 'a', '\n', '\r\n', 'a\nb', 'aa', '$&', 'é'), fc.string());
    const command = fc.oneof(
      fc.record({ command: fc.constant('create' as const), path: fc.constant(path), file_text: piece }),
      fc.record({
        command: fc.constant('str_replace' as const),
        path: fc.constant(path),
        old_str: piece,
        new_str: piece,
      }),
      fc.record({
        command: fc.constant('insert' as const),
        path: fc.constant(path),
        insert_line: fc.integer({ min: -1, max: 6 }),
        insert_text: piece,
      }),
    );
    const text = fc.array(piece, { maxLength: 8 }).map((parts) => parts.join(''));
    fc.assert(
      fc.property(text, command, (before, edit) => {
        const workspace = open(before);
        const { isError, wrote } = runEditor(workspace, edit);
        expect(wrote).toBe(isError ? undefined : path);
        expect(workspace.read(at(path)) === before || !isError).toBe(true);
        expect(runEditor(workspace, { command: 'undo_edit', path }).isError).toBe(isError);
        expect(workspace.read(at(path))).toBe(before);
      }),
      { numRuns: 1000 },
    );
  });
});

test('every command answers the same for a path that is not there, whatever it names', () => {
  const commands = (where: string): readonly EditorCommand[] => [
    { command: 'view', path: where },
    { command: 'str_replace', path: where, old_str: 'x', new_str: 'y' },
    { command: 'insert', path: where, insert_line: 0, insert_text: 'x' },
  ];
  const answers = (where: string): readonly string[] =>
    commands(where).map((command) => runEditor(open('x'), command).text.replaceAll(where, 'PATH'));
  expect(answers('eval/expected.json')).toEqual(answers('no/such.json'));
  expect(answers('agents/ab/task_agent.ts')).toEqual(answers('no/such.json'));
});

test('no command changes what is read-only', () => {
  const workspace = open('x');
  const before = workspace.snapshot();
  const where = 'strategies/b_gen1/task_agent.ts';
  for (const command of [
    { command: 'create', path: where, file_text: 'x' },
    { command: 'str_replace', path: where, old_str: 'peer', new_str: 'y' },
    { command: 'insert', path: where, insert_line: 0, insert_text: 'x' },
    { command: 'undo_edit', path: where },
  ] as const) {
    expect(runEditor(workspace, command).isError).toBe(true);
  }
  expect(workspace.snapshot()).toEqual(before);
});
