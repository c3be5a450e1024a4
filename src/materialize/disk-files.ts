import {
  type BigIntStats,
  closeSync,
  constants,
  fstatSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  unlinkSync,
} from 'node:fs';

/** A component of a path is no directory. */
export class InTheWay extends Error {
  override readonly name = 'InTheWay';
  readonly code = 'in-the-way';
  readonly at: string;
  /** `a symbolic link`, `a file` ... */
  readonly what: string;

  constructor(at: string, what: string) {
    super(`${at} is ${what}, not a folder`);
    this.at = at;
    this.what = what;
  }
}

// Where the platform has no such flags (Windows), they are undefined, and add nothing.
const NOFOLLOW = constants.O_NOFOLLOW | 0;
const OPEN_DIRECTORY = constants.O_RDONLY | constants.O_DIRECTORY | NOFOLLOW;
// A pipe that took the file's place after it was looked at must not block the open.
const OPEN_FILE = constants.O_RDONLY | NOFOLLOW | constants.O_NONBLOCK;

/** Opens a directory that is no link. */
export function openDirectory(path: string): number {
  return openSync(path, OPEN_DIRECTORY);
}

/** What was read of a regular file: its bytes, `too-large`, or `unsettled` when it was no file or was written meanwhile. */
export function readRegular(
  path: string,
  maxBytes: number,
): { readonly bytes: Uint8Array; readonly signature: string } | 'unsettled' {
  const fd = openSync(path, OPEN_FILE);
  try {
    const before = fstatSync(fd, { bigint: true });
    if (!before.isFile()) return 'unsettled';
    const bytes = readAll(fd, maxBytes + 1);
    const signature = signatureOf(fstatSync(fd, { bigint: true }));
    return signature === signatureOf(before) && bytes.length <= maxBytes ? { bytes, signature } : 'unsettled';
  } finally {
    closeSync(fd);
  }
}

/** The code of a file system's error, `unknown` where it has none. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
}

export function makeDirectory(path: string): void {
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (error) {
    if (errorCode(error) !== 'EEXIST') throw error;
  }
}

/** A second name for a file where none is; where the file system has no such thing, a move. */
export function linkNew(from: string, to: string): boolean {
  try {
    linkSync(from, to);
    return true;
  } catch (error) {
    const code = errorCode(error);
    if (code === 'EEXIST') return false;
    if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'ENOSYS' && code !== 'EOPNOTSUPP') throw error;
    if (lstatOf(to) !== undefined) return false;
    renameSync(from, to);
    return true;
  }
}

export function unlinkIfThere(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
}

export function lstatOf(path: string): BigIntStats | undefined {
  return lstatSync(path, { bigint: true, throwIfNoEntry: false });
}

export function kindOf(stat: BigIntStats): string {
  if (stat.isSymbolicLink()) return 'a symbolic link';
  if (stat.isDirectory()) return 'a folder';
  if (stat.isFile()) return 'a file';
  if (stat.isFIFO()) return 'a pipe';
  return stat.isSocket() ? 'a socket' : 'a device';
}

export function identityOf(stat: BigIntStats): string {
  return `${stat.dev}:${stat.ino}`;
}

export function signatureOf(stat: BigIntStats): string {
  return `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`;
}

function readAll(fd: number, maxBytes: number): Uint8Array {
  const parts: Buffer[] = [];
  let total = 0;
  while (total < maxBytes) {
    const part = Buffer.allocUnsafe(Math.min(64 * 1024, maxBytes - total));
    const n = readSync(fd, part);
    if (n === 0) break;
    parts.push(part.subarray(0, n));
    total += n;
  }
  return Buffer.concat(parts);
}

/** Byte for byte: a byte order mark stays. NUL has no place in a text of the space. */
export function decode(bytes: Uint8Array): string | undefined {
  if (bytes.includes(0)) return undefined;
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
