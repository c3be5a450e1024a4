import { closeSync, existsSync, lstatSync, mkdirSync, realpathSync, statSync } from 'node:fs';
import { errorCode, identityOf, InTheWay, kindOf, lstatOf, makeDirectory, openDirectory } from './disk-files.ts';
import { FolderError } from './mirror-errors.ts';

/**
 * A folder, and the way to the directories in it. No link is ever followed, in any component: on Linux each directory is opened
 * from the one before it (`/proc/self/fd/<n>/<name>`, which is `openat`), so nothing can be swapped in between; elsewhere each is
 * looked at right before use.
 */
export class FolderRoot {
  /** Without links. */
  readonly dir: string;
  readonly #root: number | undefined;
  readonly #identity: string;
  #closed = false;

  private constructor(dir: string, root: number | undefined, identity: string) {
    this.dir = dir;
    this.#root = root;
    this.#identity = identity;
  }

  /** Opens a folder, made (mode 0700) where there is none. @throws {FolderError} */
  static open(dir: string): FolderRoot {
    try {
      mkdirSync(dir, { recursive: true, mode: 0o700 });
      const real = realpathSync(dir);
      if (!statSync(real).isDirectory())
        throw new FolderError(dir, { code: 'folder-unusable', what: 'is not a folder' });
      const root = existsSync('/proc/self/fd') ? openDirectory(real) : undefined;
      return new FolderRoot(real, root, identityOf(lstatSync(real, { bigint: true })));
    } catch (error) {
      if (error instanceof FolderError) throw error;
      const code = errorCode(error);
      const what = code === 'EEXIST' || code === 'ENOTDIR' ? 'is not a folder' : `cannot be opened (${code})`;
      throw new FolderError(dir, { code: 'folder-unusable', what }, { cause: error });
    }
  }

  /** Nothing may be called after it. */
  close(): void {
    if (this.#root !== undefined && !this.#closed) closeSync(this.#root);
    this.#closed = true;
  }

  /** What is wrong with the folder as a whole, if something is: it vanished, or is another. */
  gone(): string | undefined {
    try {
      const now = lstatSync(this.dir, { bigint: true });
      if (!now.isDirectory()) return 'is not a folder any more';
      if (identityOf(now) !== this.#identity) return 'was replaced by another folder';
      return undefined;
    } catch (error) {
      return errorCode(error) === 'ENOENT' ? 'has vanished' : `cannot be read any more (${errorCode(error)})`;
    }
  }

  /** Runs `use` on a path that stands for the directory; undefined where it is not there. @throws {InTheWay} */
  within<T>(directory: string, use: (base: string) => T): T | undefined {
    return this.#enter(directory, false, use)?.result;
  }

  /** The same, and makes the directories that are not there. */
  making<T>(directory: string, use: (base: string) => T): T {
    const entered = this.#enter(directory, true, use);
    if (entered === undefined) throw new InTheWay(directory, 'gone');
    return entered.result;
  }

  #enter<T>(directory: string, make: boolean, use: (base: string) => T): { readonly result: T } | undefined {
    if (this.#closed) throw new Error('the folder is closed');
    const opened: number[] = [];
    try {
      let base = this.#root === undefined ? this.dir : `/proc/self/fd/${this.#root}`;
      let at = '';
      for (const name of directory === '' ? [] : directory.split('/')) {
        at = at === '' ? name : `${at}/${name}`;
        let stat = lstatOf(`${base}/${name}`);
        if (stat === undefined && make) {
          makeDirectory(`${base}/${name}`);
          stat = lstatOf(`${base}/${name}`);
        }
        if (stat === undefined) return undefined;
        if (!stat.isDirectory()) throw new InTheWay(at, kindOf(stat));
        if (this.#root === undefined) {
          base = `${base}/${name}`;
          continue;
        }
        const fd = openOrSay(`${base}/${name}`, at);
        if (fd === undefined) return undefined;
        opened.push(fd);
        base = `/proc/self/fd/${fd}`;
      }
      return { result: use(base) };
    } finally {
      for (const fd of opened) closeSync(fd);
    }
  }
}

/** The directory was there a moment ago. */
function openOrSay(path: string, at: string): number | undefined {
  try {
    return openDirectory(path);
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT') return undefined;
    if (code === 'ELOOP' || code === 'ENOTDIR') throw new InTheWay(at, 'a symbolic link');
    throw error;
  }
}
