import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, messagesOf, openSession, post } from '../src/mcp/test-http.ts';
import {
  type CallOptions,
  connectHttp,
  connectStdio,
  eventually,
  makeToken,
  mixedConfig,
  newPlace,
  type Place,
  type RunningCli,
  startCli,
  startServer,
  untilRound,
} from './mcp-process.ts';
import { runCli } from './run-cli.ts';
import { runInProcess } from './space-cli.ts';

const AGENTS = ['me', 'you'];
let place: Place;
let config: string;
let host: RunningCli & { readonly url: string };
let tokens: Readonly<Record<'me' | 'you', string>>;

const serve = (http: string): Promise<RunningCli & { readonly url: string }> =>
  startServer(['mcp', '--experiment', config, '--http', http, '--out', place.out], place);

beforeAll(async () => {
  place = await newPlace();
  config = await place.file('mixed.yaml', mixedConfig({ external: AGENTS, generations: 3 }));
  tokens = { me: await makeToken(place, 'me'), you: await makeToken(place, 'you') };
  host = await serve('127.0.0.1:0');
}, 90_000);
afterAll(() => host.kill('SIGKILL'));

/** A gauge or counter of `/metrics`. */
async function metric(name: string): Promise<number> {
  const text = await (await fetch(new URL('/metrics', host.url))).text();
  const value = new RegExp(`^hivemark_${name} (\\S+)$`, 'mu').exec(text)?.[1];
  if (value === undefined) throw new Error(`no ${name} in: ${text}`);
  return Number(value);
}

describe('tokens over the real server command', () => {
  it('a good one lets its agent in, and nobody but it', async () => {
    const me = await connectHttp(host.url, tokens.me);
    expect((await me.call('standing')).value).toMatchObject({ agent: 'me' });
    await me.close();
  });

  it('one that is wrong, has expired or was revoked: the client sees 401 and is told which, and the way out', async () => {
    const expired = await makeToken(place, 'me', '--ttl', '1s');
    const revoked = await makeToken(place, 'gone');
    expect((await runInProcess(['token', 'gone', '--revoke'], place.env)).code).toBe(0);
    await sleep(1_100);
    for (const [token, words] of [
      ['hma_nonsense', 'the token is unknown here; hivemark token <agent> makes one'],
      [expired, 'the token has expired; hivemark token <agent> makes a new one'],
      [revoked, 'the token was revoked; hivemark token <agent> makes a new one'],
    ] as const) {
      await expect(connectHttp(host.url, token)).rejects.toThrow(words);
      const answer = await post(host.url, {}, { token });
      expect([answer.status, answer.headers.get('www-authenticate')]).toEqual([401, expect.stringContaining(words)]);
      await answer.text();
    }
  }, 60_000);

  it('one that is revoked while it is used ends what it has open', async () => {
    const token = await makeToken(place, 'me');
    const me = await connectHttp(host.url, token);
    expect((await me.call('standing')).isError).toBe(false);
    // All of this agent's: a new one for the tests that follow.
    expect((await runCli(['token', 'me', '--revoke'], { env: place.env })).code).toBe(0);
    tokens = { ...tokens, me: await makeToken(place, 'me') };
    await eventually(() => me.call('standing').then(() => undefined, String), 10_000).then((error) =>
      expect(error).toContain('the token was revoked'),
    );
    await me.close();
    // Those that nobody uses, too: soon.
    await eventually(async () => (await metric('mcp_sessions')) === 0 || undefined);
  }, 60_000);

  it('one of an agent that is driven by hivemark, or of none: 403 in words', async () => {
    for (const agent of ['planner', 'stranger'])
      await expect(connectHttp(host.url, await makeToken(place, agent))).rejects.toThrow(
        `${agent} is no external agent of the run that is open`,
      );
  }, 60_000);
});

