import { randomBytes } from 'node:crypto';
import type { ChildExit, DisposableChild } from './disposable-child.ts';
import { KeptChild } from './kept-child.ts';
import { watchResident } from './resident-watch.ts';
import type { RunShell, ShellJob, ShellLimits, ShellResult, ShellSession } from './sandbox.ts';
import { parseShellAnswer, type ShellAnswer, type ToShellChild } from './shell-frames.ts';

/** What shell commands need of the sandbox. */
export interface ShellDeps {
  /** A ready child for shell commands. */
  take(): Promise<DisposableChild>;
  readonly defaults: ShellLimits;
}

type Ending = { readonly answer: ShellAnswer } | { readonly status: Exclude<ShellResult['status'], 'done'> };

/** Exit codes of commands that did not end by themselves, as a shell would give them. */
const EXIT_CODES = { timeout: 124, memory: 137, crash: 134, 'output-limit': 1 } as const;

/** @returns the `shell` of a sandbox: every command in a child of its own. */
export function shellRunner(deps: ShellDeps): RunShell {
  return async (job) => {
    const session = openShellSession(deps);
    try {
      return await session.run(job);
    } finally {
      session.close();
    }
  };
}

/** @returns a session of a sandbox: see {@link ShellSession}. */
export function openShellSession(deps: ShellDeps): ShellSession {
  const kept = new KeptChild(() => deps.take(), 'the shell session');
  return {
    run: (job) =>
      kept.use(job.signal, async (child) => {
        const limits = { ...deps.defaults, ...job.limits };
        const startedAt = performance.now();
        const ending = await endingOf(child, job, limits);
        job.signal?.throwIfAborted();
        if ('status' in ending) child.kill();
        return resultOf(ending, limits, performance.now() - startedAt);
      }),
    close: () => kept.close(),
  };
}

async function endingOf(child: DisposableChild, job: ShellJob, limits: ShellLimits): Promise<Ending> {
  const nonce = randomBytes(16).toString('hex');
  const { promise, resolve } = Promise.withResolvers<Ending>();
  const onAbort = () => resolve({ status: 'crash' });
  const timer = setTimeout(() => setImmediate(() => resolve({ status: 'timeout' })), limits.wallMs);
  const unwatch = watchResident(
    child,
    limits.memoryMb,
    () => true,
    () => resolve({ status: 'memory' }),
  );
  job.signal?.addEventListener('abort', onAbort, { once: true });
  if (job.signal?.aborted === true) onAbort();
  // A byte can take six characters in JSON; the paths of what was read come on top.
  const maxLineBytes = 6 * (2 * limits.outputBytes + limits.changedBytes) + 4 * 1024 * 1024;
  const listener = {
    line: (line: string) => {
      if (!line.startsWith(nonce)) return;
      const answer = parseShellAnswer(line.slice(nonce.length));
      resolve(answer === undefined ? { status: 'crash' } : { answer });
    },
    flood: () => resolve({ status: 'output-limit' }),
    end: (exit: ChildExit) => resolve({ status: statusOfExit(exit) }),
  };
  child.hold(listener, maxLineBytes);
  const message: ToShellChild = {
    nonce,
    command: job.command,
    files: job.files,
    givenBytes: Object.values(job.files).reduce((sum, text) => sum + Buffer.byteLength(text), 0),
    cwd: job.cwd ?? '/',
    wallMs: limits.wallMs,
    outputBytes: limits.outputBytes,
    changedBytes: limits.changedBytes,
  };
  child.send(JSON.stringify(message));
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    unwatch();
    job.signal?.removeEventListener('abort', onAbort);
  }
}

function statusOfExit(exit: ChildExit): 'memory' | 'timeout' | 'crash' {
  if (exit.outOfMemory) return 'memory';
  return exit.signal === 'SIGXCPU' ? 'timeout' : 'crash';
}

function resultOf(ending: Ending, limits: ShellLimits, wallMs: number): ShellResult {
  if ('status' in ending) return failed(ending.status, '', messageOf(ending.status, limits), [], wallMs);
  const { exitCode, stdout, stderr, changed, changedBytes, reads } = ending.answer;
  const { outputBytes } = limits;
  if (Buffer.byteLength(stdout) > outputBytes || Buffer.byteLength(stderr) > outputBytes) {
    const note = `the output is larger than ${outputBytes} bytes; nothing was changed. Print less (head, grep).`;
    return failed('output-limit', clip(stdout, outputBytes), note, reads, wallMs);
  }
  if (changedBytes > limits.changedBytes) {
    const note = `the changed files have ${changedBytes} bytes together, ${limits.changedBytes} are allowed; nothing was changed.`;
    return failed('output-limit', stdout, note, reads, wallMs);
  }
  return { status: 'done', exitCode, stdout, stderr, changed, reads, wallMs };
}

function failed(
  status: Exclude<ShellResult['status'], 'done'>,
  stdout: string,
  stderr: string,
  reads: readonly string[],
  wallMs: number,
): ShellResult {
  return { status, exitCode: EXIT_CODES[status], stdout, stderr: `${stderr}\n`, changed: {}, reads, wallMs };
}

function messageOf(status: Exclude<ShellResult['status'], 'done'>, limits: ShellLimits): string {
  const what = {
    timeout: `did not end within ${limits.wallMs} ms`,
    memory: 'used too much memory',
    crash: 'brought the shell down',
    'output-limit': 'wrote too much',
  }[status];
  return `the command ${what}; nothing was changed.`;
}

/** The first bytes of a text, never half a character. */
function clip(text: string, maxBytes: number): string {
  return Buffer.from(text)
    .subarray(0, maxBytes)
    .toString('utf8')
    .replace(/\uFFFD+$/, '');
}
