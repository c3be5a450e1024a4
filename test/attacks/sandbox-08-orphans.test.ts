import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { childrenOf } from './containment.ts';

const COORDINATOR = `
  import { createSandbox } from ${JSON.stringify(new URL('../../src/sandbox/create-sandbox.ts', import.meta.url).href)};
  const sandbox = createSandbox();
  const loop = { modules: { 'a.js': 'export const forward = () => { for (;;); };' }, entry: 'a.js', cases: [{ seed: 1, next: () => 1 }], limits: { caseMs: 60_000, computeMs: 60_000 } };
  sandbox.run(loop);
  sandbox.run({ ...loop, modules: { 'a.js': 'for (;;);' } });
  const lines = (word) => Array.from({ length: 9000 }, (_, i) => word + i).join('\\n');
  sandbox.shell({ command: 'diff a b', files: { '/a': lines('left'), '/b': lines('right') }, limits: { wallMs: 60_000 } });
`;

/** Whether there is such a process, and not only its exit status for whoever has to take it. */
const alive = (pid: number): boolean => {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.charAt(stat.lastIndexOf(')') + 2) !== 'Z';
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
    let pids: readonly number[] = [];
    try {
      // Two programs and a command that have computed for longer than it takes to start, and two idle children of either kind.
      for (let busy = 0; busy < 3 || pids.length < 7; await pause(100)) {
        expect(coordinator.exitCode).toBeNull();
        const children = childrenOf(coordinator.pid ?? -1);
        busy = children.filter(({ cpuTicks }) => cpuTicks > 100).length;
        pids = children.map(({ pid }) => pid);
      }
    } finally {
      coordinator.kill('SIGKILL');
    }
    expect(await settled(pids, 10_000)).toEqual([]);
  },
  60_000,
);

test.runIf(process.platform === 'linux')(
  'a coordinator that is done ends by itself although it never closed its sandbox',
  async () => {
    const source = `
    import { createSandbox } from ${JSON.stringify(new URL('../../src/sandbox/create-sandbox.ts', import.meta.url).href)};
    import { childrenOf } from ${JSON.stringify(new URL('./containment.ts', import.meta.url).href)};
    const sandbox = createSandbox();
    const verdicts = await sandbox.run({ modules: { 'a.js': 'export const forward = () => 1;' }, entry: 'a.js', cases: [{ seed: 1, next: (k) => (k === 0 ? 1 : undefined) }] });
    const { stdout } = await sandbox.shell({ command: 'echo hi', files: {} });
    const pids = childrenOf(process.pid).map((child) => child.pid);
    console.log(JSON.stringify({ value: verdicts[0].value, said: stdout.trim(), pids }));
  `;
    const coordinator = spawn(process.execPath, ['--input-type=module', '-e', source], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let said = '';
    coordinator.stdout.on('data', (bytes: Buffer) => (said += bytes.toString()));
    const [code] = await once(coordinator, 'close');
    expect(code).toBe(0);
    const told: { value: unknown; said: unknown; pids: number[] } = JSON.parse(said);
    expect(told).toMatchObject({ value: 1, said: 'hi' });
    // Those that are kept ready, at least.
    expect(told.pids.length).toBeGreaterThanOrEqual(4);
    expect(await settled(told.pids, 10_000)).toEqual([]);
  },
);
