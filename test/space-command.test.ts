import { mkdir, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DecisionRecord } from '../src/guard/decision.ts';
import type { StandingRestriction } from '../src/guard/parts/barrier.ts';
import type { ShownMark } from '../src/cli/space/marks.ts';
import type { ShownNeed } from '../src/cli/space/needs.ts';
import type { SpaceStats } from '../src/cli/space/stats.ts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { newPrincipalToken, tokenSha256 } from '../src/guard/principal-token.ts';
import { type Gate, openGate } from '../src/guard/gate.ts';
import { decisionIn } from '../src/guard/decided.ts';
import type { Grant } from '../src/guard/grants.ts';
import type { Log } from '../src/space/log.ts';
import type { Mark, ScopeName } from '../src/space/marks.ts';
import { defineScope } from '../src/space/scope.ts';
import { openSqliteLog } from '../src/space/sqlite-log.ts';
import { agentName, scopeName } from '../src/space/test-marks.ts';
import { startTestPostgres, TEST_PASSWORD } from '../src/space/test-postgres.ts';
import { openPostgresLog } from '../src/space/postgres-log.ts';
import { readRecords } from './read-marks.ts';
import { newFolder, runCli } from './run-cli.ts';
import { runInProcess } from './space-cli.ts';

const [LAB, PARKING, BOARD] = [scopeName('lab'), scopeName('parking'), scopeName('board')];
const [ANN, BOB] = [agentName('ann'), agentName('bob')];
const TOKEN = newPrincipalToken();
/** What a terminal would act on: clears the screen, goes up a line, reorders, fakes a row. */
const HOSTILE = 'ok\u001b[2J\u001b[1A\r\n7  need  guard\u202e\u0000';

const kinds = ['intent', 'action', 'observation', 'warning', 'need'] as const;
const rights = (scope: ScopeName): Grant['write'] => kinds.map((kind) => ({ kind, scope }));
const grant = (agent: Grant['agent']): Grant => ({
  agent,
  read: [LAB, PARKING, BOARD],
  write: [LAB, PARKING, BOARD].flatMap(rights),
  budget: { lifetime: { inputTokens: 1_000 } },
});

function openTestSpace(log: Log, clock: () => number = () => Date.now()): Promise<Gate> {
  return openGate({
    log,
    run: 'office-1',
    clock,
    scopes: [
      defineScope({ name: LAB, observationTopics: ['*'], warningTopics: ['*'] }),
      defineScope({ name: PARKING, deferred: true }),
      defineScope({ name: BOARD, conflictPolicy: 'yield-all' }),
    ],
    grants: [grant(ANN), grant(BOB)],
    principalTokenSha256: tokenSha256(TOKEN),
  });
}

const need = (question: string, rest = {}): Record<string, unknown> => ({
  scope: LAB,
  question,
  context: { why: 'x' },
  priority: 0.5,
  blocking: false,
  ...rest,
});
const seen = (topic: string, content: unknown): Record<string, unknown> => ({
  scope: LAB,
  topic,
  content,
  confidence: 1,
  source: 'fleet',
});
const book = (
  scope: ScopeName,
  resource: string,
): { scope: ScopeName; resource: string; action: string; confidence: number } => ({
  scope,
  resource,
  action: 'take',
  confidence: 0.5,
});

/** Fills a space with something of everything; its gate is closed afterwards. */
async function fill(log: Log): Promise<void> {
  const gate = await openTestSpace(log);
  const [ann, bob] = [gate.session(ANN, 'e1'), gate.session(BOB, 'e1')];
  await ann.write(seen('door', 'shut'));
  const open = await ann.write(seen('door', { text: HOSTILE.repeat(20) }));
  if (open.verdict !== 'allow' || open.mark === undefined) throw new Error('not written');
  await ann.write({ ...seen('door', 'open'), supersedes: open.mark.id });
  await ann.execute(book(LAB, 'desk'), () => 'mine');
  await bob.execute(book(LAB, 'desk'), () => 'mine too');
  await bob.write({ ...seen('door', 'x'), scope: scopeName('nowhere') });
  await ann.execute(book(PARKING, 'spot'), () => 'never');
  await ann.write(book(BOARD, 'room'));
  await bob.write(book(BOARD, 'room'));
  await ann.write(need('May we paint it?'));
  await bob.write(need('May we paint it?', { priority: 1, blocking: true }));
  await bob.write(need(HOSTILE));
  await ann.subscribe('doors', { topic: 'door' });
  await gate.spend(ANN, 'r1', { inputTokens: 100, outputTokens: 10 });
  await gate.close();
}

