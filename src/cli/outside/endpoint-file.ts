import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { isLoopback } from '../../mcp/http-guard.ts';
import { writeFileAtomic } from '../../trace/atomic-file.ts';

const FILE = 'host.json';
const schema = z.object({ url: z.url(), pid: z.int().positive() });
/** Milliseconds a host on this machine has to say that it is there. */
const ANSWER_MS = 2_000;

/** Where an experiment is served while it is played: `host.json` in its folder. */
export type Endpoint = z.infer<typeof schema>;

export function writeEndpoint(experiment: string, endpoint: Endpoint): Promise<void> {
  return writeFileAtomic(join(experiment, FILE), `${JSON.stringify(endpoint, null, 2)}\n`);
}

export function removeEndpoint(experiment: string): Promise<void> {
  return rm(join(experiment, FILE), { force: true });
}

/** Where an experiment is served now, if somebody answers there. A file that a killed host left behind is no endpoint. */
export async function findEndpoint(experiment: string): Promise<Endpoint | undefined> {
  let text: string;
  try {
    text = await readFile(join(experiment, FILE), 'utf8');
  } catch {
    return undefined;
  }
  const parsed = schema.safeParse(jsonIn(text));
  // Whoever made the folder: a token goes to this machine only.
  if (!parsed.success || !isLoopback(new URL(parsed.data.url).hostname)) return undefined;
  try {
    const answer = await fetch(new URL('/health', parsed.data.url), { signal: AbortSignal.timeout(ANSWER_MS) });
    const health: unknown = await answer.json();
    const served = typeof health === 'object' && health !== null ? Reflect.get(health, 'pid') : undefined;
    return answer.ok && served === parsed.data.pid ? parsed.data : undefined;
  } catch {
    return undefined;
  }
}

function jsonIn(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
