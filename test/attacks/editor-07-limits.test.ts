import { expect, test } from 'vitest';
import { benchOf } from '../../src/agents/tools/test-guard.ts';
import { ROOT } from '../../src/materialize/paths.ts';

const MIB = 2 ** 20;

/** What this thread computed since: the clock also counts what others did meanwhile. */
function cpuMsSince(start: NodeJS.CpuUsage): number {
  const { user, system } = process.threadCpuUsage(start);
  return (user + system) / 1000;
}

// ED-07
test.each([
  ['a name of 5 000 characters', `${'a'.repeat(5000)}.js`],
  ['2 000 directories deep', `${'d/'.repeat(2000)}x.js`],
  ['a path of 64 MiB', 'd/'.repeat(32 * MIB)],
])('%s is refused at once, even by a grant that lists it', async (_what, path) => {
  const a = benchOf({ edit: { editable: [path] } });
  const startedAt = process.threadCpuUsage();
  const answer = await a.call('editor', { command: 'create', path, file_text: 'x' });
  expect(answer).toMatchObject({ isError: true, denied: { code: 'malformed', field: 'path' } });
  expect(answer.text.length).toBeLessThan(1000);
  expect(cpuMsSince(startedAt)).toBeLessThan(1000);
  expect(JSON.stringify(a.records).length).toBeLessThan(1000);
  expect(a.workspace.changes()).toEqual([]);
});

test('a text of 64 MiB is refused for its size', async () => {
  const a = benchOf();
  const answer = await a.call('editor', { command: 'create', path: 'task_agent.ts', file_text: 'x'.repeat(64 * MIB) });
  expect(answer).toMatchObject({ denied: { code: 'file-too-large', bytes: 64 * MIB } });
  expect(a.workspace.changes()).toEqual([]);
});

test('10 000 files of one byte stop at the limit, and listing stays quick', async () => {
  const editable = Array.from({ length: 10_000 }, (_, index) => `f${index}.js`);
  const a = benchOf({ edit: { editable }, limit: 20_000 });
  let made = 0;
  let refusal = '';
  for (const path of editable) {
    const answer = await a.call('editor', { command: 'create', path, file_text: 'x' });
    if (answer.isError) refusal = answer.text;
    else made += 1;
  }
  expect(made).toBe(998); // with its two own files: 1 000
  expect(refusal).toContain('at most 1000 files');
  const startedAt = process.threadCpuUsage();
  const listing = await a.call('editor', { command: 'view', path: '/' });
  expect(cpuMsSince(startedAt)).toBeLessThan(100);
  expect(listing.text.length).toBeLessThan(31_000);
  expect(a.workspace.list(ROOT)).toHaveLength(1002);
});

test('many large files stop at the bytes they may have together', async () => {
  const editable = Array.from({ length: 20 }, (_, index) => `f${index}.js`);
  const a = benchOf({ edit: { editable, maxFileBytes: MIB } });
  const answers = [];
  for (const path of editable)
    answers.push(await a.call('editor', { command: 'create', path, file_text: 'x'.repeat(MIB) }));
  expect(answers.filter(({ isError }) => !isError)).toHaveLength(7);
  expect(answers.at(-1)?.text).toContain(`at most ${8 * MIB} bytes`);
});
