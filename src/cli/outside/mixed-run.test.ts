import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { ExperimentInput } from '../../experiment/config.ts';
import { parseConfig } from '../../experiment/config.ts';
import { createExperiment, openExperiment } from '../../experiment/experiment-folder.ts';
import type { ExperimentFolder } from '../../experiment/experiment-folder.ts';
import { type ExperimentResult, playExperiment } from '../../experiment/experiment.ts';
import type { OpenRun } from '../../experiment/open-run.ts';
import { Interrupted } from '../../experiment/run.ts';
import { ownScope, STRATEGIES } from '../../experiment/run-context.ts';
import type { EditorCommand } from '../../materialize/editor.ts';
import type { Participant } from '../../mcp/participant.ts';
import { isRecord } from '../../space/json-value.ts';
import { verifyLog } from '../../space/verify-log.ts';
import { loadTable } from '../../trace/trace-reader.ts';
import { openRunSeat } from './run-seat.ts';

const ENV = { HIVEMARK_PRINCIPAL_TOKEN: 'hmp_of-tests-and-long-enough-for-them' };
const folders: string[] = [];
afterAll(() => Promise.all(folders.map((dir) => rm(dir, { recursive: true, force: true }))));

/** A task whose evaluation is quick. */
const SMALL = { task: 'sine_approx' } as const;

/** An edit that changes the program's text, not what it does. */
function note(text: string): EditorCommand {
  return { command: 'insert', path: 'task_agent.ts', insert_line: 0, insert_text: `// ${text}` };
}

const texts = new WeakMap<Participant, () => string>();
function textOf(seat: Participant): string {
  return texts.get(seat)?.() ?? '';
}

type Drive = (seat: Participant, run: OpenRun, stop: () => void) => Promise<void>;

async function make(more: Partial<ExperimentInput> = {}): Promise<ExperimentFolder> {
  const out = await mkdtemp(join(tmpdir(), 'hivemark-mixed-'));
  folders.push(out);
  const config = parseConfig(
    {
      name: 'mixed',
      task: 'prism_placement',
      agents: [
        { name: 'planner', model: 'scripted/planner' },
        { name: 'me', external: 'mcp' },
      ],
      generations: 2,
      ...more,
    },
    'mixed',
  );
  return createExperiment(config, out, { env: ENV, publicSecret: true });
}

/** Plays an experiment whose agent `me` does what `drive` does. */
async function play(folder: ExperimentFolder, drive: Drive): Promise<ExperimentResult> {
  const stopping = new AbortController();
  let driven: Promise<void> = Promise.resolve();
  const result = await playExperiment(folder, {
    env: ENV,
    signal: stopping.signal,
    onEvent: () => {},
    serve: (run) => {
      const seat = openRunSeat(run, 'me');
      texts.set(seat, () => fileIn(run));
      driven = drive(seat, run, () => stopping.abort(new Interrupted()));
      driven.catch(() => stopping.abort(new Interrupted()));
      return Promise.resolve({ played: () => driven, close: () => Promise.resolve() });
    },
  });
  await driven;
  return result;
}

/** The program as the space has it. */
function fileIn({ context }: OpenRun): string {
  const marks = context.gate.view.byTopic(ownScope('me'), 'task_agent.ts');
  const content = marks.at(-1)?.mark.kind === 'observation' ? Reflect.get(marks.at(-1)?.mark ?? {}, 'content') : null;
  return isRecord(content) ? String(content['text']) : '';
}

async function until(seat: Participant, round: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const check = (): void => {
      const { run } = seat.standing();
      if (run?.phase !== 'over' && (run?.phase !== 'open' || run.round < round)) return;
      off();
      resolve();
    };
    const off = seat.watch(check);
    check();
  });
}

