import type { SandboxLimits, ShellLimits } from './sandbox.ts';

/** Limits of a program's run; the unit is in the name, the meaning in {@link SandboxLimits}. */
export const DEFAULT_LIMITS: SandboxLimits = {
  computeMs: 10_000,
  caseMs: 10_000,
  wallMs: 30_000,
  memoryMb: 128,
  resultBytes: 1024 * 1024,
  logBytes: 16 * 1024,
  hostCalls: 1_000,
  hostBytes: 256 * 1024,
  sourceBytes: 512 * 1024,
};

/** Limits of a shell command; meaning in {@link ShellLimits}. */
export const DEFAULT_SHELL_LIMITS: ShellLimits = {
  wallMs: 10_000,
  memoryMb: 256,
  outputBytes: 64 * 1024,
  changedBytes: 4 * 1024 * 1024,
};

/** What holds for every child whatever the job asks; enforced by the operating system where it can (see `launch.ts`). */
export const CHILD_LIMITS = {
  /**
   * Address space of a child. V8 reserves 2 to 3 GiB of it without using it, more on a busy machine; what is really used is bounded
   * by the heap limits and by watching the resident size. At 3 GiB honest programs were seen to fail.
   */
  addressSpaceBytes: 8 * 1024 ** 3,
  /** CPU seconds of a child over its life, all its uses together: the last resort should its parent die. */
  cpuSeconds: 900,
  /** Milliseconds a child may take to start before it counts as broken. */
  startMs: 20_000,
  /** Milliseconds a child may take to strip a program's types; off the program's own clock. */
  stripMs: 10_000,
  /** Resident MiB allowed beyond twice a job's `memoryMb`: the runtime itself, and what lies outside the isolate's heap. */
  residentSlackMb: 256,
  /** Milliseconds between two looks at the resident size (Linux). */
  residentPollMs: 50,
  /** Milliseconds a child has to finish dying of a fatal error before it is killed. */
  dyingMs: 300,
  /** Log lines of one case, whatever their size. */
  logLines: 500,
  /** Nesting of a value that crosses. */
  jsonDepth: 100,
} as const;

/** A longer `setTimeout` fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Fills in defaults. A run whose `wallMs` is not given gets at least twice its compute time, so that the wall limit does not cut it short. */
export function resolveLimits(limits: Partial<SandboxLimits> | undefined, defaults: SandboxLimits): SandboxLimits {
  const resolved = { ...defaults, ...limits };
  const wallMs = limits?.wallMs ?? Math.max(defaults.wallMs, 2 * resolved.computeMs + 5_000);
  return { ...resolved, wallMs: Math.min(wallMs, LONGEST_TIMER_MS) };
}