describe('one experiment, several processes', () => {
  it('a port that is in use is named, and what to do', async () => {
    const { host: at, port } = new URL(host.url);
    const other = await place.file('other.yaml', mixedConfig({ name: 'other' }));
    const second = await runCli(['mcp', '--experiment', other, '--http', at, '--out', place.out], {
      env: place.env,
      cwd: place.dir,
    });
    expect([second.code, second.stdout]).toEqual([1, '']);
    expect(second.stderr).toContain(
      `hivemark: port ${port} of 127.0.0.1 is in use by another program; give another port`,
    );
  }, 60_000);

  it('a second host of the same experiment is refused', async () => {
    const second = await runCli(['mcp', '--experiment', config, '--http', '127.0.0.1:0', '--out', place.out], {
      env: place.env,
      cwd: place.dir,
    });
    expect([second.code, second.stdout]).toEqual([1, '']);
    expect(second.stderr).toMatch(/another process/u);
    expect(second.stderr).not.toContain('    at ');
  }, 60_000);

  it('an agent over stdio takes part at the process that plays it', async () => {
    const you = await connectStdio(['mcp', '--experiment', config, '--agent', 'you', '--out', place.out], place);
    await eventually(() => you.stderr.includes(`takes part at ${host.url}`) || undefined);
    await untilRound(you, 1);
    const text = '// of you';
    await you.call('insert', { path: 'task_agent.ts', insert_line: 0, insert_text: text });
    const same = await connectHttp(host.url, tokens.you);
    expect((await same.call('view', { path: 'task_agent.ts' })).text).toContain(text);
    await Promise.all([you.close(), same.close()]);
  }, 60_000);
});

describe('clients that share a server', () => {
  it('two with equal request ids in flight get their own answers, 500 times of 500', async () => {
    const names = ['me', 'you'] as const;
    const sessions = await Promise.all(names.map((name) => openSession(host.url, { token: tokens[name] })));
    const round = async (id: number): Promise<boolean> => {
      const answers = await Promise.all(
        names.map(async (name, i) => {
          const session = sessions[i] ?? '';
          const [answer] = await messagesOf(
            await post(host.url, call(id, 'standing', {}), { token: tokens[name], session }),
          );
          return answer?.['id'] === id && JSON.stringify(answer['result']).includes(`"agent":"${name}","run"`);
        }),
      );
      return answers.every(Boolean);
    };
    let own = 0;
    for (let id = 1; id <= 500; id += 25) {
      const rounds = await Promise.all(Array.from({ length: 25 }, (_, i) => round(id + i)));
      own += rounds.filter(Boolean).length;
      // A session may ask 200 times a second.
      await sleep(60);
    }
    expect(own).toBe(500);
    for (const [i, name] of names.entries()) await endSession(sessions[i] ?? '', tokens[name]);
  }, 60_000);

  it('1 000 that vanish in the middle of calls cost nothing that stays', async () => {
    const before = await metric('mcp_sessions');
    await vanish(200);
    const [opened, rss] = [await metric('mcp_sessions_opened_total'), await residentBytes()];
    await vanish(1000);
    expect(await metric('mcp_sessions_opened_total')).toBe(opened + 10);
    await eventually(async () => ((await metric('mcp_calls_under_way')) === 0 ? true : undefined), 10_000);
    // The one that asks is not a stream of the protocol's.
    expect(await metric('mcp_streams')).toBe(0);
    expect(await metric('mcp_unread_bytes')).toBe(0);
    expect(await metric('mcp_sessions')).toBe(before);
    expect((await residentBytes()) - rss).toBeLessThan(64 * 2 ** 20);
    const me = await connectHttp(host.url, tokens.me);
    expect((await me.call('view', { path: 'task_agent.ts' })).isError).toBe(false);
    await me.close();
  }, 90_000);

  it('one that only lost its connection gets the answer of its submission all the same', async () => {
    const me = await connectHttp(host.url, tokens.me);
    await untilRound(me, 1);
    await me.call('insert', { path: 'task_agent.ts', insert_line: 0, insert_text: '// another program' });
    let cuts = 0;
    const onprogress: CallOptions['onprogress'] = ({ message }) => {
      if (message !== 'evaluating' || cuts > 0) return;
      cuts += 1;
      me.cut();
    };
    const submitted = await me.call('submit', {}, { onprogress });
    expect(cuts).toBe(1);
    expect(submitted.value).toMatchObject({ ok: true, generation: 1 });
    await me.close();
  }, 60_000);
});

