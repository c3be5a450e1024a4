import { spawn } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, onTestFinished, test } from 'vitest';
import { loadTable } from '../trace/trace-reader.ts';
import { verifyLog } from '../space/verify-log.ts';
import { joinCommand } from './join-command.ts';
import type { ExitCode, Surroundings } from './output.ts';
import { Interrupted } from '../experiment/run.ts';
import { showCommand } from './show-command.ts';
import { submitCommand } from './submit-command.ts';

const folders: string[] = [];
afterAll(() => Promise.all(folders.map((dir) => rm(dir, { recursive: true, force: true }))));

interface Place {
  readonly top: string;
  readonly dir: string;
  readonly config: string;
  world(cwd?: string): Surroundings & { out: string; err: string; stop(): void };
}

async function place(external: 'folder' | 'mcp', task = 'sine_approx'): Promise<Place> {
  const top = await mkdtemp(join(tmpdir(), 'hivemark-join-'));
  folders.push(top);
  const config = join(top, 'mixed.yaml');
  await writeFile(
    config,
    `name: mixed\ntask: ${task}\nagents:\n  - { name: planner, model: scripted/planner }\n  - { name: me, external: ${external} }\ngenerations: 2\nseeds: [1]\n`,
  );
  return {
    top,
    config,
    dir: join(top, 'folder'),
    world(cwd = top) {
      const stopping = new AbortController();
      const world = {
        out: '',
        err: '',
        cwd,
        env: {
          HOME: top,
          XDG_CONFIG_HOME: join(top, 'config'),
          HIVEMARK_PRINCIPAL_TOKEN: 'hmp_of-tests-and-long-enough-for-them',
        },
        signal: stopping.signal,
        stop: () => stopping.abort(new Interrupted()),
        output: {
          out: (text: string) => (world.out += text),
          err: (text: string) => (world.err += text),
          interactive: false,
          columns: 100,
        },
      };
      return world;
    },
  };
}

