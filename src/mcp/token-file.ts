import { randomBytes } from 'node:crypto';
import { mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname } from 'node:path';

/** Of one change; who holds the lock longer has died. */
const STALE_MS = 5000;
/** For the lock. */
const PATIENCE_MS = 10_000;

/** The tokens' file cannot be used; the message says what to do. */
export class TokenFileError extends Error {
  override readonly name = 'TokenFileError';
  readonly code = 'token-file';

  constructor(what: string, cause?: unknown) {
    const why = codeOf(cause);
    super(
      `${what}${why === undefined ? '' : ` (${why}); set XDG_CONFIG_HOME to a folder that can be read and written`}`,
      {
        cause,
      },
    );
  }
}

/**
 * Replaces a file (mode 0600, folder 0700) with what `content` makes of it, as a whole and synced, while no other process does the same.
 *
 * @throws {TokenFileError}
 */
export async function changeFile(path: string, content: () => Promise<string>): Promise<void> {
  const own = `${path}.${process.pid}-${randomBytes(6).toString('hex')}.tmp`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const unlock = await lock(`${path}.lock`);
    try {
      const file = await open(own, 'wx', 0o600);
      try {
        await file.writeFile(await content());
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(own, path);
    } finally {
      await rm(own, { force: true });
      await unlock();
    }
  } catch (error) {
    if (error instanceof TokenFileError) throw error;
    throw new TokenFileError('the file of tokens cannot be written', error);
  }
}

/** A lock is a file that only one process can make. One that was left behind is taken away by moving it, which only one process can do. */
async function lock(path: string): Promise<() => Promise<void>> {
  const name = `${process.pid}-${randomBytes(8).toString('hex')}`;
  for (const until = Date.now() + PATIENCE_MS; ; ) {
    try {
      const file = await open(path, 'wx', 0o600);
      try {
        await file.writeFile(name);
      } finally {
        await file.close();
      }
      return async () => {
        // Not one that another process made after it took ours for stale.
        if ((await readFile(path, 'utf8').catch(() => '')) === name) await rm(path, { force: true });
      };
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
    if (await isStale(path)) await stealFrom(path, name);
    else if (Date.now() > until)
      throw new TokenFileError(
        `the file of tokens is locked by another process; if none runs, remove ${basename(path)}`,
      );
    await new Promise((resolve) => setTimeout(resolve, 5 + Math.random() * 20));
  }
}

async function isStale(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > STALE_MS;
}

async function stealFrom(path: string, name: string): Promise<void> {
  const aside = `${path}.${name}`;
  try {
    await rename(path, aside);
  } catch {
    return;
  }
  // Between looking and moving, somebody else may have moved the stale one and made a new one: that goes back where it was.
  const fresh = !(await isStale(aside));
  if (fresh) await rename(aside, path).catch(() => undefined);
  else await rm(aside, { force: true });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}
