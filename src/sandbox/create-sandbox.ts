import { availableParallelism } from 'node:os';
import { ChildPool } from './child-pool.ts';
import { ComputeSlots } from './compute-slots.ts';
import { DisposableChild } from './disposable-child.ts';
import { findLauncher, type Launcher, launch } from './launch.ts';
import { DEFAULT_LIMITS, DEFAULT_SHELL_LIMITS } from './limits.ts';
import { openParser } from './open-parser.ts';
import { programRunner } from './run-program.ts';
import { openShellSession, shellRunner } from './run-shell.ts';
import { StripCache } from './strip-cache.ts';
import type { Sandbox, SandboxLimits, ShellLimits } from './sandbox.ts';

/** Options of {@link createSandbox}. */
export interface SandboxOptions {
  /** Children for programs kept started ahead of use. @default 2 */
  readonly poolSize?: number;
  /** Children for shell commands kept started ahead of use. @default 2 */
  readonly shellPoolSize?: number;
  /** Programs that compute at the same time; more wait their turn, off the clock. @default twice the processors, at least 4 */
  readonly concurrency?: number;
  /** Instead of `DEFAULT_LIMITS`, for jobs that do not say. */
  readonly defaults?: Partial<SandboxLimits>;
  /** Instead of `DEFAULT_SHELL_LIMITS`, for jobs that do not say. */
  readonly shellDefaults?: Partial<ShellLimits>;
  /** Told, once each, what this platform lacks for full containment. */
  readonly onNotice?: (sentence: string) => void;
}

const EXTENSION = import.meta.url.endsWith('.ts') ? '.ts' : '.js';
// WebAssembly (the type stripper): unbounded, its memory reserves all address space up to 4 GiB, and then isolates cannot be made.
const COMMON_FLAGS = [
  '--disable-warning=ExperimentalWarning',
  '--disable-wasm-trap-handler',
  '--wasm-max-mem-pages=2048',
];
const KINDS = {
  isolate: {
    url: `./isolate-child${EXTENSION}`,
    flags: [
      // isolated-vm needs a runtime that was not started from the snapshot.
      '--no-node-snapshot',
      '--max-old-space-size=256',
    ],
  },
  shell: { url: `./shell-child${EXTENSION}`, flags: ['--max-old-space-size=256'] },
} as const;

/**
 * Opens a sandbox. Nothing is started before the first use; afterwards children are kept ready in the background. Idle children
 * do not keep this process alive and end with it.
 *
 * @example
 * const sandbox = createSandbox();
 * const [verdict] = await sandbox.run({
 *   modules: { 'task_agent.ts': 'export const forward = (x: number) => x + 1;' },
 *   entry: 'task_agent.ts',
 *   cases: [{ seed: 1, next: (step) => (step === 0 ? 41 : undefined) }],
 * });
 * await sandbox.close();
 */
export function createSandbox(options: SandboxOptions = {}): Sandbox {
  let launcher: Promise<Launcher> | undefined;
  const prepare = (): Promise<Launcher> => {
    launcher ??= findLauncher().then((found) => {
      for (const notice of found.notices) options.onNotice?.(notice);
      return found;
    });
    return launcher;
  };
  const start = (kind: keyof typeof KINDS) => async () => {
    const { url, flags } = KINDS[kind];
    return new DisposableChild(launch(await prepare(), [...COMMON_FLAGS, ...flags], new URL(url, import.meta.url)));
  };
  const isolates = new ChildPool(start('isolate'), options.poolSize ?? 2);
  const shells = new ChildPool(start('shell'), options.shellPoolSize ?? 2);
  const programs = {
    take: () => isolates.take(),
    slots: new ComputeSlots(options.concurrency ?? Math.max(4, 2 * availableParallelism())),
    stripped: new StripCache(),
    defaults: { ...DEFAULT_LIMITS, ...options.defaults },
  };
  const commands = { take: () => shells.take(), defaults: { ...DEFAULT_SHELL_LIMITS, ...options.shellDefaults } };
  return {
    run: programRunner(programs),
    shell: shellRunner(commands),
    openShell: () => openShellSession(commands),
    openParser: () => openParser(programs),
    close: async () => {
      await Promise.all([isolates.close(), shells.close()]);
    },
  };
}
