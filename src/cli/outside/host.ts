import type { ExperimentResult } from '../../experiment/experiment.ts';
import { playExperiment } from '../../experiment/experiment.ts';
import { type OpenRun, outsideOf, type ServeRun } from '../../experiment/open-run.ts';
import type { OnEvent } from '../../experiment/progress.ts';
import { candidateId } from '../../experiment/run-context.ts';
import { planRuns } from '../../experiment/run-plan.ts';
import { Interrupted } from '../../experiment/run.ts';
import { FollowingSeat } from '../../mcp/following-seat.ts';
import { type HttpServerOptions, startHttpServer } from '../../mcp/http-server.ts';
import { type Identity, type Mount, MountRefusal, type SessionServer } from '../../mcp/mount.ts';
import type { Participant } from '../../mcp/participant.ts';
import { participantServer } from '../../mcp/participant-server.ts';
import { TokenBook } from '../../mcp/tokens.ts';
import { VERSION } from '../../version.ts';
import { type Surroundings, UsageError } from '../output.ts';
import { tokenFileOf } from '../token-command.ts';
import { removeEndpoint, writeEndpoint } from './endpoint-file.ts';
import type { FoundExperiment } from './find-experiment.ts';
import { localAgentOf, localSecret } from './local-token.ts';
import { openRunSeat } from './run-seat.ts';

/** Where an experiment's external agents come in. */
export interface Doorway {
  /** `http://.../mcp`. */
  readonly url: string;
  close(): Promise<void>;
}

export interface HostOptions {
  /** Opens the doorway, once the first run is open. @default a server of its own on a free port of 127.0.0.1 */
  readonly listen?: (mount: Pick<Mount, 'open'>, authenticate: Authenticate) => Promise<Doorway>;
  /** The only external agents that are let in. @default all of the experiment */
  readonly agents?: readonly string[];
  readonly onEvent: OnEvent;
  /** Keeps the last run open, once it is played, until this is settled. @default nothing is waited for */
  readonly linger?: Promise<void>;
}

export type Authenticate = NonNullable<HttpServerOptions['authenticate']>;

/** An experiment that is played here, and open to its external agents. */
export interface Host {
  /** Where it is served, `http://.../mcp`. */
  readonly url: string;
  /** The seat of an agent, once a run that it takes part in is open. @throws what ended the experiment before */
  seat(agent: string): Promise<Participant>;
  /** What became of the experiment. @throws what broke */
  readonly ended: Promise<ExperimentResult>;
  /** Stops playing; everything is saved. */
  close(): Promise<void>;
}

/**
 * Plays an experiment and serves its external agents over HTTP, from the moment its first run is open.
 *
 * @throws {LogWriteError} when another process plays it; {HttpServerError}
 */
export async function startHost(found: FoundExperiment, options: HostOptions, world: Surroundings): Promise<Host> {
  const host = new ExperimentHost(found, options, world);
  await host.open();
  return host;
}

/** A server of its own for one experiment, at `/mcp`. */
export function listenAt(
  http: Pick<HttpServerOptions, 'host' | 'port' | 'allowedHosts' | 'limits' | 'metrics'>,
  more: Pick<HttpServerOptions, 'health' | 'onNotice'>,
): NonNullable<HostOptions['listen']> {
  return async (mount, authenticate) => {
    const server = await startHttpServer({ ...http, ...more, mounts: [{ path: '/mcp', ...mount }], authenticate });
    return { url: `${server.url}/mcp`, close: () => server.close() };
  };
}

/** What a server says of itself to anybody. */
export function healthOf(): Readonly<Record<string, unknown>> {
  return { pid: process.pid, version: VERSION };
}

class ExperimentHost implements Host {
  readonly ended: Promise<ExperimentResult>;
  readonly #found: FoundExperiment;
  readonly #options: HostOptions;
  readonly #world: Surroundings;
  readonly #stopping = new AbortController();
  readonly #seats = new Map<string, FollowingSeat>();
  #run: OpenRun | undefined;
  #doorway: Doorway | undefined;
  #closing = false;
  #waiting: (() => void)[] = [];
  readonly #opened = Promise.withResolvers<void>();

  constructor(found: FoundExperiment, options: HostOptions, world: Surroundings) {
    this.#found = found;
    this.#options = options;
    this.#world = world;
    this.ended = this.#play();
    this.ended.catch(() => undefined);
  }

  get url(): string {
    return this.#doorway?.url ?? '';
  }

