import { createHash, createHmac, randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { TestSecret } from './task.ts';

/** The secret that the test splits are drawn from, and where it came from. */
export interface LoadedSecret {
  readonly secret: string;
  readonly source: 'environment' | 'file';
}

/** The secret could neither be read nor made. */
export class SecretError extends Error {
  override readonly name = 'SecretError';
  readonly code = 'secret';
  /** The folder that was tried. */
  readonly configDir: string;

  constructor(configDir: string, what: string, options: { readonly cause?: unknown } = {}) {
    super(`${what}. Set HIVEMARK_SECRET, or XDG_CONFIG_HOME to a folder that can be written`, options);
    this.configDir = configDir;
  }
}

/** A task's private seeds: the first 32 bits of HMAC-SHA256(secret, task and label), so no constant of the repository gives them. */
export function testSecretOf(secret: string, task: string): TestSecret {
  return (label) => createHmac('sha256', secret).update(`${task}\0${label}`).digest().readUInt32BE(0);
}

/** Sixteen hexadecimal digits that tell two secrets apart and give neither away; what a run's folder keeps. */
export function fingerprint(secret: string): string {
  return createHash('sha256').update(`hivemark secret fingerprint\0${secret}`).digest('hex').slice(0, 16);
}

/** The user's configuration folder: `XDG_CONFIG_HOME/hivemark`, or `.config/hivemark` in the home folder. */
export function configDirOf(env: Readonly<Record<string, string | undefined>>): string {
  const base = env['XDG_CONFIG_HOME'];
  return base ? join(base, 'hivemark') : join(env['HOME'] ?? homedir(), '.config', 'hivemark');
}

/**
 * `HIVEMARK_SECRET` if it is set and not empty, else the file `secret` of the configuration folder, made once (mode 0600)
 * with 256 random bits. Processes that make it at the same time agree on one.
 *
 * @throws {SecretError} when the file cannot be read or made, or is empty.
 */
export async function loadSecret(options: {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** @default configDirOf(env) */
  readonly configDir?: string;
}): Promise<LoadedSecret> {
  const fromEnv = options.env['HIVEMARK_SECRET'];
  if (fromEnv) return { secret: fromEnv, source: 'environment' };
  const dir = options.configDir ?? configDirOf(options.env);
  const secret = (await readSecret(dir)) ?? (await makeSecret(dir));
  return { secret, source: 'file' };
}

async function readSecret(dir: string): Promise<string | undefined> {
  let text: string;
  try {
    text = await readFile(join(dir, 'secret'), 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw new SecretError(dir, `Cannot read the secret file of the configuration folder (${codeOf(error)})`, {
      cause: error,
    });
  }
  const secret = text.trim();
  if (secret === '') throw new SecretError(dir, 'The secret file of the configuration folder is empty');
  return secret;
}

async function makeSecret(dir: string): Promise<string> {
  const own = join(dir, `secret.${process.pid}.${randomBytes(4).toString('hex')}.tmp`);
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await writeFile(own, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600, flag: 'wx' });
    // A link to a complete file appears whole or not at all, and never replaces what another process made first.
    await link(own, join(dir, 'secret')).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error;
    });
  } catch (error) {
    throw new SecretError(dir, `Cannot make the secret file in the configuration folder (${codeOf(error)})`, {
      cause: error,
    });
  } finally {
    await rm(own, { force: true }).catch(() => undefined);
  }
  const made = await readSecret(dir);
  if (made === undefined) throw new SecretError(dir, 'The secret file of the configuration folder vanished');
  return made;
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown error';
}
