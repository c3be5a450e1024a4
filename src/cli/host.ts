import { setTimeout as sleep } from 'node:timers/promises';
import { LogWriteError } from '../space/log.ts';
import { findEndpoint } from './outside/endpoint-file.ts';
import { externalOf, findExperiment, type FoundExperiment } from './outside/find-experiment.ts';
import { type Host, type HostOptions, startHost } from './outside/host.ts';
import { localSecret, localToken } from './outside/local-token.ts';
import { type Surroundings, UsageError } from './output.ts';

/** How long another process that has just begun to play an experiment has to say where it serves it. */
const APPEARS_MS = 15_000;

/** A host to take part at: somebody else's, or one that was started here. */
export interface JoinedHost {
  /** `http://.../mcp`. */
  readonly url: string;
  readonly token: string;
  /** The experiment's folder; undefined for an address. */
  readonly dir?: string;
  /** Where the agent was declared: `mcp` or `folder`; undefined for an address of another machine. */
  readonly external?: 'mcp' | 'folder';
  /** The experiment is played in this process. */
  readonly own?: Host;
  /** Stops what was started here. */
  close(): Promise<void>;
}

/**
 * Where `agent` can take part in an experiment: at the process that plays it, or at this one, which starts to play it when nobody does.
 * `experiment` is a config, an experiment's or a run's folder, or the address of a server (`http://.../mcp`; its token is in HIVEMARK_TOKEN).
 *
 * @throws {UsageError} for what is none of it, or an agent that is not external in it
 */
export async function findOrStartHost(
  experiment: string,
  agent: string,
  world: Surroundings,
  options: Partial<HostOptions> & { readonly out?: string } = {},
): Promise<JoinedHost> {
  if (/^https?:\/\//u.test(experiment)) return remoteHost(experiment, world);
  const found = await findExperiment(experiment, world, {
    agent,
    ...(options.out === undefined ? {} : { out: options.out }),
  });
  const external = externalOf(found, agent);
  const token = localToken(await localSecret(found.folder.dir, world.env), agent);
  const { dir } = found.folder;
  const there = await findEndpoint(dir);
  if (there !== undefined) return { url: there.url, token, dir, external, close: () => Promise.resolve() };
  const own = await startUnlessPlayed(found, { ...options, onEvent: options.onEvent ?? (() => undefined) }, world);
  if (own !== undefined) return { url: own.url, token, dir, external, own, close: () => own.close() };
  const { url } = await endpointThatAppears(found, world);
  return { url, token, dir, external, close: () => Promise.resolve() };
}

function remoteHost(address: string, { env }: Surroundings): JoinedHost {
  if (!URL.canParse(address)) throw new UsageError(`${address} is no address; give http://host:port/mcp`);
  const token = env['HIVEMARK_TOKEN'];
  if (token === undefined || token === '')
    throw new UsageError(
      `${address} asks for a token: set HIVEMARK_TOKEN to the one that was made for you (hivemark token <agent>, where it is served)`,
    );
  return { url: address, token, close: () => Promise.resolve() };
}

/** Nothing where another process plays it already. */
async function startUnlessPlayed(
  found: FoundExperiment,
  options: HostOptions,
  world: Surroundings,
): Promise<Host | undefined> {
  try {
    return await startHost(found, options, world);
  } catch (error) {
    if (error instanceof LogWriteError && isPlayed(error)) return undefined;
    throw error;
  }
}

function isPlayed(error: LogWriteError): boolean {
  return /open|lock/iu.test(error.message);
}

async function endpointThatAppears(
  { folder }: FoundExperiment,
  { signal }: Surroundings,
): Promise<{ readonly url: string }> {
  for (const until = performance.now() + APPEARS_MS; performance.now() < until; ) {
    signal.throwIfAborted();
    const endpoint = await findEndpoint(folder.dir);
    if (endpoint !== undefined) return endpoint;
    await sleep(200);
  }
  throw new UsageError(
    `${folder.dir} is open in another process, which does not serve it; end that one (or let it end), then try again`,
  );
}