describe('a mixed run', () => {
  it('pairs a driven model with an agent from outside: seen, edited, submitted, scored, published, with evidence', async () => {
    const folder = await make({ generations: 4 });
    const results: unknown[] = [];
    const ticks: string[] = [];
    const result = await play(folder, async (seat) => {
      for (let round = 1; round <= 3; round += 1) {
        await until(seat, round);
        const files = seat.files();
        expect(files.filter(({ kind }) => kind === 'own').map(({ path }) => path)).toEqual(['task_agent.ts']);
        expect(files.some(({ path }) => /^strategies\/planner_gen\d\/task_agent\.ts$/u.test(path))).toBe(true);
        const insert_text = `// ${round}`;
        await seat.edit({ command: 'insert', path: 'task_agent.ts', insert_line: 0, insert_text });
        results.push(await seat.submit({ onProgress: ({ step }) => ticks.push(step) }));
      }
      await until(seat, 4);
      const peer = seat.files().find(({ path }) => /^strategies\/planner_gen\d+\/task_agent\.ts$/u.test(path));
      const opened = await seat.read(peer?.path ?? '', 'view');
      if (!opened.ok) throw new Error(opened.message);
      await seat.edit({ command: 'create', path: 'task_agent.ts', file_text: opened.text });
      results.push(await seat.submit({ reason: "planner's sketch, as it is" }));
    });
    expect(result.stop).toBeUndefined();
    expect(ticks[0]).toBe('queued');
    expect(ticks).toContain('evaluating');
    expect(results[0]).toMatchObject({ ok: true, generation: 1, status: 'accepted', published: false });
    expect(results[3]).toMatchObject({ ok: true, generation: 4, published: true, adopted: [{ peer: 'planner' }] });
    const [run] = result.runs;
    const adoption = run?.adoptions.find(({ agent }) => agent === 'me');
    expect(adoption?.evidence).toMatchObject({ level: 'stated', statement: { call: 'me/4' } });
    expect(adoption?.evidence.reads).toHaveLength(1);
    const candidates = (await loadTable(run?.dir ?? '', 'candidates')).rows.filter(({ agent }) => agent === 'me');
    expect(candidates.map(({ id, parents }) => [id, ...parents])).toEqual([
      ['me/0'],
      ['me/1', 'me/0'],
      ['me/2', 'me/1'],
      ['me/3', 'me/2'],
      ['me/4', 'me/3'],
    ]);
  }, 180_000);

  it('goes on without who does not submit in time, and takes up again with who comes back', async () => {
    const folder = await make({ ...SMALL, generations: 2, rounds: { timeoutMinutes: 0.02 } });
    const result = await play(folder, async (seat, { context }) => {
      const { news, outside, config } = context;
      // The round after the one that is missed waits as long as it takes.
      news.on(() => outside.round === 2 && Object.assign(config.rounds, { timeoutMinutes: 60 }));
      await until(seat, 1);
      await seat.edit(note('kept over the round that was missed'));
      await until(seat, 2);
      expect(textOf(seat)).toContain('kept over');
      expect(await seat.submit({})).toMatchObject({ ok: true, generation: 2, status: 'accepted' });
    });
    const [run] = result.runs;
    const rows = (await loadTable(run?.dir ?? '', 'candidates')).rows.filter(({ agent }) => agent === 'me');
    expect(rows.map(({ id, parents }) => [id, ...parents])).toEqual([['me/0'], ['me/2', 'me/0']]);
    expect(await verifyLog(join(run?.dir ?? '', 'marks.db'), [])).toMatchObject({ ok: true });
  }, 180_000);

  it('does not wait for more than a quorum', async () => {
    const folder = await make({ ...SMALL, generations: 1, rounds: { quorum: 0 } });
    const result = await play(folder, () => Promise.resolve());
    expect(result.stop).toBeUndefined();
    expect(result.runs[0]?.status).toBe('done');
  }, 180_000);

  it('refuses a second submission of a round, one while it is evaluated, and one when all is over', async () => {
    const folder = await make({ ...SMALL, generations: 1, rounds: {} });
    const codes: unknown[] = [];
    const codeOf = async (answer: ReturnType<Participant['submit']>): Promise<void> => {
      const one = await answer;
      codes.push(one.ok ? one.status : one.code);
    };
    await play(folder, async (seat) => {
      await codeOf(seat.submit({}));
      await until(seat, 1);
      await seat.edit(note('one'));
      const first = seat.submit({});
      await codeOf(seat.submit({}));
      await codeOf(first);
      await codeOf(seat.submit({}));
      // There is no second round: until all is over.
      await until(seat, 2);
      await codeOf(seat.submit({ reason: 'x'.repeat(2001) }));
      await codeOf(seat.submit({}));
    });
    expect(codes[0]).toMatch(/^(not-open|run-stopped)$/u);
    expect(codes.slice(1, 3)).toEqual(['evaluation-running', 'accepted']);
    expect(codes[3]).toMatch(/^(round-done|run-over)$/u);
    expect(codes.slice(4)).toEqual(['malformed', 'run-over']);
  }, 180_000);

  it('takes a submission back when its call is cancelled; nothing of it counts, and another may follow', async () => {
    const folder = await make({ generations: 1, rounds: {} });
    const result = await play(folder, async (seat) => {
      await until(seat, 1);
      await seat.edit(note('the first'));
      const cancelling = new AbortController();
      const first = seat.submit({
        signal: cancelling.signal,
        onProgress: ({ step }) => {
          if (step === 'evaluating') cancelling.abort(new Error('taken back'));
        },
      });
      await expect(first).rejects.toThrow('taken back');
      expect(seat.standing().run?.phase).toBe('open');
      await seat.edit(note('the second'));
      expect(await seat.submit({})).toMatchObject({ ok: true, status: 'accepted', generation: 1 });
    });
    const [run] = result.runs;
    const { rows } = await loadTable(run?.dir ?? '', 'evaluations');
    expect(rows.filter(({ candidate }) => candidate === 'me/1').map(({ split }) => split)).toEqual([
      'train',
      'validation',
    ]);
  }, 180_000);

  it('is resumed with edits, reads and a submission as they were', async () => {
    const folder = await make({ generations: 1, rounds: {} });
    const stopped = await play(folder, async (seat, run, stop) => {
      await until(seat, 1);
      await seat.edit(note('before the stop'));
      const submitted = seat.submit({
        onProgress: ({ step }) => {
          if (step === 'evaluating') stop();
        },
      });
      expect(await submitted).toMatchObject({ ok: false, code: 'run-stopped' });
      expect(run.context.state.candidates.has('me/1')).toBe(false);
    });
    expect(stopped.stop?.kind).toBe('interrupted');
    const { folder: again } = await openExperiment(folder.dir, ENV);
    const result = await play(again, (seat) => {
      expect(textOf(seat)).toContain('before the stop');
      return Promise.resolve();
    });
    expect(result.stop).toBeUndefined();
    expect((await loadTable(result.runs[0]?.dir ?? '', 'candidates')).rows.map(({ id }) => id)).toContain('me/1');
  }, 180_000);

  it('keeps what is done after a submission for the next program', async () => {
    const folder = await make({ ...SMALL, generations: 2, rounds: {} });
    await play(folder, async (seat, { context }) => {
      await until(seat, 1);
      await seat.edit(note('first'));
      const first = seat.submit({});
      await seat.edit(note('for the second'));
      await seat.read('strategies/planner_gen0/task_agent.ts', 'view');
      await first;
      await until(seat, 2);
      await context.catchUp();
      const [, submitted] = await Promise.all([seat.edit(note('and more')), seat.submit({})]);
      expect(submitted).toMatchObject({ ok: true, generation: 2, status: 'accepted' });
      const sources = context.state.candidates.get('me/2')?.sources ?? {};
      expect(await context.blobs.read(sources['task_agent.ts'] ?? '')).toContain('for the second');
      const first1 = context.state.candidates.get('me/1')?.sources ?? {};
      expect(await context.blobs.read(first1['task_agent.ts'] ?? '')).not.toContain('for the second');
    });
  }, 180_000);

  it('writes by compare-and-set: what somebody else wrote meanwhile is not written over', async () => {
    const folder = await make({ ...SMALL, generations: 1, rounds: {} });
    await play(folder, async (seat) => {
      await until(seat, 1);
      const before = seat.files().find(({ path }) => path === 'task_agent.ts');
      const text = textOf(seat);
      expect(await seat.put('task_agent.ts', `${text}// a`, before?.sha256 ?? '')).toMatchObject({ ok: true });
      expect(await seat.put('task_agent.ts', `${text}// b`, before?.sha256 ?? '')).toMatchObject({
        ok: false,
        code: 'conflict',
        now: { text: `${text}// a` },
      });
      expect(await seat.put('task_agent.ts', null, null)).toMatchObject({ ok: false, code: 'required-file' });
      expect(await seat.put('strategies/planner_gen0/task_agent.ts', 'x', null)).toMatchObject({
        code: 'not-editable',
      });
      expect(await seat.put('../up', 'x', null)).toMatchObject({ ok: false, code: 'malformed' });
      await seat.submit({});
    });
  }, 180_000);

  it('shows nobody what a peer has published in the same round', async () => {
    const agents: ExperimentInput['agents'] = ['me', 'you'].map((name) => ({ name, external: 'mcp' }));
    const folder = await make({ ...SMALL, agents, generations: 2, rounds: {} });
    const taylor = 'export const forward = ({ x }: { x: number[] }) => x.map((v) => v - v ** 3 / 6 + v ** 5 / 120);\n';
    await play(folder, async (seat, run) => {
      const you = openRunSeat(run, 'you');
      await until(seat, 1);
      const strategies = (): unknown[] =>
        seat
          .marks({ scope: STRATEGIES })
          .map((mark) => mark.kind === 'observation' && [mark.topic, Reflect.get(Object(mark.content), 'generation')]);
      const before = strategies();
      let told = 0;
      const off = seat.watch(({ marks }) => (told += Number(marks)));
      await you.edit({ command: 'create', path: 'task_agent.ts', file_text: taylor });
      expect(await you.submit({})).toMatchObject({ ok: true, published: true });
      expect(strategies()).toEqual(before);
      expect(seat.standing().peers).toEqual([expect.objectContaining({ agent: 'you', generation: 0 })]);
      await new Promise((resolve) => setTimeout(resolve, 60));
      expect(told).toBe(0);
      off();
      await seat.submit({});
      await until(seat, 2);
      expect(strategies()).toContainEqual(['you', 1]);
      expect(seat.standing().peers).toEqual([expect.objectContaining({ agent: 'you', generation: 1 })]);
      await Promise.all([seat.submit({}), you.submit({})]);
    });
  }, 180_000);

  it('marks what a folder agent takes as exposed, its reads as not observable', async () => {
    const agents: ExperimentInput['agents'] = [
      { name: 'planner', model: 'scripted/planner' },
      { name: 'me', external: 'folder' },
    ];
    const folder = await make({ agents, generations: 4, rounds: {} });
    const result = await play(folder, async (seat) => {
      for (let round = 1; round <= 3; round += 1) {
        await until(seat, round);
        await seat.submit({});
      }
      await until(seat, 4);
      expect(seat.standing().readsObserved).toBe(false);
      const peer = seat.files().find(({ path }) => /^strategies\/planner_gen\d+\/task_agent\.ts$/u.test(path));
      const opened = await seat.read(peer?.path ?? '', 'resources/read');
      if (!opened.ok) throw new Error(opened.message);
      const own = seat.files().find(({ path }) => path === 'task_agent.ts');
      await seat.put('task_agent.ts', opened.text, own?.sha256 ?? '');
      await seat.submit({});
    });
    const adoption = result.runs[0]?.adoptions.find(({ agent }) => agent === 'me');
    expect(adoption?.evidence).toMatchObject({ level: 'exposed', reads: [], readsObserved: false });
  }, 180_000);

  it('cannot be asked of hidden cases for nothing: no progress tells of them, and nothing is taken back once they are run', async () => {
    const folder = await make({ generations: 1, rounds: {} });
    const result = await play(folder, async (seat, { context }) => {
      await until(seat, 1);
      await seat.edit(note('a question'));
      const cancelling = new AbortController();
      const ticks: string[] = [];
      const answer = await seat.submit({
        signal: cancelling.signal,
        onProgress: ({ step, done, total }) => {
          ticks.push(`${step} ${done}/${total}`);
          if (step === 'validating') cancelling.abort(new Error('taken back'));
        },
      });
      expect(answer).toMatchObject({ ok: true, generation: 1, status: 'accepted' });
      expect(ticks.filter((tick) => !/^(queued|evaluating) /u.test(tick))).toEqual([
        'validating 50/52',
        'recording 51/52',
      ]);
      expect(context.state.submissions.get('me/1')?.withdrawn).toBe(false);
    });
    expect(result.stop).toBeUndefined();
  }, 180_000);

  it('tells a file that is not its own by a read alone, refusals at once', async () => {
    const agents: ExperimentInput['agents'] = ['me', 'you'].map((name) => ({ name, external: 'mcp' }));
    const folder = await make({ ...SMALL, agents, generations: 1, rounds: { quorum: 1 } });
    await play(folder, async (seat) => {
      // From here on nothing but the refusal itself makes anybody look.
      await expect.poll(() => seat.standing().run?.closesAt, { timeout: 60_000 }).toEqual(expect.any(Number));
      const refusal = await seat.put('strategies/you_gen0/task_agent.ts', null, null);
      expect(refusal).toEqual({ ok: false, code: 'not-editable', message: expect.any(String) });
      await expect.poll(() => seat.standing().denials, { timeout: 20_000 }).toBe(1);
      await seat.submit({});
    });
  }, 180_000);

  it('is resumed with a score as it was first given, whatever the program would give now', async () => {
    const folder = await make({ ...SMALL, generations: 1, rounds: {} });
    const first = await play(folder, async (seat, { context }) => {
      await until(seat, 1);
      const record = context.recorder.record.bind(context.recorder);
      context.recorder.record = (rows, options) =>
        rows.some(({ table, key }) => table === 'candidates' && key === 'me/1')
          ? Promise.reject(new Error('the power went'))
          : record(rows, options);
      await seat.edit(note('scored once'));
      expect(await seat.submit({})).toMatchObject({ ok: false, code: 'run-stopped' });
    });
    expect(first.stop?.message).toContain('the power went');
    const before = (await loadTable(join(folder.dir, 'planner+me-s42-paired'), 'evaluations')).rows;
    const result = await play((await openExperiment(folder.dir, ENV)).folder, (_, { context }) => {
      const { sandbox } = context;
      const run = sandbox.run.bind(sandbox);
      Object.assign(sandbox, {
        run: (job: Parameters<typeof run>[0]) =>
          job.modules['task_agent.ts']?.includes('scored once') === true
            ? Promise.reject(new Error('it is scored already'))
            : run(job),
      });
      return Promise.resolve();
    });
    expect(result.stop).toBeUndefined();
    const after = (await loadTable(result.runs[0]?.dir ?? '', 'evaluations')).rows;
    const mine = (rows: typeof after): unknown[] => rows.filter(({ candidate }) => candidate === 'me/1');
    expect(mine(before)).toHaveLength(2);
    expect(mine(after).slice(0, 2)).toEqual(mine(before));
    expect(await verifyLog(join(result.runs[0]?.dir ?? '', 'marks.db'), [])).toMatchObject({ ok: true });
  }, 180_000);
});
