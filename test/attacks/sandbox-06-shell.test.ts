import { randomBytes } from 'node:crypto';
import { afterAll, expect, test } from 'vitest';
import { createSandbox } from '../../src/sandbox/create-sandbox.ts';
import type { ShellResult } from '../../src/sandbox/sandbox.ts';
import { busyChildren, PATIENT_MS, SLACK_MS, watchEventLoop } from './containment.ts';

const WALL_MS = 1_000;
const CANARY = `CANARY_ENV_${randomBytes(6).toString('hex')}`;
process.env['HIVEMARK_TEST_CANARY'] = CANARY;
const sandbox = createSandbox({ poolSize: 0 });
afterAll(() => sandbox.close());

const numbered = (prefix: string): string => Array.from({ length: 6_000 }, (_, i) => `${prefix}${i}`).join('\n');
const FILES = {
  '/agents/a/task_agent.ts': 'export const forward = () => 1;\n',
  '/agents/ab/task_agent.ts': 'peer\n',
  '/agents/a/a': numbered('left '),
  '/agents/a/b': numbered('right '),
};

async function attack(
  command: string,
  wallMs = WALL_MS,
): Promise<ShellResult & { readonly gapMs: number; readonly tookMs: number }> {
  await sandbox.shell({ command: 'true', files: {} });
  const stoodStill = watchEventLoop();
  const startedAt = performance.now();
  const result = await sandbox.shell({ command, files: FILES, cwd: '/agents/a', limits: { wallMs } });
  const tookMs = performance.now() - startedAt;
  return { ...result, gapMs: await stoodStill(), tookMs };
}

const works = async (): Promise<boolean> => (await sandbox.shell({ command: 'echo ok', files: {} })).stdout === 'ok\n';

test.each([
  ['an endless loop', 'while true; do :; done'],
  ['recursion', 'f(){ f; }; f'],
  ['a fork bomb', ':(){ :|:& };:'],
  ['sleep', 'sleep 100000'],
  ['a loop of pipes', 'while :; do cat a b | sort | uniq -c > /dev/null; done'],
  ['output without end', 'while :; do cat a; done'],
  ['a string doubled', 's=xxxxxxxxxx; while :; do s=$s$s; done'],
  ['a file that grows', 'while :; do cat a b >> c; cat c >> b; done'],
  ['a backtracking pattern', "head -c 40 /dev/zero | tr '\\0' a | sed 's/$/b/' | grep -E '^(a+)+$'"],
  ['awk for ever', 'awk "BEGIN { while (1) x++ }"'],
])('BA-01 %s ends within its deadline, without touching the tree', async (_, command) => {
  const result = await attack(command);
  expect(result.wallMs).toBeLessThan(WALL_MS + SLACK_MS);
  expect(result.tookMs).toBeLessThan(WALL_MS + 2 * SLACK_MS);
  expect(result.gapMs).toBeLessThan(250);
  expect(result.exitCode).not.toBe(0);
  expect(result.changed['/agents/ab/task_agent.ts']).toBeUndefined();
  expect(await works()).toBe(true);
});

test('BA-02 a quadratic command that looks at no clock is killed by the parent', async () => {
  const result = await attack('echo changed > task_agent.ts; diff a b');
  expect(result).toMatchObject({ status: 'timeout', exitCode: 124, changed: {} });
  expect(result.wallMs).toBeLessThan(WALL_MS + SLACK_MS);
  expect(result.tookMs).toBeLessThan(WALL_MS + 2 * SLACK_MS);
  expect(result.gapMs).toBeLessThan(250);
  expect(await works()).toBe(true);
});

test('BA-03 there are no links, and nothing of the host to read', async () => {
  const result = await attack(
    'ln -s / r; cat r/etc/passwd; ln -s ../../eval e; cat e/expected.json; ln task_agent.ts h; cat /etc/passwd /proc/self/environ /proc/1/cmdline /proc/self/cmdline; env; ls -laR / 2>/dev/null | head -50; hostname; whoami; date',
    PATIENT_MS,
  );
  const said = JSON.stringify(result);
  expect(said).not.toMatch(/root:x:0|CANARY|node_modules|isolate|shell-child|\.nvm|\/usr\/bin\/node/);
  expect(said).not.toContain(CANARY);
  expect(result.stdout).toContain('Thu Jan  1 00:00:00 UTC 2026');
  expect(result.changed).toEqual({});
});

test('BA-04 whatever a command writes is a proposal: each file by its own path, the given tree untouched', async () => {
  const before = structuredClone(FILES);
  const result = await attack(
    "echo p > /agents/ab/task_agent.ts; echo p >> ../ab/task_agent.ts; echo p | tee ../ab/t; cp task_agent.ts ../ab/c.ts; mv a ../ab/moved; sed -i s/p/q/ ../ab/task_agent.ts; mkdir -p /eval; echo '{}' > /eval/expected.json; echo mine >> task_agent.ts",
    PATIENT_MS,
  );
  expect(FILES).toEqual(before);
  expect(result.status).toBe('done');
  expect(Object.keys(result.changed).sort()).toEqual([
    '/agents/a/a',
    '/agents/a/task_agent.ts',
    '/agents/ab/c.ts',
    '/agents/ab/moved',
    '/agents/ab/t',
    '/agents/ab/task_agent.ts',
    '/eval/expected.json',
  ]);
  expect(result.changed['/agents/a/a']).toBeNull();
  expect(result.changed['/agents/a/task_agent.ts']).toBe('export const forward = () => 1;\nmine\n');
});

test.each([
  'python3 -c 1',
  'node -e 1',
  'js-exec -c 1',
  'curl http://127.0.0.1/',
  'wget x',
  'sqlite3 :memory: "select 1"',
  'ssh x',
])('there is no %s', async (command) => {
  const { exitCode, stdout } = await sandbox.shell({ command, files: {} });
  expect({ exitCode, stdout }).toEqual({ exitCode: 127, stdout: '' });
});

test.runIf(process.platform === 'linux')('no child is left busy after all this', async () => {
  expect(await busyChildren()).toEqual([]);
});