async function until(
  check: () => boolean | Promise<boolean>,
  what: () => string = () => '',
  ms = 60_000,
): Promise<void> {
  for (const end = performance.now() + ms; ; ) {
    if (await check()) return;
    if (performance.now() > end) throw new Error(`did not come to be: ${check.toString()}\n${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** A join that is under way. */
async function joining(at: Place): Promise<{ world: ReturnType<Place['world']>; left: Promise<ExitCode> }> {
  const world = at.world();
  const left = joinCommand(at.config, { agent: 'me', dir: at.dir, out: join(at.top, 'results') }, world);
  left.catch(() => undefined);
  onTestFinished(async () => {
    world.stop();
    await left.catch(() => undefined);
  });
  await Promise.race([
    until(
      () => world.err.includes('round 1 of 2: open'),
      () => world.err,
    ),
    left,
  ]);
  return { world, left };
}

const runOf = (at: Place): Promise<string> =>
  readdir(join(at.top, 'results/mixed')).then((names) =>
    join(
      at.top,
      'results/mixed',
      names.find((name) => existsSync(join(at.top, 'results/mixed', name, 'run.json'))) ?? '',
    ),
  );

describe('hivemark join', () => {
  test('a person with an editor takes part: sees, edits, submits, is scored, comes back', async () => {
    const at = await place('folder');
    const first = await joining(at);
    const program = join(at.dir, 'task_agent.ts');
    const strategies = join(at.dir, 'strategies');
    // The note is written once the files are there. A file that is replaced is gone for a moment, to other threads alone.
    await until(
      () =>
        existsSync(strategies) &&
        /you may change: `task_agent\.ts`/u.test(readFileSync(join(at.dir, 'HIVEMARK.md'), 'utf8')),
      () => first.world.err,
    );
    expect(readdirSync(at.dir).sort()).toEqual(['.hivemark', 'HIVEMARK.md', 'evals', 'strategies', 'task_agent.ts']);
    // Nothing that is secret lies in the folder.
    expect(
      JSON.stringify(
        await Promise.all(
          (await readdir(join(at.dir, '.hivemark')))
            .filter((n) => n.endsWith('.json'))
            .map((n) => readFile(join(at.dir, '.hivemark', n), 'utf8')),
        ),
      ),
    ).not.toMatch(/hm[al]_|127\.0\.0\.1/u);
    const [link] = await readdir(join(at.top, 'config/hivemark/joined'));
    expect((await stat(join(at.top, 'config/hivemark/joined', link ?? ''))).mode & 0o777).toBe(0o600);

    await writeFile(program, `// one\n${await readFile(program, 'utf8')}`);
    await until(
      () => first.world.err.includes('task_agent.ts: in the space'),
      () => first.world.err,
    );

    const submitting = at.world(join(at.dir, 'evals'));
    expect(await submitCommand({ reason: 'a try' }, submitting), submitting.err + submitting.out).toBe(0);
    expect(submitting.out).toMatch(/^generation 1: (?:accepted|copy), score [\d.]+/u);
    expect(submitting.out).toContain('evaluation: evals/gen_1/');
    expect(submitting.err).toContain('evaluating');
    await until(() => existsSync(join(at.dir, 'evals/gen_1')));

    // What peers have published is other files in another round; in one that is open it stays.
    await until(
      () => first.world.err.includes('round 2 of 2: open'),
      () => first.world.err,
    );
    let showing = at.world(strategies);
    await until(
      async () => {
        const [peer] = existsSync(strategies) ? readdirSync(strategies) : [];
        showing = at.world(strategies);
        return peer !== undefined && (await showCommand(`${peer}/task_agent.ts`, showing)) === 0;
      },
      () => showing.err,
    );
    expect(showing.out).toContain('forward');
    const nothing = at.world(at.dir);
    expect(await showCommand('nothing.ts', nothing)).toBe(1);
    expect(nothing.err).toContain('no such file');

    first.world.stop();
    expect(await first.left).toBe(0);

    // Edited while nobody watched; the run goes on where it was.
    await writeFile(program, `// two\n${await readFile(program, 'utf8')}`);
    const world = at.world();
    const left = joinCommand(at.config, { agent: 'me', dir: at.dir, out: join(at.top, 'results') }, world);
    await until(
      () => world.err.includes('round 2 of 2: open'),
      () => world.err,
    );
    expect(world.err).toContain('task_agent.ts: in the space');
    const again = at.world(at.dir);
    expect(await submitCommand({ json: true }, again), again.err).toBe(0);
    expect(JSON.parse(again.out)).toMatchObject({ ok: true, generation: 2, evaluation: 'evals/gen_2' });
    await until(
      () => world.err.includes(': over'),
      () => world.err,
    );
    const late = at.world(at.dir);
    expect(await submitCommand({}, late)).toBe(1);
    world.stop();
    expect(await left).toBe(0);
    const run = await runOf(at);
    expect(await verifyLog(join(run, 'marks.db'), [])).toMatchObject({ ok: true });
    const candidates = (await loadTable(run, 'candidates')).rows.filter(({ agent }) => agent === 'me');
    expect(candidates.map(({ id }) => id)).toEqual(['me/0', 'me/1', 'me/2']);
  }, 180_000);

  test('an edit where none may be is put back and on record; a program that is not in the space is not submitted', async () => {
    const at = await place('folder');
    const { world, left } = await joining(at);
    await writeFile(join(at.dir, 'stranger.txt'), 'mine\n');
    await writeFile(join(at.dir, 'blob.bin'), Buffer.from([0, 1, 2, 255]));
    await until(
      () => world.err.includes('blob.bin: put back') && world.err.includes('stranger.txt: put back'),
      () => world.err,
    );
    await writeFile(join(at.dir, 'task_agent.ts'), Buffer.from('export const x = "\0";'));
    await until(
      () => world.err.includes('NOT in the space'),
      () => world.err,
    );
    const submitting = at.world(at.dir);
    expect(await submitCommand({}, submitting)).toBe(1);
    expect(submitting.err).toMatch(
      /task_agent\.ts is not in the space as it is here: .*is not UTF-8 text.*nothing was submitted/u,
    );
    world.stop();
    await left;
    // Without a join, submit brings the folder in step itself; there is nobody to submit to.
    const alone = at.world(at.dir);
    await expect(submitCommand({}, alone)).rejects.toMatchObject({ code: 'remote-away' });
    const decisions = (await loadTable(await runOf(at), 'decisions')).rows.filter(
      (row) => row.agent === 'me' && row.verdict === 'denied',
    );
    expect(JSON.stringify(decisions)).toContain('stranger.txt');
    expect(decisions.length).toBeGreaterThanOrEqual(3);
  }, 180_000);

  test('Ctrl-C withdraws a submission', async () => {
    const at = await place('folder', 'prism_placement');
    const { world, left } = await joining(at);
    // Slow enough, over fifty cases, to be met while it is trained; once it is validated it counts.
    const program = join(at.dir, 'task_agent.ts');
    const before = await readFile(program, 'utf8');
    await writeFile(program, `let spin = 0;\nfor (let i = 0; i < 2e8; i += 1) spin += i;\n${before}`);
    const submitting = at.world(at.dir);
    const submitted = submitCommand({}, submitting);
    await until(
      () => /queued|evaluating/u.test(submitting.err),
      () => submitting.err,
    );
    submitting.stop();
    await expect(submitted).rejects.toBeInstanceOf(Interrupted);
    expect(submitting.err).toContain('taken back');
    await writeFile(program, `// quick\n${before}`);
    // Withdrawn is not yet ended: until it is, the host says so.
    let again = at.world(at.dir);
    await until(
      async () => {
        again = at.world(at.dir);
        return (await submitCommand({}, again)) === 0;
      },
      () => again.err,
    );
    expect(again.out).toContain('generation 1: ');
    world.stop();
    await left;
  }, 180_000);

  test('whose host is killed keeps edits, plays the experiment on itself and sends them', async () => {
    const at = await place('folder');
    const entry = fileURLToPath(new URL('../../test/cli-entry.ts', import.meta.url));
    const args = ['mcp', '--experiment', at.config, '--http', '127.0.0.1:0', '--out', join(at.top, 'results')];
    const host = spawn(process.execPath, ['--no-node-snapshot', entry, ...args], {
      cwd: at.top,
      env: { ...process.env, ...at.world().env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    onTestFinished(() => void host.kill('SIGKILL'));
    let told = '';
    host.stderr.on('data', (chunk: Buffer) => (told += chunk.toString()));
    await until(
      () => told.includes('served at'),
      () => told,
    );
    const { world, left } = await joining(at);
    host.kill('SIGKILL');
    const program = join(at.dir, 'task_agent.ts');
    await writeFile(program, `// without a host\n${await readFile(program, 'utf8')}`);
    await until(
      () => world.err.includes('edits are kept'),
      () => world.err,
    );
    await until(
      () => world.err.includes('task_agent.ts: in the space'),
      () => world.err,
    );
    expect(world.err).toContain('it is played on here');
    const submitting = at.world(at.dir);
    expect(await submitCommand({}, submitting), submitting.err + submitting.out).toBe(0);
    world.stop();
    expect(await left).toBe(0);
    expect(await verifyLog(join(await runOf(at), 'marks.db'), [])).toMatchObject({ ok: true });
  }, 180_000);

  test('says what is wrong: an agent of MCP, a folder with something in it, no folder at all', async () => {
    const mcp = await place('mcp');
    await expect(joinCommand(mcp.config, { agent: 'me', dir: mcp.dir }, mcp.world())).rejects.toThrow(
      /external: folder/u,
    );
    expect(existsSync(mcp.dir)).toBe(false);
    const at = await place('folder');
    await mkdir(at.dir);
    await writeFile(join(at.dir, 'thesis.tex'), 'mine');
    await expect(joinCommand(at.config, { agent: 'me', dir: at.dir }, at.world())).rejects.toMatchObject({
      code: 'folder-not-empty',
    });
    expect(await readdir(at.dir)).toEqual(['thesis.tex']);
    await expect(submitCommand({}, at.world(at.dir))).rejects.toThrow(/not inside a joined folder/u);
    await expect(showCommand('x', at.world(at.dir))).rejects.toThrow(/not inside a joined folder/u);
  }, 180_000);
});
