import { describe, expect, test } from 'vitest';
import { conflictCopyOf, isConflictCopy, isLeftAlone, isMeta, isTemporaryName } from './disk-names.ts';

describe('isTemporaryName() knows', () => {
  test.each([
    ['vim', ['.task_agent.ts.swp', '.task_agent.ts.swo', '.a.swpx', '4913', 'task_agent.ts~']],
    ['emacs', ['#task_agent.ts#', '.#task_agent.ts', 'task_agent.ts~']],
    ['JetBrains', ['task_agent.ts___jb_tmp___', 'task_agent.ts___jb_old___']],
    ['VS Code', ['task_agent.ts.vsctmp']],
    ['tools that write and rename', ['a.ts.tmp', 'a.ts.tmp.4711.1700000000000', 'sedAb12Cd', '.goutputstream-X1Y2Z3']],
    ['systems', ['.DS_Store', '._a.ts', 'Thumbs.db', '.nfs0000000000000001']],
  ])('%s', (_whose, names) => {
    for (const name of names) {
      expect(isTemporaryName(name), name).toBe(true);
      expect(isTemporaryName(`lib/${name}`), name).toBe(true);
    }
  });

  test('and takes nothing else for one', () => {
    for (const name of ['task_agent.ts', 'sedative.ts', 'tmp.ts', 'a.tmpl', '49130', 'swp.ts', 'notes.md', 'a#b.ts'])
      expect(isTemporaryName(name), name).toBe(false);
  });
});

test("the mirror's own names are its own in any spelling that a careless file system takes for the same", () => {
  for (const path of ['.hivemark', '.hivemark/join.json', '.HIVEMARK/x', 'HIVEMARK.md', 'hivemark.MD'])
    expect(isMeta(path), path).toBe(true);
  for (const path of ['hivemark', 'lib/HIVEMARK.md', '.hivemarks/x', 'HIVEMARK.md/x'])
    expect(isMeta(path), path).toBe(false);
});

test('a conflict copy has a name beside the file, keeps its extension, and is known by it', () => {
  expect(conflictCopyOf('task_agent.ts', 2)).toBe('task_agent.conflict-2.ts');
  expect(conflictCopyOf('lib.d/Makefile', 1)).toBe('lib.d/Makefile.conflict-1');
  expect(conflictCopyOf('lib/.env', 1)).toBe('lib/.env.conflict-1');
  for (const path of ['a.ts', 'lib.d/Makefile', '.env', 'a.b.c'])
    expect(isConflictCopy(conflictCopyOf(path, 12)), path).toBe(true);
  expect(isConflictCopy('conflict-1.ts')).toBe(false);
});

test('what tools keep beside a program is left alone, wherever it is', () => {
  for (const path of [
    '.git/HEAD',
    '.vscode/settings.json',
    'node_modules/x/y.js',
    'lib/.cache/z',
    '.env',
    'a.conflict-1.ts',
  ])
    expect(isLeftAlone(path), path).toBe(true);
  for (const path of ['task_agent.ts', 'notes.md', 'lib/x.ts', 'Task_Agent.ts'])
    expect(isLeftAlone(path), path).toBe(false);
});
