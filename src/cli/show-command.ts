import type { Command } from 'commander';
import { absolutePath, canonicalPath } from '../materialize/paths.ts';
import { connectToHost } from './host-client.ts';
import { addressOf, findJoined } from './outside/join-link.ts';
import { EXIT, type ExitCode, type Surroundings, UsageError } from './output.ts';
import { oneLine } from './space/terminal-text.ts';

/** `hivemark show <path>`: from inside a joined folder, prints a file of the view so that it is on record as read. */
export function addShowCommand(program: Command, world: Surroundings, onExit: (code: ExitCode) => void): void {
  program
    .command('show')
    .description("inside a joined folder: print a file (a peer's program, say) and put on record that you read it")
    .argument('<path>', 'from where you are; with a / in front, from the top of the folder')
    .action(async (path: string) => {
      onExit(await showCommand(path, world));
    });
}

export async function showCommand(path: string, world: Surroundings): Promise<ExitCode> {
  const { output } = world;
  const folder = await findJoined(world);
  const parsed = canonicalPath(path.startsWith('/') ? path : `${folder.inside}/${path}`);
  if (!parsed.ok) throw new UsageError(`${JSON.stringify(path)} ${parsed.refusal.problem}`);
  const client = await connectToHost(addressOf(folder.link));
  try {
    // This is what goes on record; the text itself comes whole and without line numbers.
    const shown = await client.view(absolutePath(parsed.path));
    if (!shown.ok) {
      output.err(`hivemark: ${oneLine(shown.message, 1000)}\n`);
      return EXIT.failed;
    }
    output.out((await client.read(parsed.path)) ?? `${shown.text}\n`);
    return EXIT.done;
  } finally {
    await client.close();
  }
}
