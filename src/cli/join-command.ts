import { resolve } from 'node:path';
import type { Command } from 'commander';
import type { ExperimentResult } from '../experiment/experiment.ts';
import { openDiskMirror } from '../materialize/disk-mirror.ts';
import type { MirrorNotice } from '../materialize/mirror-notice.ts';
import type { Standing } from '../mcp/participant.ts';
import { findOrStartHost, type JoinedHost } from './host.ts';
import { connectToHost, type HostClient } from './host-client.ts';
import { aborted } from './outside/aborted.ts';
import { followStanding } from './outside/follow-standing.ts';
import { noteStanding, noticeLine, roundLine } from './outside/folder-lines.ts';
import { type JoinLink, writeLink } from './outside/join-link.ts';
import { whoPlaysOn } from './outside/who-plays-on.ts';
import { EXIT, type ExitCode, type Surroundings, UsageError } from './output.ts';
import { ProgressView } from './progress-view.ts';

export interface JoinFlags {
  readonly agent: string;
  readonly dir: string;
  readonly out?: string;
}

/** `hivemark join <experiment>`: an agent's view as a folder on disk, for a person (or any agent) with an editor. */
export function addJoinCommand(program: Command, world: Surroundings, onExit: (code: ExitCode) => void): void {
  program
    .command('join')
    .description("take part with an editor: keep an agent's view as a folder on disk, in step both ways, until Ctrl-C")
    .argument(
      '<experiment>',
      'a config, the folder of an experiment or a run, or http://.../mcp with HIVEMARK_TOKEN set',
    )
    .requiredOption('--agent <name>', 'as which of its external agents')
    .requiredOption('--dir <folder>', 'the folder: new, empty, or joined as the same before')
    .option('--out <dir>', "where a config's experiment is kept (default: results)")
    .action(async (experiment: string, flags: JoinFlags) => {
      onExit(await joinCommand(experiment, flags, world));
    });
}

export async function joinCommand(experiment: string, flags: JoinFlags, world: Surroundings): Promise<ExitCode> {
  const { agent } = flags;
  const say = (text: string): void => world.output.err(`hivemark: ${text}\n`);
  const view = new ProgressView({ ...world.output, interactive: false });
  const left = Promise.withResolvers<void>();
  const hosts: JoinedHost[] = [];
  const ended = Promise.withResolvers<ExitCode>();
  const meet = async (): Promise<JoinedHost> => {
    const host = await findOrStartHost(experiment, agent, world, {
      linger: left.promise,
      onEvent: (event) => view.on(event),
      ...(flags.out === undefined ? {} : { out: flags.out }),
    });
    hosts.push(host);
    host.own?.ended.then(({ stop }) => ended.resolve(exitCodeOf(stop, say, world)), ended.reject);
    return host;
  };
  // Whether or not anybody waits for it.
  ended.promise.catch(() => undefined);
  try {
    const { url, token, dir: home, external } = await meet();
    if (external === 'mcp') throw observed(agent);
    const link: JoinLink = { experiment, agent, url, token, ...(home === undefined ? {} : { home }) };
    const find = whoPlaysOn(home, async () => {
      say('nobody plays the experiment any more; it is played on here');
      return (await meet()).url;
    });
    const client = await connectToHost({ url, token, find });
    try {
      const standing = await client.standing();
      if (standing.agent !== agent)
        throw new UsageError(
          `the token speaks for ${standing.agent}, not for ${agent}; join as --agent ${standing.agent}`,
        );
      if (standing.readsObserved) throw observed(agent);
      return await keepInStep({
        client,
        standing,
        dir: resolve(world.cwd, flags.dir),
        link,
        say,
        world,
        ended: ended.promise,
      });
    } finally {
      await client.close();
    }
  } finally {
    left.resolve();
    await Promise.all(hosts.map((host) => host.close()));
  }
}

/** How a join ends with the experiment that was played in its process. */
function exitCodeOf(stop: ExperimentResult['stop'], say: (text: string) => void, { signal }: Surroundings): ExitCode {
  if (stop === undefined || signal.aborted) return EXIT.done;
  say(`${stop.run} stopped: ${stop.message}`);
  return stop.kind === 'budget' ? EXIT.budget : EXIT.failed;
}

/** An agent whose reads are evidence cannot work in a folder, where nobody sees them. */
function observed(agent: string): UsageError {
  return new UsageError(
    `${agent} is declared as external: mcp, whose reads are on record; in a folder nobody sees them. Declare it as { name: ${agent}, external: folder }, or use an MCP client: hivemark mcp`,
  );
}

interface Step {
  readonly client: HostClient;
  readonly standing: Standing;
  readonly dir: string;
  readonly link: JoinLink;
  readonly say: (text: string) => void;
  readonly world: Surroundings;
  /** The experiment that is played here has ended. */
  readonly ended: Promise<ExitCode>;
}

/** Until Ctrl-C. @throws {FolderGoneError} {HostRefusalError} */
async function keepInStep({ client, standing, dir, link, say, world, ended }: Step): Promise<ExitCode> {
  const { agent, run } = standing;
  let opening = true;
  let received = 0;
  const onNotice = (notice: MirrorNotice): void => {
    // The first time all files come; a line each would hide what matters.
    if (opening && notice.kind === 'received') received += 1;
    else say(noticeLine(notice));
  };
  // A folder belongs to an experiment by its name: where a host serves it may be another port tomorrow.
  const identity = { agent, experiment: run?.experiment ?? link.experiment, run: null };
  const mirror = await openDiskMirror({ dir, remote: client, identity, onNotice });
  try {
    opening = false;
    await writeLink(world.env, mirror.dir, link);
    mirror.tell(noteStanding(standing));
    say(`${agent} is in ${mirror.dir} (${received} files came); ${roundLine(standing)}`);
    say('edit, then run `hivemark submit` in the folder; Ctrl-C here ends it and leaves the folder as it is');
    let round = roundLine(standing);
    const follow = followStanding(client, standing, (now) => {
      mirror.tell(noteStanding(now));
      const line = roundLine(now);
      if (line !== round) say(line);
      round = line;
    });
    try {
      return (await Promise.race([aborted(world.signal), ended, mirror.done])) ?? EXIT.done;
    } finally {
      follow.stop();
    }
  } finally {
    await mirror.close();
  }
}
