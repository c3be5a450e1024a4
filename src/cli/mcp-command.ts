import { resolve } from 'node:path';
import type { Command } from 'commander';
import { bridge } from '../mcp/bridge.ts';
import { startHttpServer } from '../mcp/http-server.ts';
import { participantServer } from '../mcp/participant-server.ts';
import { createStdioTransport, serveStdio } from '../mcp/stdio.ts';
import { TokenBook } from '../mcp/tokens.ts';
import { analystServer } from '../mcp/analyst-server.ts';
import { openResults } from '../mcp/analyst-folder.ts';
import { findOrStartHost, type JoinedHost } from './host.ts';
import { aborted } from './outside/aborted.ts';
import { serveConformance } from './outside/conformance-host.ts';
import { externalOf, findExperiment } from './outside/find-experiment.ts';
import { healthOf, listenAt, startHost } from './outside/host.ts';
import { whoPlaysOn } from './outside/who-plays-on.ts';
import { type HttpAddress, httpAddress } from './outside/http-address.ts';
import { EXIT, type ExitCode, type Surroundings, UsageError } from './output.ts';
import { ProgressView } from './progress-view.ts';
import { tokenFileOf } from './token-command.ts';

/** Flags of `hivemark mcp`. */
export interface McpFlags {
  readonly experiment?: string;
  readonly agent?: string;
  readonly results?: string;
  readonly http?: HttpAddress;
  readonly out?: string;
  readonly conformance?: boolean;
}

/** `hivemark mcp`: takes part in an experiment, or asks of results, from any client of the Model Context Protocol. */
export function addMcpCommand(program: Command, world: Surroundings, onExit: (code: ExitCode) => void): void {
  program
    .command('mcp')
    .description(
      'serve an MCP client (Claude Code, Cursor, Codex CLI ...): take part in an experiment, or ask of results',
    )
    .option('--experiment <path>', 'a config, or the folder of an experiment or a run, to take part in')
    .option('--agent <name>', 'as which of its external agents')
    .option('--results <folder>', 'or: answer questions about the runs below this folder')
    .option(
      '--http <host:port>',
      'serve Streamable HTTP at /mcp, with tokens of `hivemark token`, instead of stdio',
      httpAddress,
    )
    .option('--out <dir>', "where a config's experiment is kept (default: results)")
    .option(
      '--conformance',
      'serve the fixtures of the official conformance suite on a throwaway space, without a token',
    )
    .action(async (flags: McpFlags) => {
      onExit(await mcpCommand(flags, world));
    });
}

export async function mcpCommand(flags: McpFlags, world: Surroundings): Promise<ExitCode> {
  const { experiment, results, http, conformance } = flags;
  const chosen = [experiment, results, conformance === true ? true : undefined].filter((one) => one !== undefined);
  if (chosen.length !== 1)
    throw new UsageError('say what to serve: --experiment <config or folder> --agent <name>, or --results <folder>');
  if (conformance === true) {
    if (http === undefined) throw new UsageError('--conformance is served over HTTP: add --http 127.0.0.1:PORT');
    return serveConformance(http, world);
  }
  if (results !== undefined) return serveResults(results, flags, world);
  if (experiment === undefined) throw new UsageError('say which --experiment');
  return http === undefined
    ? participateOverStdio(experiment, flags, world)
    : serveExperiment(experiment, http, flags, world);
}

/** One agent, the one that started this process. */
async function participateOverStdio(experiment: string, flags: McpFlags, world: Surroundings): Promise<ExitCode> {
  const { agent } = flags;
  if (agent === undefined) throw new UsageError('say as which agent: --agent <name>');
  const { output, signal } = world;
  const view = new ProgressView({ ...output, interactive: false });
  const left = Promise.withResolvers<void>();
  const hosts: JoinedHost[] = [];
  const join = async (): Promise<JoinedHost> => {
    const host = await findOrStartHost(experiment, agent, world, {
      linger: left.promise,
      onEvent: (event) => view.on(event),
      ...(flags.out === undefined ? {} : { out: flags.out }),
    });
    hosts.push(host);
    return host;
  };
  try {
    const { own, url, token, dir } = await join();
    if (own === undefined) {
      output.err(`hivemark: ${agent} takes part at ${url}\n`);
      const onNotice = (text: string): void => output.err(`hivemark: ${text}\n`);
      const find = whoPlaysOn(dir, async () => (await join()).url);
      await bridge(createStdioTransport(), { url, token, signal, onNotice, find });
      return EXIT.done;
    }
    output.err(`hivemark: ${agent} takes part; the experiment is played here, others may join it meanwhile\n`);
    await serveStdio(participantServer(await own.seat(agent)), { signal });
    return EXIT.done;
  } finally {
    left.resolve();
    await Promise.all(hosts.map((host) => host.close()));
  }
}

/** All external agents of an experiment, or the one that is named. */
async function serveExperiment(
  experiment: string,
  http: HttpAddress,
  flags: McpFlags,
  world: Surroundings,
): Promise<ExitCode> {
  const { output, signal } = world;
  const found = await findExperiment(experiment, world, {
    ...(flags.agent === undefined ? {} : { agent: flags.agent }),
    ...(flags.out === undefined ? {} : { out: flags.out }),
  });
  if (flags.agent !== undefined) externalOf(found, flags.agent);
  const view = new ProgressView(output);
  const left = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => left.resolve(), { once: true });
  const host = await startHost(
    found,
    {
      listen: listenAt(
        { ...http, metrics: true },
        { health: healthOf, onNotice: (text) => output.err(`hivemark: ${text}\n`) },
      ),
      linger: left.promise,
      onEvent: (event) => view.on(event),
      ...(flags.agent === undefined ? {} : { agents: [flags.agent] }),
    },
    world,
  );
  output.err(`hivemark: served at ${host.url}; a client needs a token: hivemark token ${flags.agent ?? '<agent>'}\n`);
  const { stop } = await host.ended;
  if (stop === undefined || (stop.kind === 'interrupted' && signal.aborted)) return EXIT.done;
  output.err(`hivemark: ${stop.run} stopped: ${stop.message}\n`);
  return stop.kind === 'budget' ? EXIT.budget : EXIT.failed;
}

async function serveResults(folder: string, flags: McpFlags, world: Surroundings): Promise<ExitCode> {
  if (flags.agent !== undefined)
    throw new UsageError('--agent goes with --experiment; whoever asks of --results is nobody in them');
  const { output, signal, env } = world;
  const results = await openResults(resolve(world.cwd, folder));
  if (flags.http === undefined) {
    await serveStdio(analystServer(results), { signal });
    return EXIT.done;
  }
  const book = new TokenBook(tokenFileOf(env));
  const onNotice = (text: string): void => output.err(`hivemark: ${text}\n`);
  const server = await startHttpServer({
    ...flags.http,
    metrics: true,
    mounts: [{ path: '/mcp', open: () => Promise.resolve(analystServer(results)) }],
    authenticate: (token) => book.check(token),
    health: healthOf,
    onNotice,
  });
  output.err(`hivemark: served at ${server.url}/mcp; a client needs a token: hivemark token <name>\n`);
  await aborted(signal);
  await server.close();
  return EXIT.done;
}
