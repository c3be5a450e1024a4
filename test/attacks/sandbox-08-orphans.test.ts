import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { childrenOf } from './containment.ts';

const COORDINATOR = `
  import { createSandbox } from ${JSON.stringify(new URL('../../src/sandbox/create-sandbox.ts', import.meta.url).href)};
  const sandbox = createSandbox();
  const loop = { modules: { 'a.js': 'export const forward = () => { for (;;); };' }, entry: 'a.js', cases: [{ seed: 1, next: () => 1 }] };
  sandbox.run(loop);
  sandbox.run({ ...loop, modules: { 'a.js': 'for (;;);' } });
  const lines = (word) => Array.from({ length: 9000 }, (_, i) => word + i).join('\\n');
  sandbox.shell({ command: 'diff a b', files: { '/a': lines('left'), '/b': lines('right') }, limits: { wallMs: 60_000 } });
  setTimeout(() => console.log('busy'), 1_500);
`;

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

async function settled(pids: readonly number[], withinMs: number): Promise<readonly number[]> {
  const until = performance.now() + withinMs;
  while (performance.now() < until && pids.some(alive)) await pause(50);
  return pids.filter(alive);
}

test.runIf(process.platform === 'linux')(
  'kill -9 of the coordinator leaves no child behind, idle or busy',
  async () => {
    const coordinator = spawn(process.execPath, ['--input-type=module', '-e', COORDINATOR], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    await once(coordinator.stdout, 'data');
    const pids = childrenOf(coordinator.pid ?? -1).map((child) => child.pid);
    expect(pids.length).toBeGreaterThanOrEqual(4);
    coordinator.kill('SIGKILL');
    expect(await settled(pids, 3_000)).toEqual([]);
  },
);

test.runIf(process.platform === 'linux')(
  'a coordinator that is done ends by itself although it never closed its sandbox',
  async () => {
    const source = `
    import { createSandbox } from ${JSON.stringify(new URL('../../src/sandbox/create-sandbox.ts', import.meta.url).href)};
    const sandbox = createSandbox();
    const verdicts = await sandbox.run({ modules: { 'a.js': 'export const forward = () => 1;' }, entry: 'a.js', cases: [{ seed: 1, next: (k) => (k === 0 ? 1 : undefined) }] });
    const { stdout } = await sandbox.shell({ command: 'echo hi', files: {} });
    console.log(verdicts[0].value, stdout.trim());
  `;
    const coordinator = spawn(process.execPath, ['--input-type=module', '-e', source], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    let pids: readonly number[] = [];
    coordinator.stdout.on('data', (bytes: Buffer) => {
      said += bytes.toString();
      pids = childrenOf(coordinator.pid ?? -1).map((child) => child.pid);
    });
    const [code] = await once(coordinator, 'close');
    expect({ code, said }).toEqual({ code: 0, said: '1 hi\n' });
    expect(await settled(pids, 3_000)).toEqual([]);
  },
);