interface Case {
  readonly name: string;
  /** A filled space of its own. */
  readonly make: () => Promise<{ where: string; open: () => Promise<Log> }>;
}

function contract({ name, make }: Case): void {
  describe(`hivemark space on ${name}`, () => {
    let where: string;
    let open: () => Promise<Log>;
    const env = { HIVEMARK_PRINCIPAL_TOKEN: TOKEN };
    const space = (sub: string, ...rest: string[]): ReturnType<typeof runInProcess> =>
      runInProcess(['space', sub, where, ...rest], env);
    const json = async (sub: string, ...rest: string[]): Promise<unknown> => {
      const { code, stdout, stderr } = await space(sub, ...rest, '--json');
      expect(code, stderr).toBe(0);
      return JSON.parse(stdout);
    };

    const stats = async (): Promise<SpaceStats> => (await json('stats')) as SpaceStats;
    const marks = async (...rest: string[]): Promise<ShownMark[]> => (await json('marks', ...rest)) as ShownMark[];
    const needs = async (): Promise<ShownNeed[]> => (await json('needs')) as ShownNeed[];
    const barriers = async (): Promise<StandingRestriction[]> => (await json('barriers')) as StandingRestriction[];

    beforeAll(async () => {
      ({ where, open } = await make());
    }, 60_000);

    it('stats counts what is there', async () => {
      const log = await open();
      const written: Mark[] = [];
      const decisions: DecisionRecord[] = [];
      for await (const { body } of log.read()) {
        if (body.type === 'mark') written.push(body.mark);
        const decision = decisionIn(body);
        if (decision !== undefined) decisions.push(decision);
      }
      const { seq } = log.head();
      await log.close();
      const counted = await stats();
      expect(counted).toMatchObject({ records: seq, marks: written.length, calls: decisions.length, principal: true });
      expect(counted.live + counted.over).toBe(counted.marks);
      for (const kind of kinds)
        expect(counted.kinds[kind]?.marks ?? 0, kind).toBe(written.filter((mark) => mark.kind === kind).length);
      for (const verdict of ['allow', 'conflict', 'blocked', 'denied'])
        expect(counted.verdicts[verdict], verdict).toBe(decisions.filter((one) => one.verdict === verdict).length);
      expect(counted.kinds.observation).toEqual({ marks: 3, live: 2, over: 1 });
      expect(counted.denials).toEqual({ 'no-right': 1 });
      expect(counted.needs).toEqual({ open: 4, blocking: 2 });
      expect(counted.boundaries).toEqual([{ scope: 'parking', agents: 1, since: expect.any(Number) }]);
      expect(counted.subscriptions).toEqual({ ann: 1 });
      expect(counted.budgets).toContainEqual({
        agent: 'ann',
        dimension: 'lifetime.inputTokens',
        used: 100,
        limit: 1_000,
      });
      expect(counted.scopes.board).toMatchObject({ marks: 3 });
      expect(counted.span.first).toBeLessThanOrEqual(counted.span.last ?? 0);
      expect((await space('stats')).stdout).toContain('open needs: 4 (2 blocking)');
    });

    it('marks are narrowed by every option, in log order, whole in JSON', async () => {
      const all = await marks();
      expect(all.map(({ seq }) => seq)).toEqual(all.map(({ seq }) => seq).toSorted((a, b) => a - b));
      const topics = await marks('--kind', 'observation', '--topic', 'door');
      expect(topics).toHaveLength(3);
      expect(topics[1]).toMatchObject({ content: { text: HOSTILE.repeat(20) }, live: false, strengthNow: 0 });
      expect(topics[2]?.strengthNow).toBeCloseTo(1, 1);
      expect(await marks('--topic', 'door', '--live')).toHaveLength(2);
      expect(await marks('--topic', 'door', '--live', '--last', '1')).toEqual([
        expect.objectContaining({ content: 'open' }),
      ]);
      expect((await marks('--resource', 'desk')).length).toBeGreaterThan(0);
      expect(await marks('--agent', 'guard')).toEqual([expect.objectContaining({ kind: 'need', scope: 'board' })]);
      expect(await marks('--scope', 'parking')).toHaveLength(1);
      const idsOf = (marks: readonly { id: string }[]): string[] => marks.map(({ id }) => id);
      expect(idsOf(await marks('--under', 'lab'))).toEqual(idsOf(await marks('--scope', 'lab')));
      expect(await marks('--since', '1h')).toHaveLength(all.length);
      expect(await marks('--since', '2999-01-01')).toEqual([]);
      expect((await space('marks', '--since', '2999-01-01')).stdout).toBe('(no marks)\n');
    });

    it("nothing of strangers' texts moves the cursor, adds a line or reorders it", async () => {
      for (const sub of ['marks', 'needs', 'stats']) {
        const { stdout } = await space(sub);
        expect(stdout.replaceAll('\n', ''), sub).not.toMatch(/[\p{Cc}\p{Cf}]/u);
        expect(stdout, sub).not.toMatch(/^7 {2}need {2}guard/m);
      }
      expect((await space('marks')).stdout).toContain('\\u{1b}[2J');
    });

    it('needs are put together, the most pressing first, with who may win', async () => {
      const open = await needs();
      expect(open.map(({ question }) => question)).toEqual([
        'May we paint it?',
        expect.stringContaining('"room"'),
        HOSTILE,
      ]);
      expect(open[0]).toMatchObject({ agents: ['ann', 'bob'], blocking: true, priority: 1, context: { why: 'x' } });
      expect(open[1]?.contest?.contenders.map(({ agent }) => agent)).toEqual(['ann', 'bob']);
      expect((await space('needs')).stdout).toContain(`--winner ${open[1]?.contest?.contenders[0]?.id}`);
    });

    it('only the token of the principal can act, and it is never shown', async () => {
      const paint = (await needs())[0]?.needs[0] ?? '';
      const folder = await newFolder();
      const other = newPrincipalToken();
      for (const [without, said] of [
        [{ XDG_CONFIG_HOME: folder }, 'HIVEMARK_PRINCIPAL_TOKEN'],
        [{ HIVEMARK_PRINCIPAL_TOKEN: other }, "is not the one of this space's principal"],
      ] as const) {
        const refused = await runInProcess(['space', 'resolve', where, paint, '--answer', 'x'], without);
        expect(refused).toMatchObject({ code: 1, stdout: '' });
        expect(refused.stderr).toContain(said);
        expect(refused.stderr).not.toContain(other);
      }
      expect(await needs()).toHaveLength(3);
    });

    it('resolve answers one need, or all that ask the same, and settles a contest', async () => {
      const [paint, room] = await needs();
      const [first = '', contested = ''] = [paint?.needs[0], room?.needs[0]];
      const file = join(await newFolder(), 'token');
      await writeFile(file, `${TOKEN}\n`);
      const winner = room?.contest?.contenders[1]?.id ?? '';
      const picked = await runInProcess([
        'space',
        'resolve',
        where,
        contested,
        '--winner',
        winner,
        '--token-file',
        file,
        '--json',
      ]);
      expect(JSON.parse(picked.stdout)).toEqual([
        {
          did: expect.any(String),
          outcome: {
            verdict: 'allow',
            mark: expect.objectContaining({ agent: 'principal', result: { answer: null, winner } }),
          },
        },
      ]);
      expect((await stats()).awards).toEqual([
        { scope: 'board', resource: 'room', agent: 'bob', until: expect.any(Number) },
      ]);
      const answered = await json('resolve', first, '--answer', 'blue', '--same');
      expect(answered).toHaveLength(2);
      expect((await needs()).map(({ question }) => question)).toEqual([HOSTILE]);

      const again = await space('resolve', first, '--answer', 'red');
      expect(again).toMatchObject({ code: 1, stderr: '' });
      expect(again.stdout).toContain('there is no open need');
      expect((await space('resolve', first)).code).toBe(2);
      expect((await space('resolve', contested, '--winner', winner, '--same')).code).toBe(2);
    });

    it('revoke, barriers, restore', async () => {
      expect(await barriers()).toEqual([]);
      await json('revoke', '--scope', 'lab', '--agent', 'ann', '--kind', 'observation', '--reason', 'noise');
      await json('revoke', '--scope', 'board', '--reason', 'closed', '--until-need');
      const standing = await barriers();
      expect(standing).toContainEqual({ agent: 'ann', scope: 'lab', kind: 'observation', needed: false });
      expect(standing.filter(({ scope }) => scope === 'board').every(({ needed }) => needed)).toBe(true);
      expect((await space('barriers')).stdout).toContain('(everybody)');
      const log = await open();
      const gate = await openTestSpace(log);
      expect(await gate.session(ANN, 'e2').write(seen('door', 'no'))).toMatchObject({
        verdict: 'denied',
        denial: { code: 'revoked' },
      });
      await gate.close();
      await json('restore', '--scope', 'lab');
      await json('restore', '--scope', 'board', '--kind', 'intent');
      expect((await barriers()).map(({ kind }) => kind)).not.toContain('intent');
      await json('restore', '--scope', 'board');
      expect(await barriers()).toEqual([]);
    });

    it('boundary and reset-envelope', async () => {
      await json('boundary', 'parking');
      expect((await stats()).boundaries).toEqual([]);
      const refused = await space('boundary', 'lab');
      expect(refused.code).toBe(1);
      expect(refused.stdout).toContain('is not a deferred scope');
      await json('reset-envelope', 'ann');
    });

    it('export gives every mark, decision and event', async () => {
      const log = await open();
      let [marks, decisions, events] = [0, 0, 0];
      for await (const { body } of log.read()) {
        if (body.type === 'mark') marks += 1;
        if (body.type === 'event') events += 1;
        if (decisionIn(body) !== undefined) decisions += 1;
      }
      await log.close();
      const lines = (await space('export')).stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line) as Record<string, unknown>);
      const of = (type: string): Record<string, unknown>[] =>
        lines.filter((line) => line['type'] === type && line[type] !== undefined);
      expect([of('mark').length, of('decision').length, of('event').length]).toEqual([marks, decisions, events]);
      expect(lines.some(({ mark }) => JSON.stringify(mark ?? {}).includes('\\u001b[2J'))).toBe(true);

      const file = join(await newFolder(), "it's.parquet");
      const rows = { mark: marks, decision: decisions, event: events };
      expect(await json('export', '--format', 'parquet', '--out', file)).toEqual({
        out: file,
        format: 'parquet',
        rows,
      });
      const { DuckDBInstance } = await import('@duckdb/node-api');
      const connection = await (await DuckDBInstance.create(':memory:')).connect();
      const read = await connection.runAndReadAll(
        `SELECT type, count(*)::INTEGER, count(at_ms)::INTEGER, min(json_valid(body))::INTEGER FROM '${file.replaceAll("'", "''")}' GROUP BY type ORDER BY type`,
      );
      expect(read.getRows()).toEqual([
        ['decision', decisions, decisions, 1],
        ['event', events, events, 1],
        ['mark', marks, marks, 1],
      ]);
      connection.closeSync();
      expect(await readdir(join(file, '..'))).toEqual(["it's.parquet"]);
    });
  });
}

