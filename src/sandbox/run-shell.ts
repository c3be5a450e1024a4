import type { DisposableChild } from './disposable-child.ts';
import type { RunShell, ShellLimits } from './sandbox.ts';

/** What shell commands need of the sandbox. */
export interface ShellDeps {
  /** A ready child for shell commands. */
  take(): Promise<DisposableChild>;
  readonly defaults: ShellLimits;
}

export function shellRunner(deps: ShellDeps): RunShell {
  return async (_job) => {
    await deps.take();
    throw new Error('not yet');
  };
}
