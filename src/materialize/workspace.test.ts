import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { at, treeOf } from './test-marks.ts';
import { Workspace } from './workspace.ts';

const open = (limits = {}): Workspace =>
  new Workspace(treeOf({ 'task_agent.ts': 'old\n', 'lib/a.ts': 'a' }, { 'task_agent.ts': 'peer' }), limits);

describe('Workspace', () => {
  test('lists names, sorted, directories with a slash', () => {
    const workspace = open();
    expect(workspace.list(at('/'))).toEqual(['evals/', 'lib/', 'strategies/', 'task_agent.ts']);
    expect(workspace.list(at('strategies/b_gen1'))).toEqual(['metadata.json', 'task_agent.ts']);
    expect(workspace.list(at('nowhere'))).toEqual([]);
    expect(workspace.list(at('li'))).toEqual([]);
    expect(workspace.list(at('task_agent.ts'))).toEqual([]);
  });

  test('gives what changed of the agent’s own files, scratch apart', () => {
    const workspace = open();
    workspace.write(at('task_agent.ts'), 'new\n');
    workspace.write(at('new.ts'), 'n');
    workspace.remove(at('lib/a.ts'));
    workspace.write(at('tmp/x'), 'scratch');
    workspace.write(at('brief.ts'), 'b');
    workspace.remove(at('brief.ts'));
    expect(workspace.changes()).toEqual([
      { path: 'lib/a.ts', before: 'a', after: null },
      { path: 'new.ts', before: null, after: 'n' },
      { path: 'task_agent.ts', before: 'old\n', after: 'new\n' },
    ]);
    expect(workspace.snapshot()).toMatchObject({ '/tmp/x': 'scratch', '/task_agent.ts': 'new\n' });
  });

  test('sees no change where a file is what it was', () => {
    const workspace = open();
    workspace.write(at('task_agent.ts'), 'new\n');
    workspace.write(at('task_agent.ts'), 'old\n');
    expect(workspace.changes()).toEqual([]);
  });

  test.each([
    'strategies/b_gen1/task_agent.ts',
    'strategies/a_gen99/metadata.json',
    'evals/gen_1/report.json',
    'Evals/x',
    'TMP/x',
  ])('takes no write at %s', (path) => {
    const workspace = open();
    const before = workspace.snapshot();
    expect(workspace.write(at(path), 'x')?.code).toBe('read-only');
    expect(workspace.snapshot()).toEqual(before);
  });

  test('removes nothing that is read-only or not there', () => {
    const workspace = open();
    expect(workspace.remove(at('strategies/b_gen1/task_agent.ts'))?.code).toBe('read-only');
    expect(workspace.remove(at('nowhere'))?.code).toBe('no-such-file');
  });

  test('lets no two names differ by case or Unicode form, and no file be a directory', () => {
    const workspace = open();
    expect(workspace.write(at('Task_Agent.ts'), 'x')?.code).toBe('collision');
    expect(workspace.write(at('task_agent.ts/x'), 'x')?.code).toBe('collision');
    expect(workspace.write(at('lib'), 'x')?.code).toBe('collision');
    expect(workspace.write(at('e\u0301.ts'), 'x')).toBeUndefined();
    expect(workspace.write(at('\u00e9.ts'), 'x')?.code).toBe('collision');
    workspace.remove(at('e\u0301.ts'));
    expect(workspace.write(at('\u00e9.ts'), 'x')).toBeUndefined();
  });

  test('holds its limits on files and bytes, own and scratch apart, and counts what is freed', () => {
    const workspace = open({ maxFiles: 3, maxBytes: 20, maxScratchBytes: 5 });
    expect(workspace.write(at('one.ts'), '1')).toBeUndefined();
    expect(workspace.write(at('two.ts'), '2')?.code).toBe('too-many-files');
    expect(workspace.write(at('one.ts'), 'x'.repeat(16))?.code).toBe('too-many-bytes');
    expect(workspace.write(at('one.ts'), 'x'.repeat(15))).toBeUndefined();
    workspace.remove(at('one.ts'));
    expect(workspace.write(at('two.ts'), 'y'.repeat(15))).toBeUndefined();
    expect(workspace.write(at('tmp/a'), '123456')?.code).toBe('too-many-bytes');
    expect(workspace.write(at('tmp/a'), '12345')).toBeUndefined();
    expect(workspace.write(at('tmp/b'), '1')?.code).toBe('too-many-bytes');
  });

  test('undo takes back any series of writes and removals, step by step', () => {
    const step = fc.record({
      path: fc.constantFrom('task_agent.ts', 'lib/a.ts', 'new.ts', 'tmp/x'),
      text: fc.option(fc.string(), { nil: null }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const workspace = open();
        const states = [workspace.snapshot()];
        const done: string[] = [];
        for (const { path, text } of steps) {
          const refusal = text === null ? workspace.remove(at(path)) : workspace.write(at(path), text);
          if (refusal) continue;
          done.push(path);
          states.push(workspace.snapshot());
        }
        for (const path of done.reverse()) {
          expect(workspace.snapshot()).toEqual(states.pop());
          expect(workspace.undo(at(path))).toBeUndefined();
        }
        expect(workspace.snapshot()).toEqual(states.pop());
        expect(workspace.changes()).toEqual([]);
        expect(workspace.undo(at('task_agent.ts'))?.code).toBe('nothing-to-undo');
      }),
    );
  });
});
