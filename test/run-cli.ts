import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** What a finished command left. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** In place of the configuration folder of whoever runs the tests. */
const CONFIG = mkdtempSync(join(tmpdir(), 'hivemark-config-'));
process.once('exit', () => rmSync(CONFIG, { recursive: true, force: true }));

const ENTRY = fileURLToPath(new URL('./cli-entry.ts', import.meta.url));

/** A new folder for results. */
export function newFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), 'hivemark-test-'));
}

/** Runs the command line from source in a process of its own, without any provider's key in its environment. */
export function runCli(
  args: readonly string[],
  options: {
    readonly cwd?: string;
    readonly env?: Readonly<Record<string, string>>;
    /** Close our end of its stderr at once. */
    readonly closeStderr?: boolean;
    /** Called with all of stderr so far, and the process's kill. */
    readonly onStderr?: (text: string, kill: (signal: NodeJS.Signals) => void) => void;
  } = {},
): Promise<Finished> {
  const child = spawn(process.execPath, ['--no-node-snapshot', ENTRY, ...args], {
    cwd: options.cwd ?? process.cwd(),
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '/',
      XDG_CONFIG_HOME: CONFIG,
      ...options.env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  if (options.closeStderr === true) child.stderr.destroy();
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
    options.onStderr?.(stderr, (signal) => child.kill(signal));
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}
