import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { startTestPostgres } from '../src/space/test-postgres.ts';
import {
  connectHttp,
  eventually,
  type HttpConnected,
  makeToken,
  mixedConfig,
  newPlace,
  type Place,
  type RunningCli,
  startServer,
  untilRound,
} from './mcp-process.ts';
import { runCli } from './run-cli.ts';

const MARKS = 'hivemark://marks';
const FILE = 'notes.md';
type Server = RunningCli & { readonly url: string };

const notesShape = z.array(z.object({ agent: z.string(), content: z.unknown() }));

/** What the agent sees of the notes on a topic, newest first. */
async function notesOn(agent: HttpConnected, topic: string): Promise<z.infer<typeof notesShape>> {
  return notesShape.parse((await agent.call('read_marks', { topic, limit: 200 })).value['marks']);
}

function note(agent: HttpConnected, topic: string, content: string): ReturnType<HttpConnected['call']> {
  return agent.call('write_observation', { topic, content });
}

/** The lines of the agent's own file. */
async function linesOf(agent: HttpConnected): Promise<readonly string[]> {
  const { contents } = await agent.client.readResource({ uri: `hivemark://files/${FILE}` });
  const [file] = z.array(z.object({ text: z.string() })).parse(contents);
  return file?.text.split('\n') ?? [];
}

/** How often the agent was told that there are other marks. */
function timesTold(agent: HttpConnected): number {
  return agent.heard.updated.filter((uri) => uri === MARKS).length;
}

/** Waits until the agent is told that there are other marks. */
async function told(agent: HttpConnected, since: number): Promise<void> {
  await eventually(() => timesTold(agent) > since || undefined);
}

describe('`hivemark serve` on a space in SQLite, with an experiment', () => {
  let place: Place;
  let server: Server;
  let args: readonly string[];
  const tokens: Record<string, string> = {};
  const as = (agent: string, path = '/mcp'): Promise<HttpConnected> =>
    connectHttp(new URL(path, server.url).href, tokens[agent] ?? '');

  beforeAll(async () => {
    place = await newPlace();
    const config = await place.file('mixed.yaml', mixedConfig({ generations: 3 }));
    const space = `sqlite:${join(place.dir, 's.db')}`;
    args = ['serve', '--http', '127.0.0.1:0', '--space', space, '--out', place.out, config];
    for (const agent of ['ann', 'bob', 'me']) tokens[agent] = await makeToken(place, agent);
    server = await startServer(args, place);
  }, 90_000);
  afterAll(() => server.kill('SIGKILL'));

  it('tells its health to anybody, and counts what it does', async () => {
    const health = await (await fetch(new URL('/health', server.url))).json();
    expect(health).toMatchObject({ status: 'ok', pid: server.pid, experiments: 1, space: true });
    const metrics = await (await fetch(new URL('/metrics', server.url))).text();
    expect(metrics).toMatch(/^hivemark_mcp_sessions 0$/mu);
    expect(server.stderr).toContain('/runs/mixed/mcp');
  });

  it('agents see the notes of each other, are notified of them, and see nothing of their files', async () => {
    const [ann, bob] = await Promise.all([as('ann'), as('bob')]);
    await bob.client.subscribeResource({ uri: MARKS });
    expect((await note(ann, 'hello', 'from ann')).isError).toBe(false);
    await told(bob, 0);
    expect(await notesOn(bob, 'hello')).toMatchObject([{ agent: 'ann', content: 'from ann' }]);
    expect((await ann.call('create', { path: FILE, file_text: 'mine\nand mine\n' })).isError).toBe(false);
    expect((await bob.call('list_files')).value).toEqual({ files: [] });
    expect(await bob.call('view', { path: FILE })).toMatchObject({ isError: true });
    const all = JSON.stringify((await bob.call('read_marks', { limit: 200 })).value);
    expect(all).not.toContain('and mine');
    expect(await bob.call('submit')).toMatchObject({ isError: true, code: 'no-run' });
    await Promise.all([ann.close(), bob.close()]);
  }, 60_000);

  it('an experiment is played beside it, at a path of its own, for its own agents', async () => {
    const me = await as('me', '/runs/mixed/mcp');
    await untilRound(me, 1);
    await me.call('insert', { path: 'task_agent.ts', insert_line: 0, insert_text: '// one' });
    expect((await me.call('submit')).value).toMatchObject({ ok: true, generation: 1 });
    await expect(as('ann', '/runs/mixed/mcp')).rejects.toThrow('ann is no external agent of the run that is open');
    await expect(as('me', '/runs/other/mcp')).rejects.toThrow('nothing is served at this path');
    await me.close();
  }, 60_000);

  it('is asked to end while calls are under way: they are answered, it exits with 0, and all of it is kept', async () => {
    const [ann, me] = await Promise.all([as('ann'), as('me', '/runs/mixed/mcp')]);
    await untilRound(me, 2);
    await me.call('insert', { path: 'task_agent.ts', insert_line: 0, insert_text: '// two' });
    const evaluating = Promise.withResolvers<void>();
    const slept = ann.call('bash', { command: `sleep 1; echo woken >> ${FILE}; cat ${FILE}` });
    await eventually(async () => {
      const metrics = await (await fetch(new URL('/metrics', server.url))).text();
      return /^hivemark_mcp_calls_under_way [1-9]/mu.test(metrics) || undefined;
    });
    const submitted = me.call('submit', {}, { onprogress: () => evaluating.resolve() });
    await evaluating.promise;
    await sleep(150);
    server.kill('SIGTERM');
    expect((await slept).text).toContain('woken');
    const { code, stdout, stderr } = await server.finished;
    expect([code, stdout], stderr).toEqual([0, '']);
    const answer = await submitted;
    // What the evaluation came to, or in words that it did not.
    expect(answer.code ?? answer.value['generation']).toBeOneOf(['run-stopped', 2]);
    await Promise.all([ann.close(), me.close()].map((closed) => closed.catch(() => undefined)));
  }, 60_000);

  it('is started again on files, notes and a run as they were', async () => {
    server = await startServer(args, place);
    const [ann, bob, me] = await Promise.all([as('ann'), as('bob'), as('me', '/runs/mixed/mcp')]);
    expect(await linesOf(ann)).toEqual(expect.arrayContaining(['mine', 'woken']));
    expect(await notesOn(bob, 'hello')).toMatchObject([{ agent: 'ann' }]);
    expect((await readdir(place.out)).sort()).toEqual(['mixed']);
    await untilRound(me, 2);
    expect((await me.call('view', { path: 'task_agent.ts' })).text).toContain('// two');
    await Promise.all([ann.close(), bob.close(), me.close()]);
    server.kill('SIGTERM');
    expect((await server.finished).code).toBe(0);
    const verified = await runCli(['verify', join(place.out, 'mixed', 'planner+me-s42-paired')], { env: place.env });
    expect(verified.code, verified.stderr).toBe(0);
  }, 60_000);
});

