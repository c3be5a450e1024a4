import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { beforeEach, describe, expect, test } from 'vitest';
import { answeringShell } from '../agents/tools/test-guard.ts';
import { participantServer } from './participant-server.ts';
import { PARTICIPANT_TOOLS } from './participant-tools.ts';
import { callTool, connectInMemory, errorOf, textsOf } from './test-mcp-client.ts';
import { BEGINNING, openTestSeat, type TestSeat } from './test-seat.ts';

let bench: TestSeat;
let client: Client;
/** Every call of these tests goes through the SDK's client, which checks structured content against the tool's output schema. */
const call = (name: string, args?: unknown) => callTool(client, name, args);
const value = async (name: string, args?: unknown): Promise<unknown> => {
  const result = await call(name, args);
  if (result.isError === true) throw new Error(textsOf(result).join('\n'));
  return result.structuredContent;
};

beforeEach(async () => {
  bench = await openTestSeat({
    shell: answeringShell({ stdout: 'hello\n', changed: { '/notes.md': 'by shell\n', '/other.ts': 'x' } }),
  });
  ({ client } = await connectInMemory(participantServer(bench.seat)));
  await client.listTools();
});

test('every tool has a title, a description, schemas for both ways and annotations, and no name twice', () => {
  const names = PARTICIPANT_TOOLS.map(({ definition }) => definition.name);
  expect(new Set(names).size).toBe(names.length);
  for (const { definition } of PARTICIPANT_TOOLS) {
    expect(definition).toMatchObject({
      name: expect.stringMatching(/^[a-z_]{3,30}$/u),
      title: expect.any(String),
      description: expect.stringMatching(/^.{20,}\.$/su),
      inputSchema: { type: 'object', additionalProperties: false },
      outputSchema: { type: 'object' },
      annotations: { readOnlyHint: expect.any(Boolean), destructiveHint: expect.any(Boolean), openWorldHint: false },
    });
  }
});

