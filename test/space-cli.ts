import { CommanderError } from 'commander';
import { failureOf } from '../src/cli/failure.ts';
import { EXIT } from '../src/cli/output.ts';
import { createProgram } from '../src/cli/program.ts';
import type { Finished } from './run-cli.ts';

/** Runs the command line in this process, as `src/cli.ts` does: for commands that need no process of their own. */
export async function runInProcess(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd = process.cwd(),
): Promise<Finished> {
  let [stdout, stderr, code]: [string, string, number] = ['', '', EXIT.done];
  const output = {
    out: (text: string) => void (stdout += text),
    err: (text: string) => void (stderr += text),
    interactive: false,
    columns: 100,
  };
  const { signal } = new AbortController();
  try {
    const program = createProgram({ output, env, cwd, signal }, (exitCode) => {
      code = exitCode;
    });
    await program.parseAsync([...args], { from: 'user' });
  } catch (error) {
    if (error instanceof CommanderError) code = error.exitCode === 0 ? EXIT.done : EXIT.usage;
    else {
      const failure = failureOf(error, signal);
      stderr += `hivemark: ${failure.text}\n`;
      code = failure.exitCode;
    }
  }
  return { code, stdout, stderr };
}
