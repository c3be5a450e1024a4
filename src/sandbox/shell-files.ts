import { posix } from 'node:path';
import type { CpOptions, FileContent, FsStat, IFileSystem, MkdirOptions, RmOptions } from 'just-bash';
import { childrenOf, fileError, ShellVolume, wholePath } from './shell-volume.ts';

/** Folders the shell itself furnishes; nothing under them is the caller's unless the caller put it there. */
const FURNITURE = /^\/(?:bin|usr|dev|proc)(?:\/|$)/;
/** Files and folders one tree may have: far more than any program, little enough for the child's memory. */
const MAX_ENTRIES = 32_768;

type Encoding = Parameters<IFileSystem['writeFile']>[2] | Parameters<IFileSystem['readFile']>[1];
type Listed = Awaited<ReturnType<NonNullable<IFileSystem['readdirWithFileTypes']>>>;

/**
 * The tree of one shell command, in memory: no links of any kind, and a note of every given file whose content was opened.
 * Copying and moving count as opening: the content goes on under another name. Writing makes the folders that lead to a file.
 * Given paths are whole; the bytes of given files count towards `maxTotalBytes`.
 *
 * Errors are of just-bash's form (`ENOENT: no such file or directory, open '/a'`), which its commands put into words.
 */
export class ShellFiles implements IFileSystem {
  readonly #given: ReadonlyMap<string, string>;
  readonly #opened = new Set<string>();
  readonly #volume: ShellVolume;