describe('files', () => {
  test('are listed by directory and by page', async () => {
    await bench.publish('bob', 3, { 'task_agent.ts': 'b', 'lib/x.ts': 'x' });
    const all = (await value('list_files')) as { files: { path: string }[] };
    const paths = all.files.map(({ path }) => path);
    expect(paths).toEqual([
      'README.md',
      'strategies/bob_gen3/lib/x.ts',
      'strategies/bob_gen3/metadata.json',
      'strategies/bob_gen3/task_agent.ts',
      'task_agent.ts',
    ]);
    expect(await value('list_files', { directory: '/strategies/bob_gen3/lib' })).toMatchObject({
      files: [{ kind: 'strategy', editable: false, peer: { agent: 'bob', generation: 3 } }],
    });
    const seen: string[] = [];
    let cursor: string | undefined;
    do {
      const page = (await value('list_files', { limit: 2, ...(cursor === undefined ? {} : { cursor }) })) as {
        files: { path: string }[];
        nextCursor?: string;
      };
      expect(page.files.length).toBeLessThanOrEqual(2);
      seen.push(...page.files.map(({ path }) => path));
      cursor = page.nextCursor;
    } while (cursor !== undefined);
    expect(seen).toEqual(paths);
    expect(errorOf(await call('list_files', { directory: '../x' })).message).toContain('leads out of the view');
    expect(errorOf(await call('list_files', { cursor: '%%' })).message).toContain('"cursor"');
  });

  test('are viewed, edited and undone, and what was written is durable', async () => {
    expect(textsOf(await call('view', { path: 'task_agent.ts', view_range: [2, -1] }))).toEqual([
      '     2\texport const y = 2;',
    ]);
    const replaced = await call('str_replace', { path: 'task_agent.ts', old_str: 'x = 1', new_str: 'x = 7' });
    expect(replaced.structuredContent).toMatchObject({ wrote: [{ path: 'task_agent.ts', bytes: 40 }] });
    await value('insert', { path: 'task_agent.ts', insert_line: 0, insert_text: '// top\n' });
    const read = await bench.seat.read('task_agent.ts', 'test');
    expect(read).toMatchObject({ text: '// top\nexport const x = 7;\nexport const y = 2;\n' });
    await value('undo_edit', { path: 'task_agent.ts' });
    await value('undo_edit', { path: 'task_agent.ts' });
    expect(await bench.seat.read('task_agent.ts', 'test')).toMatchObject({ text: BEGINNING['task_agent.ts'] });
    await value('create', { path: 'notes.md', file_text: 'n' });
    expect(await bench.seat.read('notes.md', 'test')).toMatchObject({ text: 'n' });
  });

  test.each([
    ['create', { path: 'README.md', file_text: 'mine' }, 'not-editable'],
    ['create', { path: 'strategies/bob_gen1/task_agent.ts', file_text: 'mine' }, 'not-editable'],
    ['str_replace', { path: 'README.md', old_str: 'ann', new_str: 'x' }, 'not-editable'],
    ['insert', { path: 'README.md', insert_line: 0, insert_text: 'x' }, 'not-editable'],
    ['view', { path: 'no/such.ts' }, 'tool'],
    ['undo_edit', { path: 'task_agent.ts' }, 'tool'],
  ])('%s %j is refused as an error of the tool, with one decision on record', async (tool, args, code) => {
    const before = (await bench.decisions()).length;
    const result = await call(tool, args);
    const error = errorOf(result);
    expect(error.code).toBe(code);
    expect(textsOf(result)).toEqual([`Error: ${error.message}`]);
    expect(await bench.decisions()).toHaveLength(before + 1);
    expect(await bench.seat.read('README.md', 'test')).toMatchObject({ text: BEGINNING['README.md'] });
  });

  test('are put only where they are what was expected; a conflict says what they are', async () => {
    const put = (await value('put_file', { path: 'notes.md', text: 'one', expected_sha256: null })) as {
      file: { sha256: string };
    };
    const conflict = errorOf(await call('put_file', { path: 'notes.md', text: 'two', expected_sha256: null }));
    expect(conflict).toMatchObject({ code: 'conflict', now: { text: 'one', sha256: put.file.sha256 } });
    await value('put_file', { path: 'notes.md', text: 'two', expected_sha256: put.file.sha256 });
    const { file } = (await value('put_file', { path: 'notes.md', text: 'two', expected_sha256: null })) as {
      file: { sha256: string };
    };
    expect(await value('put_file', { path: 'notes.md', text: null, expected_sha256: file.sha256 })).toEqual({
      file: null,
    });
    expect(errorOf(await call('create', { path: 'notes.md', file_text: 'x'.repeat(400_001) })).code).toBe(
      'file-too-large',
    );
    expect(errorOf(await call('put_file', { path: 'notes.md', text: 'x', expected_sha256: 'abc' })).message).toContain(
      '"expected_sha256"',
    );
  });

  test('are changed by a shell command as far as they may be', async () => {
    const result = await call('bash', { command: 'echo hello' });
    expect(result.structuredContent).toMatchObject({ wrote: [{ path: 'notes.md' }] });
    expect(textsOf(result).join('\n')).toContain('not persisted: /other.ts');
    expect(errorOf(await call('bash', { command: 'x'.repeat(65_537) })).message).toContain('"command"');
  });
});

