import { createHmac, hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile, realpath, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { errorCode } from '../../experiment/config.ts';
import { configFolder } from './config-folder.ts';

type Environment = Readonly<Record<string, string | undefined>>;

const SECRET_BYTES = 32;

/**
 * The secret by which this user's processes know each other as serving, and taking part in, one experiment: 256 random bits in a file of the
 * user's configuration folder (mode 0600), made on first use. Nobody else can read it, and it is never sent.
 */
export async function localSecret(experiment: string, env: Environment): Promise<Buffer> {
  const file = join(await configFolder(env, 'hosts'), hash('sha256', await realpath(experiment)));
  const known = await readFile(file).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (known?.length === SECRET_BYTES) return known;
  const made = randomBytes(SECRET_BYTES);
  const own = `${file}.${process.pid}.tmp`;
  await writeFile(own, made, { mode: 0o600, flag: 'w', flush: true });
  await rename(own, file);
  // Whoever renamed last has made it.
  return readFile(file);
}

/** The token of one agent among this user's processes. */
export function localToken(secret: Buffer, agent: string): string {
  return `hml_${createHmac('sha256', secret).update(agent).digest('base64url')}`;
}

/** Which of `agents` a local token speaks for. */
export function localAgentOf(secret: Buffer, token: string, agents: readonly string[]): string | undefined {
  const given = Buffer.from(token);
  return agents.find((agent) => {
    const expected = Buffer.from(localToken(secret, agent));
    return expected.length === given.length && timingSafeEqual(expected, given);
  });
}
