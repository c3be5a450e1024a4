import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { analystServer } from '../mcp/analyst-server.ts';
import { openResults } from '../mcp/analyst-folder.ts';
import { type HttpServer, type HttpServerOptions, startHttpServer } from '../mcp/http-server.ts';
import type { Identity, Mount } from '../mcp/mount.ts';
import { participantServer } from '../mcp/participant-server.ts';
import { TokenBook } from '../mcp/tokens.ts';
import type { Log } from '../space/log.ts';
import { isPostgresUrl } from '../space/postgres-address.ts';
import { openPostgresLog } from '../space/postgres-log.ts';
import { openSqliteLog } from '../space/sqlite-log.ts';
import { aborted } from './outside/aborted.ts';
import { type Commons, openCommons } from './outside/commons.ts';
import { findExperiment } from './outside/find-experiment.ts';
import { type Authenticate, type Host, healthOf, startHost } from './outside/host.ts';
import { type HttpAddress, httpAddress } from './outside/http-address.ts';
import { EXIT, type ExitCode, type Surroundings, UsageError } from './output.ts';
import { ProgressView } from './progress-view.ts';
import { tokenFileOf } from './token-command.ts';

/** Flags of `hivemark serve`. */
export interface ServeFlags {
  readonly http: HttpAddress;
  readonly space?: string;
  readonly results?: string;
  readonly out?: string;
  readonly allowHost?: readonly string[];
  readonly allowOrigin?: readonly string[];
  readonly maxSessions?: number;
  readonly requestsPerSecond?: number;
}

const FORMS = 'sqlite:<file> or postgres://user@host/database';

/** `hivemark serve`: one server for many agents, several runs, and their results. */
export function addServeCommand(program: Command, world: Surroundings, onExit: (code: ExitCode) => void): void {
  program
    .command('serve')
    .description('serve a shared space, experiments with external agents, and results, over MCP (Streamable HTTP)')
    .argument('[experiments...]', 'configs or folders: each is played, and served at /runs/<name>/mcp')
    .requiredOption('--http <host:port>', 'where to listen, e.g. 127.0.0.1:8787', httpAddress)
    .option('--space <address>', `a space for all agents with a token, at /mcp: ${FORMS}`)
    .option('--results <folder>', 'questions about the runs below this folder, at /results/mcp')
    .option('--out <dir>', "where a config's experiment is kept (default: results)")
    .option('--allow-host <names...>', 'names by which other machines reach it (needed beyond 127.0.0.1)')
    .option('--allow-origin <origins...>', 'pages that may call it, e.g. https://example.org')
    .option('--max-sessions <n>', 'sessions at a time (default: 1024)', count)
    .option('--requests-per-second <n>', 'of one session, on average (default: 200)', count)
    .action(async (experiments: string[], flags: ServeFlags) => {
      onExit(await serveCommand(experiments, flags, world));
    });
}

export async function serveCommand(
  experiments: readonly string[],
  flags: ServeFlags,
  world: Surroundings,
): Promise<ExitCode> {
  if (experiments.length === 0 && flags.space === undefined && flags.results === undefined)
    throw new UsageError(`say what to serve: --space ${FORMS}, experiments, or --results <folder>`);
  const { signal, output } = world;
  const serving = new Serving(flags, world);
  try {
    await serving.open(experiments);
    for (const place of serving.places()) output.err(`hivemark: ${place}\n`);
    output.err(
      'hivemark: a client needs a token: hivemark token <agent>; Ctrl-C ends it, what is under way is saved\n',
    );
    await aborted(signal);
    return EXIT.done;
  } finally {
    await serving.close();
  }
}

class Serving {
  readonly #flags: ServeFlags;
  readonly #world: Surroundings;
  readonly #mounts = new Map<string, Mount>();
  readonly #authenticators: Authenticate[] = [];
  readonly #hosts: Host[] = [];
  readonly #left = Promise.withResolvers<void>();
  #commons: Commons | undefined;
  #server: HttpServer | undefined;

  constructor(flags: ServeFlags, world: Surroundings) {
    this.#flags = flags;
    this.#world = world;
  }

