import { Socket } from 'node:net';
import { CommanderError } from 'commander';
import { createProgram } from './cli/program.ts';
import { failureOf } from './cli/failure.ts';
import type { Surroundings } from './cli/output.ts';
import { EXIT } from './cli/output.ts';
import { Interrupted } from './experiment/run.ts';

/** A second Ctrl-C within this time is the same key press (a launcher passes it on, the terminal sends it too). */
const SAME_PRESS_MS = 500;

/**
 * The command line: `main(process.argv.slice(2))`. Sets `process.exitCode`; resolves when the command is done. The first
 * interrupt lets the command save its state, a later one ends the process at once.
 */
export async function main(argv: readonly string[]): Promise<void> {
  watchLauncher();
  const interrupt = new AbortController();
  let firstAt = 0;
  const onSignal = (): void => {
    if (!interrupt.signal.aborted) {
      firstAt = performance.now();
      process.stderr.write('\nhivemark: stopping; what is under way is being saved (again to quit at once)\n');
      interrupt.abort(new Interrupted());
    } else if (performance.now() - firstAt > SAME_PRESS_MS) {
      process.exit(EXIT.interrupted);
    }
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // A reader that went away (`hivemark tasks | head`) is no failure of ours; a full disk is one.
    if (error.code === 'EPIPE') process.exit(process.exitCode ?? EXIT.done);
    process.stderr.write(`hivemark: cannot write to standard output (${error.code ?? error.message})\n`);
    process.exit(EXIT.failed);
  });
  // Where progress cannot be told the work goes on without it, and comes to the same end.
  process.stderr.on('error', () => {});

  const world: Surroundings = {
    output: {
      out: (text) => process.stdout.write(text),
      err: (text) => process.stderr.write(text),
      interactive: process.stderr.isTTY && process.env['TERM'] !== 'dumb' && process.env['CI'] === undefined,
      colour: process.stdout.isTTY && process.env['TERM'] !== 'dumb' && process.env['NO_COLOR'] === undefined,
      columns: process.stderr.columns ?? 100,
    },
    env: process.env,
    cwd: process.cwd(),
    signal: interrupt.signal,
  };
  try {
    let code: number = EXIT.done;
    const program = createProgram(world, (exitCode) => {
      code = exitCode;
    });
    await program.parseAsync([...argv], { from: 'user' });
    process.exitCode = code;
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage;
    } else {
      const failure = failureOf(error, interrupt.signal);
      process.stderr.write(`hivemark: ${failure.text}\n`);
      process.exitCode = failure.exitCode;
    }
  }
}

/** When the launcher that started this process is gone, nobody is left to stop it: it ends too, as a crash would end it. */
function watchLauncher(): void {
  const fd = Number(process.env['HIVEMARK_LAUNCHER_FD']);
  if (!Number.isInteger(fd) || fd < 3) return;
  delete process.env['HIVEMARK_LAUNCHER_FD'];
  const pipe = new Socket({ fd, readable: true, writable: false });
  pipe.on('close', () => process.kill(process.pid, 'SIGKILL'));
  pipe.on('error', () => {});
  pipe.resume();
  pipe.unref();
}