const postgres = await startTestPostgres();

describe.skipIf(postgres === undefined)('two servers on one space in PostgreSQL behave as one', () => {
  let place: Place;
  let a: Server;
  let b: Server;
  const tokens: Record<string, string> = {};
  const at = (server: Server, agent: string): Promise<HttpConnected> => connectHttp(server.url, tokens[agent] ?? '');

  beforeAll(async () => {
    place = await newPlace();
    for (const agent of ['ann', 'bob']) tokens[agent] = await makeToken(place, agent);
    const args = ['serve', '--http', '127.0.0.1:0', '--space', postgres?.url() ?? ''];
    a = await startServer(args, place);
    b = await startServer(args, place);
  }, 90_000);
  afterAll(() => {
    a.kill('SIGKILL');
    b.kill('SIGKILL');
  });

  it('a note that is written at one is seen at the other, which notifies of it, both ways', async () => {
    const [ann, bob] = await Promise.all([at(a, 'ann'), at(b, 'bob')]);
    await Promise.all([ann, bob].map(({ client }) => client.subscribeResource({ uri: MARKS })));
    expect((await note(ann, 'there', 'from a')).isError).toBe(false);
    await told(bob, 0);
    expect(await notesOn(bob, 'there')).toMatchObject([{ agent: 'ann', content: 'from a' }]);
    // She hears of her own too.
    await told(ann, 0);
    const before = timesTold(ann);
    expect((await note(bob, 'and back', 'from b')).isError).toBe(false);
    await told(ann, before);
    expect(await notesOn(ann, 'and back')).toMatchObject([{ agent: 'bob', content: 'from b' }]);
    await Promise.all([ann.close(), bob.close()]);
  }, 60_000);

  it('an agent that edits at both finds at each what it did at the other, and nothing acknowledged is lost', async () => {
    const [here, there] = await Promise.all([at(a, 'ann'), at(b, 'ann')]);
    expect((await here.call('create', { path: FILE, file_text: 'first' })).isError).toBe(false);
    await eventually(async () => ((await there.call('view', { path: FILE })).isError ? undefined : true));
    const written = ['first'];
    const edit = async (agent: HttpConnected, line: string): Promise<void> => {
      const answer = await agent.call('insert', { path: FILE, insert_line: 0, insert_text: line });
      if (!answer.isError) written.push(line);
    };
    for (let n = 0; n < 10; n++) await Promise.all([edit(here, `a${n}`), edit(there, `b${n}`)]);
    expect(written.length).toBeGreaterThan(10);
    let seen: readonly string[] = [];
    for (const agent of [here, there])
      await eventually(
        async () => {
          const lines = await linesOf(agent);
          seen = lines;
          return written.every((line) => lines.includes(line)) ? true : undefined;
        },
        20_000,
        () => `${written.filter((line) => !seen.includes(line)).join(' ')} among ${seen.join(' ')}`,
      );
    expect(await linesOf(here)).toEqual(await linesOf(there));
    await Promise.all([here.close(), there.close()]);
  }, 60_000);

  it('one of them killed with -9 takes nothing with it that it acknowledged', async () => {
    const [ann, bob] = await Promise.all([at(a, 'ann'), at(b, 'bob')]);
    const acknowledged: string[] = [];
    const write = async (writer: number): Promise<void> => {
      for (let n = 0; n < 500; n++) {
        const content = `${writer}-${n}`;
        if ((await note(ann, 'last words', content)).isError) return;
        acknowledged.push(content);
        if (acknowledged.length === 20) a.kill('SIGKILL');
      }
    };
    const writing = Promise.allSettled([1, 2, 3, 4].map(write));
    await a.finished;
    // The SDK's client would wait for the answers of a server that is no more.
    await sleep(300);
    await ann.close();
    const ends = await writing;
    expect(ends.map(({ status }) => status)).toEqual(Array(4).fill('rejected'));
    expect(acknowledged.length).toBeGreaterThanOrEqual(20);
    const found = await eventually(async () => {
      const notes = (await notesOn(bob, 'last words')).map(({ content }) => content);
      return acknowledged.every((content) => notes.includes(content)) ? notes : undefined;
    }, 10_000);
    expect(new Set(found).size).toBe(found.length);
    const again = await at(b, 'ann');
    expect((await note(again, 'alive', 'at the other')).isError).toBe(false);
    await Promise.all([bob.close(), again.close()]);
  }, 60_000);
});