  async open(experiments: readonly string[]): Promise<void> {
    const { space, results } = this.#flags;
    const book = new TokenBook(tokenFileOf(this.#world.env));
    if (space !== undefined) await this.#openCommons(space);
    if (results !== undefined) {
      const opened = await openResults(resolve(this.#world.cwd, results));
      this.#mount('/results/mcp', { open: () => Promise.resolve(analystServer(opened)) });
    }
    this.#server = await startHttpServer(this.#options((token) => book.check(token)));
    for (const path of experiments) await this.#openExperiment(path);
  }

  places(): readonly string[] {
    return [...this.#mounts.keys()].map((path) => `served at ${this.#server?.url ?? ''}${path}`);
  }

  async close(): Promise<void> {
    await this.#server?.close();
    this.#left.resolve();
    await Promise.all(this.#hosts.map((host) => host.close()));
    await this.#commons?.close();
  }

  #options(check: Authenticate): HttpServerOptions {
    const { http, allowHost, allowOrigin, maxSessions, requestsPerSecond } = this.#flags;
    return {
      ...http,
      mounts: (path) => this.#mounts.get(path),
      authenticate: async (token) => {
        for (const authenticate of this.#authenticators) {
          const found = await authenticate(token);
          if ('name' in found) return found;
        }
        return check(token);
      },
      metrics: true,
      limits: {
        ...(maxSessions === undefined ? {} : { maxSessions }),
        ...(requestsPerSecond === undefined ? {} : { requestsPerSecond }),
      },
      health: () => ({ ...healthOf(), experiments: this.#hosts.length, space: this.#commons !== undefined }),
      onNotice: (text) => this.#world.output.err(`hivemark: ${text}\n`),
      ...(allowHost === undefined ? {} : { allowedHosts: allowHost }),
      ...(allowOrigin === undefined ? {} : { allowedOrigins: allowOrigin }),
    };
  }

  async #openCommons(address: string): Promise<void> {
    const commons = await openCommons(await openSpaceLog(address), this.#world);
    this.#commons = commons;
    const open = async (identity: Identity | null): Promise<ReturnType<typeof participantServer>> =>
      participantServer(await commons.seat(identity?.name ?? ''));
    this.#mount('/mcp', { open });
  }

  async #openExperiment(path: string): Promise<void> {
    const { output } = this.#world;
    const found = await findExperiment(
      path,
      this.#world,
      this.#flags.out === undefined ? {} : { out: this.#flags.out },
    );
    const view = new ProgressView({ ...output, interactive: false });
    const place = `/runs/${found.folder.config.name}/mcp`;
    if (this.#mounts.has(place)) throw new UsageError(`two experiments are named ${found.folder.config.name}`);
    const host = await startHost(
      found,
      {
        listen: (mount, authenticate) => {
          this.#mount(place, mount);
          this.#authenticators.push(authenticate);
          return Promise.resolve({
            url: `${this.#server?.url ?? ''}${place}`,
            close: async () => {
              this.#mounts.delete(place);
              await this.#server?.endSessions(place);
            },
          });
        },
        linger: this.#left.promise,
        onEvent: (event) => view.on(event),
      },
      this.#world,
    );
    this.#hosts.push(host);
    host.ended.catch((error: unknown) => output.err(`hivemark: ${path}: ${String(error)}\n`));
  }

  #mount(path: string, mount: Pick<Mount, 'open'>): void {
    this.#mounts.set(path, { path, ...mount });
  }
}

/** The log of a shared space, made if it is not there. @throws {UsageError} for another address */
async function openSpaceLog(address: string): Promise<Log> {
  if (isPostgresUrl(address)) return openPostgresLog(address);
  const file = /^sqlite:(?:\/\/)?(?<file>.+)$/su.exec(address)?.groups?.['file'];
  // The rest of an address may have a password in it.
  if (file === undefined)
    throw new UsageError(`--space ${/^[^:]{0,30}/u.exec(address)?.[0] ?? ''}: is no address of a space; give ${FORMS}`);
  if (!existsSync(dirname(file)))
    throw new UsageError(`there is no folder ${dirname(file)} for the space ${file}; make it, or give another file`);
  return openSqliteLog(file);
}

function count(text: string): number {
  const value = Number(text);
  if (!/^\d+$/u.test(text) || !Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('give a whole number from 1');
  return value;
}