describe('strategies and evaluations', () => {
  test('are listed with score and files, and read one file at a time, on record as reads', async () => {
    expect(await value('list_strategies')).toEqual({ strategies: [] });
    await bench.publish('bob', 2, { 'task_agent.ts': 'bobs code', 'lib/x.ts': 'bobs x' }, 0.875);
    expect(await value('list_strategies')).toMatchObject({
      strategies: [
        {
          peer: 'bob',
          generation: 2,
          score: 0.875,
          model: 'scripted',
          folder: 'strategies/bob_gen2',
          files: [{ path: 'strategies/bob_gen2/lib/x.ts' }, { path: 'strategies/bob_gen2/metadata.json' }, {}],
        },
      ],
    });
    const main = await call('read_strategy', { peer: 'bob' });
    expect(textsOf(main)).toEqual(['bobs code']);
    expect(main.structuredContent).toMatchObject({ peer: 'bob', generation: 2, text: 'bobs code', clipped: false });
    expect(textsOf(await call('read_strategy', { peer: 'bob', path: 'lib/x.ts' }))).toEqual(['bobs x']);
    expect(bench.reads.map(({ tool, path }) => [tool, path])).toEqual([
      ['read_strategy', 'strategies/bob_gen2/task_agent.ts'],
      ['read_strategy', 'strategies/bob_gen2/lib/x.ts'],
    ]);
    await bench.publish('bob', 4, { 'task_agent.ts': 'better' });
    expect(textsOf(await call('read_strategy', { peer: 'bob' }))).toEqual(['better']);
  });

  test.each([
    [{ peer: 'eve' }, 'no-such-strategy'],
    [{ peer: '../../etc' }, 'no-such-strategy'],
    [{ peer: 'bob', path: 'nothing.ts' }, 'no-such-file'],
    [{ peer: 'bob', path: '../../task_agent.ts' }, 'malformed'],
    [{ peer: 'bob', path: 'a\nb' }, 'malformed'],
  ])('read_strategy %j is refused with %s and one decision', async (args, code) => {
    await bench.publish('bob', 2, { 'task_agent.ts': 'bobs code' });
    const before = (await bench.decisions()).length;
    expect(errorOf(await call('read_strategy', args)).code).toBe(code);
    expect(await bench.decisions()).toHaveLength(before + 1);
    expect(bench.reads).toEqual([]);
  });

  test('of evaluations the newest is read when none is named', async () => {
    expect(errorOf(await call('read_evaluation'))).toMatchObject({
      code: 'no-such-evaluation',
      message: 'you have no evaluation yet',
    });
    await bench.disclose(1, { 'train.json': 'one', 'validation.json': '{}' });
    await bench.disclose(12, { 'train.json': 'twelve' });
    expect(await value('list_evaluations')).toMatchObject({
      evaluations: [{ generation: 12 }, { generation: 1 }],
      more: 0,
    });
    expect(await value('list_evaluations', { before: 12 })).toMatchObject({ evaluations: [{ generation: 1 }] });
    expect(textsOf(await call('read_evaluation'))).toEqual(['twelve']);
    expect(textsOf(await call('read_evaluation', { generation: 1, file: 'validation.json' }))).toEqual(['{}']);
    expect(errorOf(await call('read_evaluation', { generation: 5 })).message).toContain('generation 5');
  });

  test('a long text is clipped, with a note in a block of its own and the way to the rest', async () => {
    const text = `${'a'.repeat(99_999)}\u{1f600}${'b'.repeat(1000)}`;
    await bench.publish('bob', 1, { 'task_agent.ts': text });
    const [shown = '', note = '', ...more] = textsOf(await call('read_strategy', { peer: 'bob' }));
    expect(shown).toBe('a'.repeat(99_999));
    expect(note).toMatch(/^\[clipped after 99999 of 101001 characters; view .* with view_range/u);
    expect(more).toEqual([]);
  });
});

describe('marks', () => {
  test('are written into the notes of whoever is connected, and read back', async () => {
    const { mark } = (await value('write_observation', { topic: 'speed', content: { ms: 4 } })) as {
      mark: { id: string };
    };
    expect(mark).toMatchObject({
      kind: 'observation',
      agent: 'ann',
      scope: 'notes/ann',
      topic: 'speed',
      content: { ms: 4 },
    });
    expect(
      await value('write_warning', { topic: 'speed', reason: 'noise', severity: 'caution', invalidates: mark.id }),
    ).toMatchObject({ mark: { kind: 'warning', invalidates: mark.id } });
    expect(await value('write_need', { question: 'More cases?', priority: 1, blocking: true })).toMatchObject({
      mark: { kind: 'need', question: 'More cases?', context: null, blocking: true },
    });
    expect(await value('read_mark', { id: mark.id })).toMatchObject({ mark });
    const { marks } = (await value('read_marks', { scope: 'notes', limit: 2 })) as { marks: { kind: string }[] };
    expect(marks.map(({ kind }) => kind)).toEqual(['need', 'warning']);
    expect(
      await value('read_marks', { scope: 'notes', kind: 'observation', topic: 'speed', agent: 'ann' }),
    ).toMatchObject({
      marks: [{ id: mark.id }],
    });
  });

  test.each([
    ['write_observation', { topic: 't', content: 'c', agent: 'bob' }, '"agent"'],
    ['write_observation', { topic: 't', content: 'c', id: 'x' }, '"id"'],
    ['write_observation', { topic: 't', content: 'c', scope: 'strategies' }, '"scope"'],
    ['write_observation', { topic: 't', content: 'c', source: 'fleet' }, '"source"'],
    ['write_observation', { topic: 't' }, '"content"'],
    ['write_observation', { topic: 't', content: 'c', confidence: 2 }, '"confidence"'],
    ['write_warning', { topic: 't', reason: 'r', severity: 'bad' }, '"severity"'],
    ['write_need', { question: '\ud800' }, '"question"'],
    ['read_marks', { limit: 201 }, '"limit"'],
    ['read_marks', { scope: '..' }, '"scope"'],
    ['read_marks', { cursor: 'bm9uZQ' }, '"cursor"'],
    ['read_mark', { id: 'no/such' }, '"no/such"'],
  ])('%s %j is refused and the argument named', async (tool, args, named) => {
    const before = (await bench.decisions()).length;
    expect(errorOf(await call(tool, args)).message).toContain(named);
    expect(await bench.decisions()).toHaveLength(before + 1);
    expect(bench.seat.marks().filter(({ agent }) => agent === 'ann')).toEqual([]);
  });

  test('a refusal of the guard comes as its code and its sentence', async () => {
    const result = await call('write_warning', {
      topic: 't',
      reason: 'r',
      severity: 'info',
      invalidates: 'run-1/none',
    });
    expect(errorOf(result)).toMatchObject({ code: 'target-not-yours', message: expect.stringContaining('refused: ') });
    const long = { topic: 't', reason: 'x'.repeat(500_000), severity: 'info' };
    expect(errorOf(await call('write_warning', long)).code).toBe('malformed');
  });

  test('what may not be seen is as absent as what is not there', async () => {
    const hidden = await bench.hide();
    const absent = errorOf(await call('read_mark', { id: 'run-1/runner/x/m9' }));
    const secret = errorOf(await call('read_mark', { id: hidden }));
    expect(secret.code).toBe(absent.code);
    expect(secret.message?.replace(hidden, '')).toBe(absent.message?.replace('run-1/runner/x/m9', ''));
    expect(JSON.stringify(await value('read_marks'))).not.toContain('gold');
  });

  test('never show the text of a program: that is read as a file', async () => {
    await bench.publish('bob', 1, { 'task_agent.ts': 'const bobsIdea = 1;' });
    await bench.disclose(1, { 'train.json': 'disclosed' });
    const { marks } = (await value('read_marks')) as { marks: { id: string; scope: string }[] };
    const strategy = marks.find(({ scope }) => scope === 'strategies');
    const shown = JSON.stringify([marks, await value('read_mark', { id: strategy?.id })]);
    expect(shown).not.toContain('bobsIdea');
    expect(shown).not.toContain('disclosed');
    expect(strategy).toMatchObject({ content: { generation: 1, files: { 'task_agent.ts': { bytes: 19 } } } });
  });
});

test('standing tells what the seat tells', async () => {
  expect(await value('standing')).toEqual(bench.seat.standing());
});

test('submit gives the result, and a refusal as one', async () => {
  expect(await value('submit', { reason: 'took the loop from bob' })).toMatchObject({
    status: 'accepted',
    evaluation: 'evals/gen_1',
  });
  expect(errorOf(await call('submit', { reason: 'x'.repeat(2001) })).message).toContain('"reason"');
});