contract({
  name: 'a SQLite file',
  make: async () => {
    const file = join(await newFolder(), 'marks.db');
    await fill(await openSqliteLog(file));
    return { where: file, open: () => openSqliteLog(file) };
  },
});

const server = await startTestPostgres();

describe.skipIf(server === undefined)('hivemark space on PostgreSQL', () => {
  const at = server?.url() ?? '';
  const url = `${at}?space=office`;
  contract({
    name: 'a PostgreSQL database',
    make: async () => {
      await fill(await openPostgresLog(url));
      return { where: url, open: () => openPostgresLog(url) };
    },
  });

  it('acts beside a process that writes', async () => {
    const gate = await openTestSpace(await openPostgresLog(`${at}?space=shared`));
    const ann = gate.session(ANN, 'e1');
    await ann.write(need('Now?'));
    const where = `${at}?space=shared`;
    const [{ needs }] = JSON.parse((await runInProcess(['space', 'needs', where, '--json'])).stdout) as [
      { needs: string[] },
    ];
    const acted = await runInProcess(['space', 'resolve', where, needs[0] ?? '', '--answer', 'yes'], {
      HIVEMARK_PRINCIPAL_TOKEN: TOKEN,
    });
    expect(acted.code, acted.stderr).toBe(0);
    expect(await ann.write(seen('after', 1))).toMatchObject({ verdict: 'allow' });
    expect(ann.read({ kind: 'need' })).toEqual([expect.objectContaining({ resolvedBy: expect.any(String) })]);
    await gate.close();
  });

  it('HIVEMARK_DATABASE_URL is the space when none is named, and no credential is ever shown', async () => {
    const named = await runInProcess(['space', 'stats', '--json'], { HIVEMARK_DATABASE_URL: url });
    expect(named.code, named.stderr).toBe(0);
    expect(JSON.parse(named.stdout)).toMatchObject({ bytes: null });
    const spaces = [
      url,
      `${at}?space=none`,
      url.replace('tester', 'nobody'),
      'postgres://u:p%40ss%2Fw0rd%23hivemark@127.0.0.1:1/x',
      `${url}&x=1`,
    ];
    for (const where of spaces) {
      const { stdout, stderr } = await runInProcess(['space', 'stats', where]);
      for (const secret of [TEST_PASSWORD, encodeURIComponent(TEST_PASSWORD), 'w0rd'])
        expect(`${stdout}${stderr}`).not.toContain(secret);
      expect(stderr).not.toContain('report it');
    }
  }, 60_000);
});

