import { type ChildProcessWithoutNullStreams, execFile, spawn } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { CHILD_LIMITS } from './limits.ts';

/** How children are started on this machine, found out once. */
export interface Launcher {
  /** Program and arguments that come before the runtime's own: operating system limits, where the platform has them. */
  readonly prefix: readonly string[];
  /** What this platform lacks, as sentences for people. */
  readonly notices: readonly string[];
}

function findTool(name: string): string | undefined {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/bin'];
  return folders
    .filter((folder) => folder.startsWith('/'))
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

async function works(prefix: readonly string[], trial: string): Promise<boolean> {
  const [program, ...rest] = prefix;
  if (program === undefined) return false;
  try {
    await promisify(execFile)(program, [...rest, trial, '--version'], { env: {}, timeout: CHILD_LIMITS.startMs });
    return true;
  } catch {
    return false;
  }
}

/**
 * Finds `prlimit` (address space, CPU seconds, no core dumps, no files written) and `setpriv` (killed with its parent, no new
 * privileges) and tries them.
 * @see util-linux: prlimit(1), setpriv(1)
 */
export async function findLauncher(): Promise<Launcher> {
  const prlimit = findTool('prlimit');
  const setpriv = findTool('setpriv');
  const limits =
    prlimit === undefined
      ? []
      : [
          prlimit,
          `--as=${CHILD_LIMITS.addressSpaceBytes}`,
          `--cpu=${CHILD_LIMITS.cpuSeconds}`,
          '--core=0',
          '--fsize=0',
        ];
  const bond = setpriv === undefined ? [] : [setpriv, '--nnp', '--pdeathsig', 'KILL'];
  const trial = prlimit ?? setpriv;
  const prefix: string[] = [];
  const notices: string[] = [];
  if (trial !== undefined && (await works(limits, trial))) prefix.push(...limits);
  else
    notices.push('sandbox: prlimit is not available here; memory is bounded by the heap limit and by watching only.');
  if (trial !== undefined && (await works(bond, trial))) prefix.push(...bond);
  else
    notices.push('sandbox: setpriv is not available here; a busy child outlives a killed parent until its CPU limit.');
  return { prefix, notices };
}

/** Starts one child in a process group of its own with an empty environment, the root as working directory and three pipes. */
export function launch(
  launcher: Launcher,
  runtimeArgs: readonly string[],
  moduleUrl: URL,
): ChildProcessWithoutNullStreams {
  const [program, ...args] = [...launcher.prefix, process.execPath, ...runtimeArgs, fileURLToPath(moduleUrl)];
  const windows = process.platform === 'win32';
  return spawn(program, args, {
    cwd: windows ? undefined : '/',
    detached: !windows,
    env: windows ? { SystemRoot: process.env['SystemRoot'] } : {},
    stdio: ['pipe', 'pipe', 'pipe'],
    windowsHide: true,
  });
}