describe('a host that is killed', () => {
  it('and started again: clients over stdio go on where they were, those over HTTP are told to begin anew', async () => {
    const you = await connectStdio(['mcp', '--experiment', config, '--agent', 'you', '--out', place.out], place);
    const me = await connectHttp(host.url, tokens.me);
    await me.call('write_observation', { topic: 'kept', content: 'before the kill' });
    const written = await you.call('insert', { path: 'task_agent.ts', insert_line: 0, insert_text: '// kept' });
    expect(written.isError).toBe(false);
    const { host: at } = new URL(host.url);
    host.kill('SIGKILL');
    await host.finished;
    await expect(me.call('standing')).rejects.toThrow(/fetch failed|ECONNREFUSED|closed/u);
    host = await serve(at);
    expect(host.url).toContain(at);
    expect((await you.call('view', { path: 'task_agent.ts' })).text).toContain('// kept');
    await eventually(() => you.stderr.includes('again') || undefined);
    await expect(me.call('standing')).rejects.toThrow(
      'there is no such session; it may have ended: initialize a new one',
    );
    const anew = await connectHttp(host.url, tokens.me);
    expect((await anew.call('read_marks', { topic: 'kept' })).text).toContain('before the kill');
    await Promise.all([you.close(), me.close().catch(() => undefined), anew.close()]);
  }, 90_000);

  it('and not started again: an agent over stdio plays the experiment on', async () => {
    const you = await connectStdio(['mcp', '--experiment', config, '--agent', 'you', '--out', place.out], place);
    host.kill('SIGKILL');
    await host.finished;
    expect((await you.call('view', { path: 'task_agent.ts' })).text).toContain('// kept');
    const { url } = JSON.parse(await readFile(join(place.out, 'mixed', 'host.json'), 'utf8')) as { url: string };
    const me = await connectHttp(url, tokens.me);
    expect((await me.call('standing')).value).toMatchObject({ agent: 'me', run: { experiment: 'mixed' } });
    await Promise.all([me.close(), you.close()]);
    host = await serve('127.0.0.1:0');
  }, 90_000);

  it('by its user ends well, and says that the run is resumable', async () => {
    const me = await connectHttp(host.url, tokens.me);
    host.kill('SIGTERM');
    const { code, stdout, stderr } = await host.finished;
    expect([code, stdout]).toEqual([0, '']);
    expect(stderr).toContain('what is under way is being saved');
    expect(
      JSON.parse(await readFile(join(place.out, 'mixed', 'planner+me+you-s42-paired', 'run.json'), 'utf8')),
    ).toMatchObject({ status: 'stopped: interrupted' });
    await me.close().catch(() => undefined);
    const again = startCli(['mcp', '--experiment', config, '--http', '127.0.0.1:0', '--out', place.out], place);
    await again.said(/served at/u);
    again.kill('SIGTERM');
    expect((await again.finished).code).toBe(0);
  }, 60_000);
});

async function endSession(session: string, token: string): Promise<void> {
  const headers = { Authorization: `Bearer ${token}`, 'Mcp-Session-Id': session };
  await (await fetch(host.url, { method: 'DELETE', headers })).text();
}

/** Of the host; 0 where the system does not say. */
async function residentBytes(): Promise<number> {
  if (process.platform !== 'linux') return 0;
  const status = await readFile(`/proc/${host.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/mu.exec(status)?.[1]) * 1024;
}

/** Clients that cut their connection: half of them before all of their call is said, half as soon as it is. In ten sessions, which they end. */
async function vanish(times: number): Promise<void> {
  const { port, pathname } = new URL(host.url);
  const SESSIONS = 10;
  await Promise.all(
    Array.from({ length: SESSIONS }, async (_, i) => {
      const token = i % 2 === 0 ? tokens.me : tokens.you;
      const session = await openSession(host.url, { token });
      for (let n = 0; n < times / SESSIONS; n++) {
        const body = JSON.stringify(call(n + 1, 'view', { path: 'task_agent.ts' }));
        const head = [
          `POST ${pathname} HTTP/1.1`,
          `Host: 127.0.0.1:${port}`,
          'Content-Type: application/json',
          'Accept: application/json, text/event-stream',
          `Authorization: Bearer ${token}`,
          `Mcp-Session-Id: ${session}`,
          'Mcp-Protocol-Version: 2025-06-18',
          `Content-Length: ${body.length}`,
        ].join('\r\n');
        const said = `${head}\r\n\r\n${n % 2 === 0 ? body : body.slice(0, body.length / 2)}`;
        await new Promise<void>((resolve) => {
          const socket = connect(Number(port), '127.0.0.1', () => socket.write(said, () => socket.destroy()));
          socket.on('error', () => undefined).on('close', () => resolve());
        });
      }
      await endSession(session, token);
    }),
  );
}
