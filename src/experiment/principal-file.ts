import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { configDirOf } from '../evaluate/secret.ts';
import { isToken, newPrincipalToken, tokenSha256 } from '../guard/principal-token.ts';
import { errorCode } from './config.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The variable that a principal's token is taken from before any file. */
export const PRINCIPAL_TOKEN = 'HIVEMARK_PRINCIPAL_TOKEN';

/** Characters of a token that somebody made. */
const LEAST_LENGTH = 32;

/** A principal's token could be neither kept nor found; the message says what to do. */
export class PrincipalTokenError extends Error {
  override readonly name = 'PrincipalTokenError';
  readonly code = 'principal-token';
}

/**
 * The hash of the token that makes its holder the principal of a new space. The token is `HIVEMARK_PRINCIPAL_TOKEN` where that is set; otherwise
 * it is made and kept in the user's configuration folder, in a file (mode 0600) named by the hash: the space names the file, and nothing
 * but the hash is ever in the space.
 *
 * @returns sha256, hex
 * @throws {PrincipalTokenError} when it cannot be kept, or the one given is too short
 */
export async function makePrincipal(env: Environment): Promise<string> {
  const given = env[PRINCIPAL_TOKEN];
  if (given) return tokenSha256(strong(given.trim()));
  const token = newPrincipalToken();
  const sha256 = tokenSha256(token);
  const folder = folderOf(env);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await writeFile(join(folder, `${sha256}.tmp`), `${token}\n`, { mode: 0o600, flag: 'wx', flush: true });
    // It appears whole or not at all.
    await rename(join(folder, `${sha256}.tmp`), join(folder, sha256));
  } catch (error) {
    throw new PrincipalTokenError(
      `the principal's token cannot be kept in the configuration folder (${errorCode(error) ?? 'unknown error'}); set ${PRINCIPAL_TOKEN}, or XDG_CONFIG_HOME to a folder that can be written`,
      { cause: error },
    );
  }
  return sha256;
}

/** The space shows the hash to whoever reads it: a token that can be guessed from its hash is none. */
function strong(token: string): string {
  if (token.length >= LEAST_LENGTH) return token;
  throw new PrincipalTokenError(
    `${PRINCIPAL_TOKEN} has ${token.length} characters; give ${LEAST_LENGTH} random ones or more (openssl rand -hex 32), or leave it out and one is made`,
  );
}

/**
 * The token of the principal whose hash a space states: from `tokenFile`, else the environment, else the user's configuration folder.
 *
 * @throws {PrincipalTokenError} when there is none there, or another
 */
export async function findPrincipalToken(sha256: string, env: Environment, tokenFile?: string): Promise<string> {
  const [token, source] = await tokenFrom(sha256, env, tokenFile);
  if (!isToken(token, sha256))
    throw new PrincipalTokenError(`the token ${source} is not the one of this space's principal`);
  return token;
}

async function tokenFrom(sha256: string, env: Environment, tokenFile: string | undefined): Promise<[string, string]> {
  if (tokenFile !== undefined) return [await read(tokenFile, `of --token-file cannot be read`), 'of --token-file'];
  const given = env[PRINCIPAL_TOKEN];
  if (given) return [given.trim(), `in ${PRINCIPAL_TOKEN}`];
  const elsewhere = `set ${PRINCIPAL_TOKEN} or name a file that holds it with --token-file`;
  const missing = `of this space's principal is not in this user's configuration folder; ${elsewhere}`;
  return [await read(join(folderOf(env), sha256), missing), "in this user's configuration folder"];
}

async function read(file: string, missing: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).trim();
  } catch (error) {
    throw new PrincipalTokenError(`the token ${missing} (${errorCode(error) ?? 'unknown error'})`, { cause: error });
  }
}

function folderOf(env: Environment): string {
  return join(configDirOf(env), 'principals');
}
