import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { DiskFolder } from '../materialize/disk-folder.ts';
import { openDiskMirror } from '../materialize/disk-mirror.ts';
import { FolderError } from '../materialize/mirror-errors.ts';
import { type DiskMirror, MIRROR_LIMITS } from '../materialize/mirror-options.ts';
import { readJoin, readState } from '../materialize/mirror-state.ts';
import { connectToHost, type HostClient } from './host-client.ts';
import { noticeLine, resultLines } from './outside/folder-lines.ts';
import { addressOf, findJoined, type JoinedFolder } from './outside/join-link.ts';
import { EXIT, type ExitCode, type Surroundings, UsageError } from './output.ts';
import { oneLine } from './space/terminal-text.ts';

export interface SubmitFlags {
  readonly reason?: string;
  readonly json?: boolean;
}

/** How long the last edits may take to arrive in the space. */
const ARRIVES_MS = 10_000;

/** `hivemark submit`: from inside a joined folder, hands the program in and waits for how it did. */
export function addSubmitCommand(program: Command, world: Surroundings, onExit: (code: ExitCode) => void): void {
  program
    .command('submit')
    .description('inside a joined folder: hand the program in for this round and wait for its score')
    .option('--reason <text>', 'what you changed and why, and from whom you took it; kept with the evidence')
    .option('--json', 'print the result as one JSON document')
    .action(async (flags: SubmitFlags) => {
      onExit(await submitCommand(flags, world));
    });
}

export async function submitCommand(flags: SubmitFlags, world: Surroundings): Promise<ExitCode> {
  const { output, signal } = world;
  const say = (text: string): void => output.err(`hivemark: ${text}\n`);
  const { reason } = flags;
  if (reason !== undefined && reason.length > 2000)
    throw new UsageError(`the reason is ${reason.length} characters; 2000 are the most`);
  const folder = await findJoined(world);
  const client = await connectToHost(addressOf(folder.link));
  const onAbort = (): void => say('taken back; what is being validated already counts all the same');
  let mirror: DiskMirror | undefined;
  try {
    mirror = await mirrorUnlessJoined(folder, client, say);
    const problem = mirror === undefined ? await lagOf(folder.dir, client, signal) : await unsentOf(mirror);
    if (problem !== undefined) {
      say(`${problem}; nothing was submitted`);
      return EXIT.failed;
    }
    signal.addEventListener('abort', onAbort, { once: true });
    const answer = await client.submit({
      signal,
      onProgress: ({ step, done, total }) => say(`${oneLine(step, 80)}${total > 0 ? ` (${done}/${total})` : ''}`),
      ...(reason === undefined ? {} : { reason }),
    });
    if (!answer.ok) {
      if (flags.json === true) output.out(`${JSON.stringify(answer)}\n`);
      say(oneLine(answer.message, 1000));
      return EXIT.failed;
    }
    output.out(flags.json === true ? `${JSON.stringify(answer)}\n` : resultLines(answer));
    await mirror?.settled();
    return answer.status === 'failed' ? EXIT.failed : EXIT.done;
  } finally {
    signal.removeEventListener('abort', onAbort);
    await mirror?.close();
    await client.close();
  }
}

/** Brings the folder in step for the time being, unless a `hivemark join` does. */
async function mirrorUnlessJoined(
  { dir, link }: JoinedFolder,
  remote: HostClient,
  say: (text: string) => void,
): Promise<DiskMirror | undefined> {
  const identity = withFolder(dir, readJoin) ?? { agent: link.agent, experiment: link.experiment, run: null };
  try {
    return await openDiskMirror({ dir, remote, identity, onNotice: (notice) => say(noticeLine(notice)) });
  } catch (error) {
    if (error instanceof FolderError && error.code === 'folder-busy') return undefined;
    throw error;
  }
}

async function unsentOf(mirror: DiskMirror): Promise<string | undefined> {
  await mirror.settled();
  return notInSpace(mirror.unsent());
}

/** Waits for another process to send the last edits. @returns what is not in the space as it is in the folder */
async function lagOf(dir: string, client: HostClient, signal: AbortSignal): Promise<string | undefined> {
  for (const until = performance.now() + ARRIVES_MS; ; ) {
    signal.throwIfAborted();
    const files = await client.list();
    const { lagging, held } = withFolder(dir, (folder) => ({
      lagging: files
        .filter(({ path, sha256, editable }) => editable && sha256Here(folder, path) !== sha256)
        .map(({ path }) => path),
      held: readState(folder).unsent,
    }));
    if (lagging.length === 0) return undefined;
    const known = held.filter(({ path }) => lagging.includes(path));
    if (known.length > 0) return notInSpace(known);
    if (performance.now() > until)
      return `${lagging.map((path) => oneLine(path, 200)).join(', ')}: not in the space as in the folder`;
    await sleep(50);
  }
}

function sha256Here(folder: DiskFolder, path: string): string | undefined {
  const disk = folder.read(path);
  return disk.kind === 'text' ? disk.sha256 : undefined;
}

function notInSpace(unsent: readonly { readonly path: string; readonly reason: string }[]): string | undefined {
  const [first] = unsent;
  if (first === undefined) return undefined;
  const more = unsent.length === 1 ? '' : ` (and ${unsent.length - 1} more)`;
  return `${oneLine(first.path, 200)} is not in the space as it is here: ${oneLine(first.reason, 300)}${more}`;
}

function withFolder<T>(dir: string, look: (folder: DiskFolder) => T): T {
  const folder = DiskFolder.open(dir, MIRROR_LIMITS.maxFileBytes);
  try {
    return look(folder);
  } finally {
    folder.close();
  }
}
