import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { loadTable } from '../src/trace/trace-reader.ts';
import {
  connectStdio,
  eventually,
  isGone,
  mixedConfig,
  newPlace,
  type Place,
  type StdioConnected,
  untilRound,
} from './mcp-process.ts';
import { runCli } from './run-cli.ts';

const RUN = 'planner+me-s42-paired';
const STRATEGY = 'hivemark://strategies/planner';
const EDITED = '// by a client over stdio\n';

const filesShape = z.array(z.object({ path: z.string(), kind: z.string(), editable: z.boolean(), sha256: z.string() }));

let place: Place;
let config: string;
let me: StdioConnected;
/** Connections of this file, for what they called. */
const connections: StdioConnected[] = [];

async function takePart(): Promise<StdioConnected> {
  const args = ['mcp', '--experiment', config, '--agent', 'me', '--out', place.out];
  const connection = await connectStdio(args, place);
  connections.push(connection);
  return connection;
}
const runDir = (): string => join(place.out, 'mixed', RUN);
const statusOf = async (): Promise<string> =>
  z.object({ status: z.string() }).parse(JSON.parse(await readFile(join(runDir(), 'run.json'), 'utf8'))).status;
const filesOf = async (agent: StdioConnected): Promise<z.infer<typeof filesShape>> =>
  filesShape.parse((await agent.call('list_files')).value['files']);

beforeAll(async () => {
  place = await newPlace();
  config = await place.file('mixed.yaml', mixedConfig({}));
  me = await takePart();
}, 60_000);