  constructor(files: Readonly<Record<string, string>>, maxTotalBytes: number) {
    this.#volume = new ShellVolume({ maxTotalBytes, maxEntries: MAX_ENTRIES });
    this.#given = new Map(Object.entries(files).map(([path, text]) => [path, text.toWellFormed()]));
    for (const [path, text] of this.#given) this.writeFileSync(path, text);
  }

  /** Given files whose content was opened so far, sorted. */
  get opened(): readonly string[] {
    return [...this.#opened].sort();
  }

  /**
   * What differs from the given files: new text, or null where a file is gone. Bytes that are not UTF-8 come out as U+FFFD, so
   * that a binary file shows as changed and can be refused, not vanish.
   */
  changes(): Record<string, string | null> {
    const changed: [string, string | null][] = [];
    const present = new Set<string>();
    for (const { path, link } of this.#volume.entries()) {
      if (!link.getNode().isFile() || (FURNITURE.test(path) && !this.#given.has(path))) continue;
      present.add(path);
      const text = link.getNode().getString();
      if (text !== this.#given.get(path)) changed.push([path, text]);
    }
    for (const path of this.#given.keys()) if (!present.has(path)) changed.push([path, null]);
    return Object.fromEntries(changed.sort(([a], [b]) => (a < b ? -1 : 1)));
  }

  async readFile(path: string, options?: Encoding): Promise<string> {
    return this.#read(path).toString(encodingOf(options));
  }

  async readFileBuffer(path: string): Promise<Uint8Array> {
    return this.#read(path);
  }

  async writeFile(path: string, content: FileContent, options?: Encoding): Promise<void> {
    this.writeFileSync(path, content, options);
  }

  /** just-bash furnishes a tree through this and `mkdirSync`, before the first command. */
  writeFileSync(path: string, content: FileContent, options?: Encoding): void {
    this.#write(path, content, options, 'write');
  }

  async appendFile(path: string, content: FileContent, options?: Encoding): Promise<void> {
    this.#write(path, content, options, 'append');
  }

  async exists(path: string): Promise<boolean> {
    return !path.includes('\0') && this.#volume.find(wholePath(path)) !== undefined;
  }

  async stat(path: string): Promise<FsStat> {
    return this.#stat(path, 'stat');
  }

  async lstat(path: string): Promise<FsStat> {
    return this.#stat(path, 'lstat');
  }

  async mkdir(path: string, options?: MkdirOptions): Promise<void> {
    this.mkdirSync(path, options);
  }

  mkdirSync(path: string, options?: MkdirOptions): void {
    const whole = checked(path, 'mkdir');
    const found = this.#volume.find(whole)?.getNode();
    if (found?.isFile() === true) throw fileError('EEXIST', 'file already exists', 'mkdir', path);
    if (options?.recursive !== true) {
      if (found !== undefined) throw fileError('EEXIST', 'directory already exists', 'mkdir', path);
      if (this.#volume.find(posix.dirname(whole)) === undefined) throw missing('mkdir', path);
    }
    this.#volume.folder(whole, 'mkdir');
  }

  async readdir(path: string): Promise<string[]> {
    return (await this.readdirWithFileTypes(path)).map(({ name }) => name);
  }

  async readdirWithFileTypes(path: string): Promise<Listed> {
    const link = this.#find(path, 'scandir');
    if (!link.getNode().isDirectory()) throw fileError('ENOTDIR', 'not a directory', 'scandir', path);
    return childrenOf(link).map(([name, child]) => {
      const node = child.getNode();
      return { name, isFile: node.isFile(), isDirectory: node.isDirectory(), isSymbolicLink: false };
    });
  }

  async rm(path: string, options?: RmOptions): Promise<void> {
    const whole = checked(path, 'rm');
    if (whole === '/') throw fileError('EPERM', 'operation not permitted', 'rm', path);
    if (options?.force === true && this.#volume.find(whole) === undefined) return;
    const link = this.#find(path, 'rm');
    const children = childrenOf(link);
    if (children.length > 0 && options?.recursive !== true) {
      throw fileError('ENOTEMPTY', 'directory not empty', 'rm', path);
    }
    for (const [name] of children) await this.rm(posix.join(whole, name), options);
    this.#volume.remove(link);
  }

  async cp(source: string, target: string, options?: CpOptions): Promise<void> {
    const [from, to] = [checked(source, 'cp'), checked(target, 'cp')];
    const link = this.#find(source, 'cp');
    if (!link.getNode().isDirectory()) return this.#copyFile(from, to);
    if (options?.recursive !== true) throw fileError('EISDIR', 'is a directory', 'cp', source);
    if (isWithin(from, to)) throw new Error(`EINVAL: cannot copy '${source}' into itself, '${target}'`);
    this.mkdirSync(to, { recursive: true });
    for (const [name] of childrenOf(link)) await this.cp(posix.join(from, name), posix.join(to, name), options);
  }

  async mv(source: string, target: string): Promise<void> {
    const [from, to] = [checked(source, 'mv'), checked(target, 'mv')];
    const link = this.#find(source, 'mv');
    if (from === to) return;
    if (!link.getNode().isDirectory()) return this.#moveFile(from, to);
    if (isWithin(from, to)) throw new Error(`EINVAL: cannot move '${source}' into itself, '${target}'`);
    if (isWithin(to, from)) throw fileError('ENOTEMPTY', 'directory not empty', 'mv', target);
    this.mkdirSync(to, { recursive: true });
    for (const [name] of childrenOf(link)) await this.mv(posix.join(from, name), posix.join(to, name));
    this.#volume.remove(link);
  }

  resolvePath(base: string, path: string): string {
    return posix.resolve('/', base, path);
  }

  getAllPaths(): string[] {
    return ['/', ...Array.from(this.#volume.entries(), ({ path }) => path)];
  }

  async chmod(path: string, mode: number): Promise<void> {
    this.#find(path, 'chmod').getNode().chmod(mode);
  }

  async utimes(path: string, _atime: Date, mtime: Date): Promise<void> {
    this.#find(path, 'utimes').getNode().mtime = mtime;
  }

  symlink(_target: string, path: string): Promise<never> {
    return Promise.reject(new Error(`EACCES: there are no links in this tree, symlink '${path}'`));
  }

  link(_source: string, path: string): Promise<never> {
    return Promise.reject(new Error(`EACCES: there are no links in this tree, link '${path}'`));
  }

  async readlink(path: string): Promise<string> {
    this.#find(path, 'readlink');
    throw fileError('EINVAL', 'invalid argument', 'readlink', path);
  }

  async realpath(path: string): Promise<string> {
    this.#find(path, 'realpath');
    return wholePath(path);
  }

  #find(path: string, operation: string): NonNullable<ReturnType<ShellVolume['find']>> {
    const link = this.#volume.find(checked(path, operation));
    if (link === undefined) throw missing(operation, path);
    return link;
  }

  #read(path: string): Buffer {
    this.#open(wholePath(path));
    const node = this.#find(path, 'open').getNode();
    if (!node.isFile()) throw fileError('EISDIR', 'illegal operation on a directory', 'read', path);
    return node.getBuffer();
  }

  #write(path: string, content: FileContent, options: Encoding, operation: 'write' | 'append'): void {
    const whole = checked(path, operation);
    if (typeof content !== 'string') return void this.#volume.write(whole, content, operation);
    const encoding = encodingOf(options);
    // Before the text becomes bytes: what is refused is not held twice.
    this.#volume.claim(whole, Buffer.byteLength(content, encoding), operation);
    this.#volume.write(whole, Buffer.from(content, encoding), operation);
  }

  #stat(path: string, operation: string): FsStat {
    const node = this.#find(path, operation).getNode();
    return {
      isFile: node.isFile(),
      isDirectory: node.isDirectory(),
      isSymbolicLink: false,
      mode: node.perm,
      size: node.getSize(),
      mtime: node.mtime,
      identity: `memfs:${node.ino}`,
    };
  }

  #copyFile(from: string, to: string): void {
    this.#open(from);
    const source = this.#find(from, 'cp').getNode();
    if (from === to) return;
    const copy = this.#volume.write(to, source.getBuffer(), 'cp').getNode();
    copy.chmod(source.perm);
    copy.mtime = source.mtime;
  }

  #moveFile(from: string, to: string): void {
    this.#open(from);
    this.#volume.move(from, to);
  }

  /** Notes that the content of a given file is known from now on. */
  #open(whole: string): void {
    if (this.#given.has(whole)) this.#opened.add(whole);
  }
}

function missing(operation: string, path: string): Error {
  return fileError('ENOENT', 'no such file or directory', operation, path);
}

/** @throws ENOENT for a path that no tree can have */
function checked(path: string, operation: string): string {
  if (path.includes('\0')) throw fileError('ENOENT', 'path contains null byte', operation, path);
  return wholePath(path);
}

function isWithin(folder: string, path: string): boolean {
  return folder === '/' || path === folder || path.startsWith(`${folder}/`);
}

function encodingOf(options: Encoding): 'utf8' | 'latin1' | 'base64' | 'hex' {
  const name = typeof options === 'string' ? options : options?.encoding;
  if (name === 'binary' || name === 'latin1') return 'latin1';
  return name === 'base64' || name === 'hex' ? name : 'utf8';
}