describe('hivemark space on a run', () => {
  let dir: string;
  let out: string;
  let config: string;
  let env: Record<string, string>;

  beforeAll(async () => {
    out = await newFolder();
    config = join(out, 'tiny.yaml');
    env = { HIVEMARK_SECRET: 's', XDG_CONFIG_HOME: join(out, 'config') };
    await writeFile(
      config,
      'name: tiny\ntask: sine_approx\nagents:\n  - { name: tuner, model: scripted/tuner }\ngenerations: 1\nseeds: [1]\narms: [solo]\n',
    );
    const ran = await runCli(['run', config, '--out', out, '--json'], { env });
    expect(ran.code, ran.stderr).toBe(0);
    dir = join(out, 'tiny', 'tuner-s1-solo');
  }, 120_000);
  afterAll(() => rm(out, { recursive: true, force: true }));

  it('the run made a principal: its token is kept for the user alone, only its hash is in the space', async () => {
    const folder = join(out, 'config', 'hivemark', 'principals');
    const [name, ...others] = await readdir(folder);
    expect(others).toEqual([]);
    const file = join(folder, name ?? '');
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    const token = (await readFile(file, 'utf8')).trim();
    const bodies = JSON.stringify(await readRecords(dir));
    expect(bodies).toContain(`"tokenSha256":"${tokenSha256(token)}"`);
    expect(bodies).not.toContain(token);
    expect(name).toBe(tokenSha256(token));
    expect((await runInProcess(['space', 'stats', join(out, 'tiny'), '--json'], env)).code).toBe(0);
  });

  it('what the principal does is vouched for, is in the tables, and does not define anything anew', async () => {
    const before = await readRecords(dir);
    const acted = await runInProcess(['space', 'revoke', dir, '--scope', 'agents', '--reason', 'stop', '--json'], env);
    expect(acted.code, acted.stderr).toBe(0);
    const added = (await readRecords(dir)).slice(before.length);
    expect(added.map(({ key, body }) => [key, body.type])).toEqual([
      ['tuner-s1-solo/principal/p/c1', 'decision'],
      ['tuner-s1-solo/event/2', 'event'],
    ]);
    const verified = await runInProcess(['verify', dir, '--json']);
    expect(JSON.parse(verified.stdout)).toEqual({ ok: true, records: before.length + 2 });
    expect(await readFile(join(dir, 'trace', 'decisions.jsonl'), 'utf8')).toContain('tuner-s1-solo/principal/p/c1');
    expect((await runCli(['resume', dir, '--json'], { env })).code).toBe(0);
  }, 60_000);

  it('a run that goes on keeps its principal', async () => {
    const file = join(dir, 'run.json');
    const run = JSON.parse(await readFile(file, 'utf8')) as object;
    await writeFile(file, JSON.stringify({ ...run, status: 'stopped: for a test' }));
    const resumed = await runCli(['resume', dir, '--json'], { env });
    expect(resumed.code, resumed.stderr).toBe(0);
    expect(await readdir(join(out, 'config', 'hivemark', 'principals'))).toHaveLength(1);
    const acted = await runInProcess(['space', 'restore', dir, '--scope', 'agents'], env);
    expect(acted.code, acted.stderr).toBe(0);
  }, 60_000);

  it('tells the SDK that the process was started with, of every call that is on record (P58)', async () => {
    const spans = join(out, 'spans.jsonl');
    const setup = new URL('./otel-setup.ts', import.meta.url).href;
    const telling = {
      ...env,
      NODE_OPTIONS: `--import ${setup}`,
      OTEL_TRACES_EXPORTER: 'otlp',
      HIVEMARK_TEST_SPANS: spans,
    };
    const ran = await runCli(['run', config, '--out', join(out, 'told'), '--json'], { env: telling });
    expect(ran.code, ran.stderr).toBe(0);
    const told = (await readFile(spans, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => (JSON.parse(line) as { attributes: Record<string, string> }).attributes['hivemark.decision']);
    const ids = (await readRecords(join(out, 'told', 'tiny', 'tuner-s1-solo'))).flatMap(
      ({ body }) => decisionIn(body)?.id ?? [],
    );
    expect(new Set(told)).toEqual(new Set(ids));
    expect(told).toHaveLength(ids.length);
  }, 60_000);

  it('refuses to act on a log whose tail was cut', async () => {
    const cut = await newFolder();
    await mkdir(join(cut, 'run'));
    const run = JSON.parse(await readFile(join(dir, 'run.json'), 'utf8')) as { anchors: { seq: number }[] };
    run.anchors = run.anchors.map((anchor) => ({ ...anchor, seq: anchor.seq + 5 }));
    await writeFile(join(cut, 'run', 'run.json'), JSON.stringify(run));
    await writeFile(join(cut, 'run', 'marks.db'), await readFile(join(dir, 'marks.db')));
    const refused = await runInProcess(['space', 'restore', join(cut, 'run'), '--scope', 'agents'], env);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('run.json vouches');
  });

  it('reads beside a live writer, and says what to do where it would write', async () => {
    const log = await openSqliteLog(join(dir, 'marks.db'));
    try {
      for (const sub of ['stats', 'marks', 'needs', 'barriers', 'export'])
        expect((await runInProcess(['space', sub, dir], env)).code, sub).toBe(0);
      const refused = await runInProcess(['space', 'restore', dir, '--scope', 'agents'], env);
      expect(refused.code).toBe(1);
      expect(refused.stderr).toMatch(/another process; wait for it or stop it.*hivemark resume.*Looking/s);
    } finally {
      await log.close();
    }
  });

  it('a run without a place for the token goes on, and says that nobody can act', async () => {
    const blocked = join(out, 'blocked');
    await writeFile(blocked, 'a file, not a folder');
    const without = { HIVEMARK_SECRET: 's', XDG_CONFIG_HOME: blocked };
    const ran = await runCli(['run', config, '--out', join(out, 'second'), '--json'], { env: without });
    expect(ran.code, ran.stderr).toBe(0);
    expect(ran.stderr).toContain('nobody can act as principal in its space');
    const refused = await runInProcess(['space', 'restore', join(out, 'second', 'tiny'), '--scope', 'agents'], env);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('this space has no principal');
  }, 60_000);
});

describe('hivemark space refuses', () => {
  it.each<[string, string[], RegExp]>([
    ['what is not there', ['stats', '/nowhere'], /there is nothing at \/nowhere.*postgres:\/\//],
    ['an address of something else, unseen', ['stats', 'mysql://root:hunter2@db/x'], /is not one of a space/],
    ['a kind that is none', ['marks', '.', '--kind', 'observatoin'], /Did you mean observation/],
    ['a time that is none', ['marks', '.', '--since', 'tea'], /is no time/],
    ['a scope that is none', ['marks', '.', '--scope', 'a//b'], /an empty segment/],
    ['an agent that is none', ['marks', '.', '--agent', 'A B'], /not the name of an agent/],
    ['a number that is none', ['marks', '.', '--last', '0'], /whole number from 1/],
    ['a format that is none', ['export', '.', '--format', 'csv'], /jsonl or parquet/],
    ['Parquet on standard output', ['export', '.', '--format', 'parquet'], /--out <file>/],
    ['a restriction of nothing', ['restore', '.'], /--scope/],
    ['a subcommand that is none', ['marsk', '.'], /marks/],
    ['no need', ['resolve'], /name the need/],
  ])('%s', async (_, args, says) => {
    const { code, stdout, stderr } = await runInProcess(['space', ...args]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(says);
    expect(stderr).not.toContain('hunter2');
  });

  it('folders with no space or several, naming them', async () => {
    const folder = await newFolder();
    const none = await runInProcess(['space', 'stats', folder]);
    expect(none).toMatchObject({ code: 2 });
    expect(none.stderr).toContain('there is no space in');
    for (const name of ['a', 'b']) {
      await mkdir(join(folder, name));
      await (await openSqliteLog(join(folder, name, 'marks.db'))).close();
    }
    const several = await runInProcess(['space', 'stats', folder]);
    expect(several).toMatchObject({ code: 2 });
    expect(several.stderr).toContain(join(folder, 'b'));
    const here = await runInProcess(['space', 'stats', '--json'], {}, join(folder, 'a'));
    expect(JSON.parse(here.stdout)).toMatchObject({ marks: 0, span: { first: null, last: null }, principal: false });
    expect((await runInProcess(['space', 'marks', join(folder, 'a'), '--json'])).stdout).toBe('[]\n');
  });

  it('a file that is no space, a damaged one, and a place that cannot be written', async () => {
    const folder = await newFolder();
    await writeFile(join(folder, 'x.db'), 'not a database, but long enough to be looked at');
    const not = await runInProcess(['space', 'stats', join(folder, 'x.db')]);
    expect(not).toMatchObject({ code: 1 });
    expect(not.stderr).not.toContain('report it');
    const file = join(folder, 'marks.db');
    await fill(await openSqliteLog(file));
    const missing = await runInProcess(['space', 'export', file, '--out', join(folder, 'no', 'x.jsonl')]);
    expect(missing).toMatchObject({ code: 2 });
    expect(missing.stderr).toContain('cannot write');
  });
});
