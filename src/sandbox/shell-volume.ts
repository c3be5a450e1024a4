import { constants } from 'node:fs';
import { createRequire } from 'node:module';
import { posix } from 'node:path';
import type { Link, Superblock } from '@jsonjoy.com/fs-core';

// memfs's own core: its tree of links and nodes without the emulation of `node:fs` around it, which takes three times as long to
// load, in every child. Resolved from memfs, so that it is the one that memfs brings.
const core: { Superblock: typeof Superblock } = createRequire(createRequire(import.meta.url).resolve('memfs'))(
  '@jsonjoy.com/fs-core',
);

/** What memfs asks of its process; the real one is out of reach while a script runs. */
const NO_PROCESS = { cwd: () => '/', platform: 'linux', emitWarning: () => {}, env: {} };

const FILE_BITS = 0o644;
const DIRECTORY_BITS = 0o755;
/** As Linux has them. They also bound the tree: memfs keeps with every entry the names that lead to it. */
const MAX_PATH_CHARS = 4096;
const MAX_NAME_CHARS = 255;

/** What a volume may hold. */
export interface VolumeRoom {
  /** Bytes of all files together. */
  readonly maxTotalBytes: number;
  /** Files and folders together. */
  readonly maxEntries: number;
}

type Writing = 'write' | 'append' | 'cp';

/** An error of a file system call, in the form in which shell commands look for its code: `ENOENT: what is wrong, open '/a'`. */
export function fileError(code: string, problem: string, operation: string, path: string): Error {
  return new Error(`${code}: ${problem}, ${operation} '${path}'`);
}

/** The one form of a path: absolute, no `.`, `..`, double or trailing slashes. */
export function wholePath(path: string): string {
  return posix.resolve('/', path);
}

/**
 * A tree of files and folders in memory, in memfs, within its room. There are no links and no devices; permission bits are kept
 * and shown, not enforced. Paths are whole ({@link wholePath}). A call that throws leaves every file as it was.
 *
 * Entries are reached by name from the root and taken away one by one: memfs's own calls by path enforce the bits, and its
 * recursive removal keeps what it removed.
 */
export class ShellVolume {
  readonly #memfs = new core.Superblock({ process: NO_PROCESS });
  readonly #room: VolumeRoom;
  #bytes = 0;
  #entries = 0;

  constructor(room: VolumeRoom) {
    this.#room = room;
    this.#memfs.root.getNode().chmod(DIRECTORY_BITS);
  }

  /** The entry at a path; `undefined` when there is none. */
  find(path: string): Link | undefined {
    let link: Link | undefined = this.#memfs.root;
    for (const name of namesOf(path)) link = link?.getChild(name);
    return link;
  }

  /** The folder at a path, made if it is missing, with the folders that lead to it. @throws ENOTDIR, ENAMETOOLONG, ENOSPC */
  folder(path: string, operation: string): Link {
    let link = this.#memfs.root;
    for (const name of namesOf(path)) {
      const next = link.getChild(name) ?? this.#add(link, name, constants.S_IFDIR | DIRECTORY_BITS, operation, path);
      if (!next.getNode().isDirectory()) throw fileError('ENOTDIR', 'not a directory', operation, path);
      link = next;
    }
    return link;
  }

  /** The file at a path, made empty if it is missing, with its folders. @throws EISDIR, and as `folder` */
  file(path: string, operation: string): Link {
    const found = this.find(path);
    if (found?.getNode().isDirectory() === true) {
      throw fileError('EISDIR', 'illegal operation on a directory', operation, path);
    }
    if (found !== undefined) return found;
    return this.#add(
      this.folder(posix.dirname(path), operation),
      posix.basename(path),
      constants.S_IFREG | FILE_BITS,
      operation,
      path,
    );
  }

  /** Replaces what a file holds, or adds to it. @throws ENOSPC, and as `file` */
  write(path: string, bytes: Uint8Array, operation: Writing): Link {
    const added = this.claim(path, bytes.length, operation);
    const link = this.file(path, operation);
    const node = link.getNode();
    // memfs makes the copy.
    const view = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
    if (operation === 'append') node.write(view, 0, bytes.length, node.getSize());
    else node.setBuffer(view);
    this.#bytes += added;
    return link;
  }

  /** How many bytes more there are once so many are written to a path. @throws ENOSPC when they do not fit */
  claim(path: string, bytes: number, operation: Writing): number {
    const { maxTotalBytes } = this.#room;
    const added = bytes - (operation === 'append' ? 0 : (this.find(path)?.getNode().getSize() ?? 0));
    if (added > maxTotalBytes - this.#bytes) {
      throw fileError('ENOSPC', `no space left, files may have ${maxTotalBytes} bytes together`, operation, path);
    }
    return added;
  }

  /** Gives a file another path, in the place of the file that may be there. @throws as `file` */
  move(from: string, to: string): void {
    const link = this.find(from);
    if (link === undefined) throw fileError('ENOENT', 'no such file or directory', 'mv', from);
    const target = this.file(to, 'mv');
    const { parent } = target;
    this.remove(target);
    this.#memfs.deleteLink(link);
    parent?.createChild(posix.basename(to), link.getNode());
  }

  /** Takes away a file or an empty folder. */
  remove(link: Link): void {
    const node = link.getNode();
    this.#bytes -= node.isFile() ? node.getSize() : 0;
    this.#entries -= 1;
    this.#memfs.deleteLink(link);
    this.#memfs.deleteNode(node);
  }

  /** Every entry but the root, folders before what is in them. */
  *entries(): Generator<{ readonly path: string; readonly link: Link }> {
    const folders: [path: string, folder: Link][] = [['', this.#memfs.root]];
    for (const [at, folder] of folders) {
      for (const [name, link] of childrenOf(folder)) {
        const path = `${at}/${name}`;
        yield { path, link };
        if (link.getNode().isDirectory()) folders.push([path, link]);
      }
    }
  }

  #add(parent: Link, name: string, mode: number, operation: string, path: string): Link {
    if (name.length > MAX_NAME_CHARS || path.length > MAX_PATH_CHARS) {
      throw fileError('ENAMETOOLONG', 'file name too long', operation, `${path.slice(0, 100)}...`);
    }
    if (this.#entries >= this.#room.maxEntries) {
      throw new Error(`ENOSPC: no space left, there may be ${this.#room.maxEntries} files and folders`);
    }
    this.#entries += 1;
    return parent.createChild(name, this.#memfs.createNode(mode));
  }
}

/** What is in a folder, sorted by name. */
export function childrenOf(folder: Link): (readonly [name: string, link: Link])[] {
  const children: (readonly [string, Link])[] = [];
  for (const [name, link] of folder.children) {
    if (link !== undefined && name !== '.' && name !== '..') children.push([name, link]);
  }
  return children.sort(([a], [b]) => (a < b ? -1 : 1));
}

function namesOf(path: string): readonly string[] {
  return path === '/' ? [] : path.slice(1).split('/');
}
