import { createHash, randomBytes } from 'node:crypto';
import { existsSync, realpathSync } from 'node:fs';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join, relative, sep } from 'node:path';
import { z } from 'zod';
import { configDirOf } from '../../evaluate/secret.ts';
import { META_DIRECTORY } from '../../materialize/disk-names.ts';
import type { HostAddress } from '../host-client.ts';
import { type Surroundings, UsageError } from '../output.ts';
import { findEndpoint } from './endpoint-file.ts';

/** Where the host of a joined folder is, and as whom; it lies in the user's configuration folder, never in the joined one. */
export interface JoinLink {
  readonly experiment: string;
  readonly agent: string;
  /** `http://.../mcp`. */
  readonly url: string;
  readonly token: string;
  /** The experiment's folder, which says where it is played now; undefined for an address of another machine. */
  readonly home?: string;
}

const LINK = z.object({
  experiment: z.string(),
  agent: z.string(),
  url: z.string(),
  token: z.string(),
  home: z.string().exactOptional(),
});

/** A joined folder, the link of which was found from somewhere inside it. */
export interface JoinedFolder {
  /** Without links. */
  readonly dir: string;
  /** Where one is in it, as a path of the view; empty at its top. */
  readonly inside: string;
  readonly link: JoinLink;
}

/** Keeps the link of a folder, readable by this user alone; `dir` is without links. */
export async function writeLink(env: Surroundings['env'], dir: string, link: JoinLink): Promise<void> {
  const file = linkFileOf(env, dir);
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const fresh = `${file}.${randomBytes(4).toString('hex')}.tmp`;
  await writeFile(fresh, `${JSON.stringify(link)}\n`, { mode: 0o600, flag: 'wx' });
  await rename(fresh, file);
}

/** Where the host of a joined folder is to be met. */
export function addressOf({ url, token, home }: JoinLink): HostAddress {
  if (home === undefined) return { url, token };
  return { url, token, find: async () => (await findEndpoint(home))?.url };
}

/** The joined folder that the working directory is in. @throws {UsageError} when it is in none */
export async function findJoined({ cwd, env }: Pick<Surroundings, 'cwd' | 'env'>): Promise<JoinedFolder> {
  const here = realpathSync(cwd);
  for (let dir = here; ; dir = dirname(dir)) {
    if (existsSync(join(dir, META_DIRECTORY, 'join.json'))) {
      return { dir, inside: relative(dir, here).replaceAll(sep, '/'), link: await readLink(env, dir) };
    }
    if (dirname(dir) === dir) break;
  }
  throw new UsageError(
    'this is not inside a joined folder; go into one, or make one: hivemark join <experiment> --agent <name> --dir <folder>',
  );
}

async function readLink(env: Surroundings['env'], dir: string): Promise<JoinLink> {
  const text = await readFile(linkFileOf(env, dir), 'utf8').catch(() => undefined);
  const parsed = text === undefined ? undefined : LINK.safeParse(jsonOf(text));
  if (parsed?.success === true) return parsed.data;
  throw new UsageError(
    `${dir} was joined, but not by this user, or it was moved since; join it again: hivemark join <experiment> --agent <name> --dir ${dir}`,
  );
}

function linkFileOf(env: Surroundings['env'], dir: string): string {
  return join(configDirOf(env), 'joined', `${createHash('sha256').update(dir).digest('hex')}.json`);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