  /** Resolves once somebody can come in. */
  async open(): Promise<void> {
    await Promise.race([this.#opened.promise, this.ended]);
  }

  async seat(agent: string): Promise<Participant> {
    for (;;) {
      const seat = this.#seatOf(agent);
      if (seat !== undefined) return seat;
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting.push(resolve);
      const ended = await Promise.race([promise.then(() => undefined), this.ended]);
      if (ended?.stop !== undefined) throw new Interrupted();
      if (ended !== undefined)
        throw new UsageError(`all runs that ${agent} takes part in are played; what was left is, too`);
    }
  }

  async close(): Promise<void> {
    if (this.#isPlayed()) this.#closing = true;
    else this.#stopping.abort(new Interrupted());
    await this.ended.catch(() => undefined);
  }

  /** What the open run has left needs nobody: the sealed split is scored, and it is done. */
  #isPlayed(): boolean {
    if (this.#run === undefined) return false;
    const { state, config, plan } = this.#run.context;
    const { generations } = config;
    if ((state.last?.round ?? 0) >= generations) return true;
    return plan.agents.every(({ name }) => state.candidates.has(candidateId(name, generations)));
  }

  async #play(): Promise<ExperimentResult> {
    const { folder, only } = this.#found;
    const { env, signal } = this.#world;
    try {
      return await playExperiment(folder, {
        env,
        signal: AbortSignal.any([signal, this.#stopping.signal]),
        onEvent: this.#options.onEvent,
        serve: this.#serve,
        ...(only === undefined ? {} : { only }),
      });
    } finally {
      await this.#doorway?.close();
      if (this.#doorway !== undefined) await removeEndpoint(folder.dir);
    }
  }

  readonly #serve: ServeRun = async (run) => {
    this.#run = run;
    // A run that nobody takes part in from outside is played like any other.
    if (outsideOf(run.context.plan).length > 0) {
      for (const [agent, seat] of this.#seats) if (this.#isOf(run, agent)) seat.follow(openRunSeat(run, agent));
      this.#doorway ??= await this.#listen();
      this.#opened.resolve();
    }
    for (const wake of this.#waiting.splice(0)) wake();
    const unwatch = keepAnchored(run, this.#options.onEvent);
    return {
      played: () => (this.#isLast(run) ? this.#options.linger : undefined) ?? Promise.resolve(),
      close: async () => {
        await unwatch();
        this.#run = undefined;
        if (this.#closing) this.#stopping.abort(new Interrupted());
      },
    };
  };

  async #listen(): Promise<Doorway> {
    const { dir, config } = this.#found.folder;
    const { env } = this.#world;
    const secret = await localSecret(dir, env);
    const book = new TokenBook(tokenFileOf(env));
    const names = config.agents.map(({ name }) => name);
    const { listen = listenAt({ port: 0 }, { health: healthOf }) } = this.#options;
    const doorway = await listen({ open: this.#open }, async (token) => {
      const local = localAgentOf(secret, token, names);
      return local === undefined ? book.check(token) : { name: local };
    });
    await writeEndpoint(dir, { url: doorway.url, pid: process.pid });
    return doorway;
  }

  readonly #open = (identity: Identity | null): Promise<SessionServer> => {
    const agent = identity?.name ?? '';
    const { agents } = this.#options;
    if (agents !== undefined && !agents.includes(agent))
      return Promise.reject(new MountRefusal(`this server is for ${agents.join(', ')}; the token speaks for ${agent}`));
    const seat = this.#seatOf(agent);
    if (seat !== undefined) return Promise.resolve(participantServer(seat));
    const problem =
      this.#run === undefined
        ? new MountRefusal('no run is open now; try again in a moment', 503)
        : new MountRefusal(`${agent} is no external agent of the run that is open`);
    return Promise.reject(problem);
  };

  #isLast({ context }: OpenRun): boolean {
    const { folder, only } = this.#found;
    return only !== undefined || planRuns(folder.config).at(-1)?.id === context.plan.id;
  }

  #isOf({ context }: OpenRun, agent: string): boolean {
    return context.plan.agents.some(({ name, external }) => name === agent && external !== undefined);
  }

  #seatOf(agent: string): FollowingSeat | undefined {
    const known = this.#seats.get(agent);
    const run = this.#run;
    if (known !== undefined || run === undefined || !this.#isOf(run, agent)) return known;
    const seat = new FollowingSeat(openRunSeat(run, agent));
    this.#seats.set(agent, seat);
    return seat;
  }
}

/** Milliseconds after which what was done in a run that is over is vouched for. */
const ANCHOR_MS = 500;

/** Once all its rounds are played, an agent may still look and write: `run.json` vouches for that, too. @returns how to end it */
function keepAnchored(run: OpenRun, onEvent: OnEvent): () => Promise<void> {
  const { gate, state, config, plan } = run.context;
  let timer: NodeJS.Timeout | undefined;
  let last: Promise<void> = Promise.resolve();
  const off = gate.onCommit(() => {
    if ((state.last?.round ?? 0) < config.generations) return;
    timer ??= setTimeout(() => {
      timer = undefined;
      last = run
        .checkpoint(config.generations)
        .catch((error: unknown) =>
          onEvent({ type: 'notice', run: plan.id, text: `run.json could not be written: ${String(error)}` }),
        );
    }, ANCHOR_MS);
  });
  return async () => {
    off();
    clearTimeout(timer);
    await last;
  };
}