describe('a client that starts `hivemark mcp` takes part in a run over stdio', () => {
  it('finds tools with schemas of what they take and give, under names that are constants', async () => {
    const { tools } = await me.client.listTools();
    for (const name of ['list_files', 'view', 'create', 'str_replace', 'insert', 'undo_edit', 'bash', 'submit'])
      expect(tools.map((tool) => tool.name)).toContain(name);
    for (const tool of tools) {
      expect(tool.inputSchema, tool.name).toMatchObject({ type: 'object', additionalProperties: false });
      expect(tool.outputSchema, tool.name).toBeDefined();
    }
  });

  it('sees its own code as files, and says the task in a prompt', async () => {
    await untilRound(me, 1);
    const files = await filesOf(me);
    expect(files.filter(({ kind }) => kind === 'own')).toMatchObject([{ path: 'task_agent.ts', editable: true }]);
    expect(files.filter(({ kind }) => kind === 'strategy').every(({ editable }) => !editable)).toBe(true);
    const { prompts } = await me.client.listPrompts();
    expect(prompts.map(({ name }) => name)).toEqual(['task']);
    const { messages } = await me.client.getPrompt({ name: 'task' });
    const words = JSON.stringify(messages);
    for (const expected of ['sin(x)', 'task_agent.ts', 'round 1 of 2', 'planner']) expect(words).toContain(expected);
  }, 60_000);

  it('has names completed for it', async () => {
    const { completion } = await me.client.complete({
      ref: { type: 'ref/resource', uri: 'hivemark://strategies/{peer}' },
      argument: { name: 'peer', value: 'pl' },
    });
    expect(completion.values).toEqual(['planner']);
  });

  it('views, edits, takes back, runs a command, and is refused what is not its own; structured and in words', async () => {
    const viewed = await me.call('view', { path: 'task_agent.ts' });
    expect(viewed.text).toContain('     1\t');
    const before = await filesOf(me);
    const inserted = await me.call('insert', { path: 'task_agent.ts', insert_line: 0, insert_text: '// oops' });
    expect(filesShape.parse(inserted.value['wrote'])).toMatchObject([{ path: 'task_agent.ts' }]);
    expect(await filesOf(me)).not.toEqual(before);
    expect((await me.call('undo_edit', { path: 'task_agent.ts' })).isError).toBe(false);
    expect(await filesOf(me)).toEqual(before);
    await me.call('insert', { path: 'task_agent.ts', insert_line: 0, insert_text: EDITED.trimEnd() });
    const replaced = await me.call('str_replace', { path: 'task_agent.ts', old_str: 'oops', new_str: 'x' });
    expect([replaced.isError, replaced.text]).toEqual([true, expect.stringContaining('old_str does not occur')]);
    const counted = await me.call('bash', { command: 'head -1 task_agent.ts; ls strategies' });
    expect(counted.text).toContain(EDITED.trimEnd());
    expect(counted.text).toContain('planner_gen0');
    const foreign = await me.call('create', { path: 'strategies/planner_gen0/task_agent.ts', file_text: 'x' });
    expect(foreign).toMatchObject({ isError: true, code: 'not-editable' });
    expect(await me.call('view', { path: 'task_agent.ts', agent: 'planner' })).toMatchObject({ code: 'malformed' });
    await expect(me.call('no_such_tool')).rejects.toThrow(/Unknown tool "no_such_tool"; the tools are list_files/u);
    const noted = await me.call('write_observation', { topic: 'plan', content: 'a longer polynomial' });
    expect(noted.value).toMatchObject({ mark: { agent: 'me', topic: 'plan' } });
    const read = await me.client.readResource({ uri: 'hivemark://files/task_agent.ts' });
    expect(JSON.stringify(read.contents)).toContain(EDITED.trimEnd());
  }, 60_000);

  it('takes a submission back in the middle of its evaluation; nothing of it counts', async () => {
    // One that does not end by itself is in the middle whenever the client hears of it.
    const endless = { path: 'task_agent.ts', old_str: '  return x;', new_str: '  for (;;) x += 1;' };
    expect((await me.call('str_replace', endless)).isError).toBe(false);
    const cancelling = new AbortController();
    const steps: string[] = [];
    await expect(
      me.call(
        'submit',
        {},
        {
          signal: cancelling.signal,
          onprogress: ({ message = '' }) => {
            steps.push(message);
            if (message === 'evaluating') cancelling.abort('on second thoughts');
          },
        },
      ),
    ).rejects.toThrow('on second thoughts');
    expect(steps).toEqual(['queued', 'evaluating']);
    const standing = await untilRound(me, 1);
    expect(standing.run).toMatchObject({ round: 1, phase: 'open' });
    expect((await me.call('undo_edit', { path: 'task_agent.ts' })).isError).toBe(false);
  }, 60_000);

  it('submits, hears how far it is, is scored, and is told when a peer has a new best', async () => {
    await me.client.subscribeResource({ uri: STRATEGY });
    me.heard.progress.length = 0;
    const submitted = await me.call('submit', { reason: 'a comment' }, { onprogress: () => undefined });
    const { progress } = me.heard;
    expect(submitted.value).toMatchObject({ ok: true, generation: 1, status: 'accepted', published: false });
    expect(progress.length).toBeGreaterThan(2);
    expect(progress).toEqual([...new Set(progress)].sort((a, b) => a - b));
    await eventually(() => (me.heard.updated.includes(STRATEGY) ? true : undefined));
    const [folder] = z
      .array(z.object({ peer: z.string(), generation: z.number() }))
      .parse((await me.call('list_strategies')).value['strategies']);
    expect(folder).toEqual({ peer: 'planner', generation: 1 });
    const evaluation = await me.call('read_evaluation', { generation: 1 });
    expect(JSON.parse(String(evaluation.value['text']))).toBeTypeOf('object');
  }, 60_000);

  it('leaves a run that is stopped, and resumable, when its client goes', async () => {
    await untilRound(me, 2);
    const { pid } = me;
    const before = await filesOf(me);
    await me.close();
    await eventually(() => (isGone(pid) ? true : undefined), 10_000);
    expect(await statusOf()).toBe('stopped: interrupted');
    expect(existsSync(join(place.out, 'mixed', 'host.json'))).toBe(false);
    me = await takePart();
    await untilRound(me, 2);
    expect(await filesOf(me)).toEqual(before);
    expect((await readdir(place.out)).sort()).toEqual(['mixed']);
  }, 60_000);

  it("takes a peer's code over, and there is evidence of it", async () => {
    const opened = await me.call('read_strategy', { peer: 'planner' });
    expect(opened.value).toMatchObject({ peer: 'planner', generation: 1 });
    await me.call('create', { path: 'task_agent.ts', file_text: String(opened.value['text']) });
    const submitted = await me.call('submit', { reason: "planner's polynomial, as it is" });
    expect(submitted.value).toMatchObject({ generation: 2, published: true, adopted: [{ peer: 'planner' }] });
    await eventually(async () => ((await untilRound(me, 2)).run.phase === 'over' ? true : undefined));
    expect(await me.call('submit')).toMatchObject({ isError: true, code: 'run-over' });
    const adoptions = (await loadTable(runDir(), 'adoptions')).rows;
    expect(adoptions).toMatchObject([
      { agent: 'me', generation: 2, peer: 'planner', peerGeneration: 1, evidence: { level: 'stated' } },
    ]);
    expect(adoptions[0]?.evidence.reads).toHaveLength(1);
    const reads = (await loadTable(runDir(), 'reads')).rows.filter(({ id }) => id === adoptions[0]?.evidence.reads[0]);
    expect(reads).toMatchObject([{ agent: 'me', tool: 'read_strategy' }]);
  }, 90_000);

  it('is done, also when its client went as soon as all rounds were played', async () => {
    await me.close();
    const folder = join(place.out, 'mixed');
    // A client that has no patience ends the process before the sealed split is scored; whoever comes next has that done, here somebody
    // whose input ends at once.
    const left = await runCli(['mcp', '--experiment', folder, '--agent', 'me'], { env: place.env });
    expect(left.code === 0 ? 'is finished' : left.stderr).toContain('is finished');
    expect(await statusOf()).toBe('done');
    const again = await runCli(['mcp', '--experiment', folder, '--agent', 'me'], { env: place.env });
    expect([again.code, again.stdout, again.stderr]).toEqual([2, '', expect.stringContaining('is finished')]);
  }, 60_000);

  it('has a decision on record for every call, and a log that verifies', async () => {
    const rows = (await loadTable(runDir(), 'decisions')).rows.filter(({ agent }) => agent === 'me');
    const recorded = rows.flatMap(({ call, subject }) => {
      const { tool, scope } = z
        .looseObject({ tool: z.string().optional(), scope: z.string().optional() })
        .parse(subject);
      if (call === 'use') return tool ?? [];
      // The mark that an edit leaves is on record besides the edit.
      return scope === 'notes/me' ? 'notes' : [];
    });
    const editor = ['view', 'create', 'str_replace', 'insert', 'undo_edit'];
    const made = connections
      .flatMap((connection) => connection.made)
      .map((tool) => (editor.includes(tool) ? 'editor' : tool === 'write_observation' ? 'notes' : tool));
    // `view` with an argument too many got no further than its name.
    const expected = [...made.filter((_, n) => n !== made.indexOf('editor')), 'view', 'resources/read'];
    const counted = (tools: readonly string[]): unknown =>
      Object.fromEntries(tools.toSorted().map((tool) => [tool, tools.filter((other) => other === tool).length]));
    expect(counted(recorded)).toEqual(counted(expected));
    const verified = await runCli(['verify', runDir()], { env: place.env });
    expect(verified.code, verified.stderr).toBe(0);
  }, 60_000);
});
