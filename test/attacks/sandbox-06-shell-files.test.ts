import { afterAll, expect, test } from 'vitest';
import { createSandbox } from '../../src/sandbox/create-sandbox.ts';
import type { ShellResult } from '../../src/sandbox/sandbox.ts';

const sandbox = createSandbox({ poolSize: 0 });
afterAll(() => sandbox.close());

const FILES = { '/agents/a/task_agent.ts': 'export const forward = () => 1;\n', '/agents/ab/task_agent.ts': 'peer\n' };
const attack = (command: string): Promise<ShellResult> =>
  sandbox.shell({ command, files: FILES, cwd: '/agents/a', limits: { wallMs: 30_000 } });

test('BA-06 copies fill the room and no more; what is removed makes room again', async () => {
  const fill = 'for i in $(seq 1 80); do cp b c$i 2>> e; done; echo c* | wc -w; wc -l < e; rm c* e';
  const result = await attack(`printf '%1000000d' 1 > b; ${fill}; ${fill}; cp b c; rm b c`);
  // 64 MiB over what was given, one of them for the file that is copied.
  expect(result).toMatchObject({ status: 'done', exitCode: 0, stderr: '', stdout: '66\n14\n66\n14\n', changed: {} });
});

test('BA-06 a file filled and replaced again and again leaves nothing behind', async () => {
  const result = await attack("printf '%1000000d' 1 > b; for i in $(seq 1 1200); do cp b c; mv c d; done; rm b d");
  expect(result).toMatchObject({ status: 'done', exitCode: 0, stderr: '', changed: {} });
});

test.each([
  ['a flood of empty files', 'for i in $(seq 1 60000); do echo f$i; done | xargs touch; echo x > kept'],
  ['a flood of folders', 'seq 1 60000 | xargs mkdir; echo x > kept'],
])('BA-06 %s ends in a refusal or a limit, and not in the coordinator', async (_, command) => {
  const result = await attack(command);
  expect(result.exitCode === 0 && result.stderr === '').toBe(false);
  expect(Object.keys(result.changed).length).toBeLessThanOrEqual(32_768);
});

test('BA-06 folders go as deep as a path may be long', async () => {
  const result = await attack("mkdir -p $(printf 'd/%.0s' $(seq 1 3000)); cd d/d/d && pwd; ls -R / | wc -l; rm -rf d");
  expect(result.stderr).toContain('ENAMETOOLONG');
  expect(result).toMatchObject({ status: 'done', changed: {} });
});

test('BA-06 no path leads out of the tree, and none to the host', async () => {
  const result = await attack(
    'cat ../../../../../../etc/hostname /agents/a/../../../etc/passwd //etc//passwd /./proc/1/environ /proc/self/root/etc/passwd /proc/self/cwd/task_agent.ts /dev/sda /dev/mem /dev/fd/0 /proc/self/fd/1 < /dev/null; ls /proc/self /proc/self/fd /dev; cat /proc/self/exe',
  );
  expect(result.stdout + result.stderr).not.toMatch(/root:x:|node|hivemark\/|forward/);
  expect(result.changed).toEqual({});
  expect(result.reads).toEqual([]);
});

test.each([
  'mknod n c 1 3',
  'mkfifo n',
  'truncate -s 1000000000000 n',
  'dd if=/dev/zero of=n seek=1000000000000',
  'mount x /',
  'inotifywait /agents',
])('BA-06 there is no %s', async (command) => {
  expect(await attack(command)).toMatchObject({ exitCode: 127, changed: {} });
});

test('BA-06 links are refused by the tree itself, whatever asks for them', async () => {
  const result = await attack(
    'ln task_agent.ts h; ln -s /agents/ab s; cp task_agent.ts c; cp -s task_agent.ts d; ls s; cat h d; true',
  );
  expect(result.stderr).toContain('there are no links in this tree');
  expect(result.changed).toEqual({ '/agents/a/c': FILES['/agents/a/task_agent.ts'] });
});

test('BA-06 descriptors and names reused end with the command', async () => {
  const result = await attack(
    'for i in $(seq 3 200); do eval "exec $i<>f$i"; done; echo x > /dev/null; echo y > /dev/stdout; rm -rf f*; rm -rf /dev /proc /bin; echo z > /dev/null; tail -f task_agent.ts',
  );
  expect(result.changed).toEqual({});
  expect((await attack('cat task_agent.ts')).stdout).toBe(FILES['/agents/a/task_agent.ts']);
});
