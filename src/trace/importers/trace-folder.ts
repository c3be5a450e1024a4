import type { Dirent } from 'node:fs';
import { lstat, readFile, readdir, realpath, stat } from 'node:fs/promises';
import { join, posix, sep } from 'node:path';
import { readLines } from '../line-reader.ts';
import { type SkipLog, WHY } from './skip-log.ts';
import { parseTolerantJson } from './tolerant-json.ts';

export interface TraceLimits {
  /** A longer line is passed over without being held in memory. @default 16 MiB */
  readonly maxLineBytes: number;
  /** A larger file that is read as a whole (a program, a report) is left out. @default 64 MiB */
  readonly maxFileBytes: number;
}

export const TRACE_LIMITS: TraceLimits = { maxLineBytes: 16 * 1024 * 1024, maxFileBytes: 64 * 1024 * 1024 };

/** What is in one folder, names sorted by code unit. */
export interface FolderListing {
  readonly files: readonly string[];
  readonly folders: readonly string[];
}

export interface JsonLine {
  /** 1-based. */
  readonly line: number;
  readonly value: unknown;
}

const LFS_HEAD = 'version https://git-lfs.github.com/spec/';
/** A pointer file is shorter than this. @see https://github.com/git-lfs/git-lfs/blob/main/docs/spec.md */
const LFS_MAX_BYTES = 1024;

/**
 * The folder that was given, read without trusting what is in it. Paths are relative to it, with `/`; nothing outside is ever
 * opened, a link that leads out least of all. What cannot be used is noted in `skips` and missing from the answer; nothing throws
 * but `open`.
 */
export class TraceFolder {
  /** Real, absolute path. */
  readonly root: string;
  readonly skips: SkipLog;
  readonly limits: TraceLimits;
  readonly #listings = new Map<string, FolderListing>();

  private constructor(root: string, skips: SkipLog, limits: TraceLimits) {
    this.root = root;
    this.skips = skips;
    this.limits = limits;
  }

  /** @throws what the file system throws when there is no such folder */
  static async open(path: string, skips: SkipLog, limits: TraceLimits = TRACE_LIMITS): Promise<TraceFolder> {
    return new TraceFolder(await realpath(path), skips, limits);
  }

  absolute(path: string): string {
    return path === '' ? this.root : join(this.root, path);
  }

  /** Files and folders in `dir`. Links to files that stay inside count as files; links to folders do not (their target is met by its own path). */
  async list(dir: string): Promise<FolderListing> {
    const known = this.#listings.get(dir);
    if (known) return known;
    let entries: readonly Dirent[];
    try {
      entries = await readdir(this.absolute(dir), { withFileTypes: true });
    } catch (error) {
      this.skips.note({ path: dir, what: 'folder', why: isGone(error) ? WHY.gone : WHY.unreadable });
      const empty = { files: [], folders: [] };
      this.#listings.set(dir, empty);
      return empty;
    }
    const files: string[] = [];
    const folders: string[] = [];
    for (const entry of entries) {
      const path = posix.join(dir, entry.name);
      if (entry.isDirectory()) folders.push(entry.name);
      else if (entry.isFile()) files.push(entry.name);
      else if (entry.isSymbolicLink() && (await this.fileAt(path, 'link')) !== undefined) files.push(entry.name);
    }
    const listing = { files: files.sort(byCodeUnit), folders: folders.sort(byCodeUnit) };
    this.#listings.set(dir, listing);
    return listing;
  }

  /** Whether there is anything under that name, readable or not. */
  async isThere(path: string): Promise<boolean> {
    try {
      await lstat(this.absolute(path));
      return true;
    } catch (error) {
      return !isGone(error);
    }
  }

  /** Real path of a regular file inside the folder; undefined (and, unless it is simply missing, noted) for anything else. */
  async fileAt(path: string, what = 'file'): Promise<string | undefined> {
    try {
      const real = await realpath(this.absolute(path));
      if (real !== this.root && !real.startsWith(this.root.endsWith(sep) ? this.root : this.root + sep)) {
        this.skips.note({ path, what, why: WHY.leaves });
        return undefined;
      }
      const found = await stat(real);
      if (found.isFile()) return real;
      if (!found.isDirectory()) this.skips.note({ path, what, why: WHY.noFile });
    } catch (error) {
      if (!isGone(error)) this.skips.note({ path, what, why: WHY.unreadable });
    }
    return undefined;
  }

  /** Text of a file exactly as stored; undefined where there is none or it cannot be used. */
  async readText(path: string, what = 'file'): Promise<string | undefined> {
    const real = await this.fileAt(path, what);
    if (real === undefined) return undefined;
    try {
      if ((await stat(real)).size > this.limits.maxFileBytes) return this.#skip(path, what, WHY.tooLarge);
      const text = decode(await readFile(real));
      if (text === undefined) return this.#skip(path, what, WHY.notUtf8);
      return isPointer(text) ? this.#skip(path, what, WHY.pointer) : text;
    } catch {
      return this.#skip(path, what, WHY.unreadable);
    }
  }

  /** A JSON file, read as Python writes it; undefined where there is none or it cannot be used. */
  async readJson(path: string, what = 'file'): Promise<unknown> {
    const text = await this.readText(path, what);
    if (text === undefined) return undefined;
    try {
      return parseTolerantJson(text);
    } catch {
      return this.#skip(path, what, WHY.notJson);
    }
  }

  /** Values of a file with one JSON value a line, one at a time; a bad line costs that line. Nothing where there is no such file. */
  async *jsonLines(path: string, what = 'line'): AsyncGenerator<JsonLine> {
    const real = await this.fileAt(path);
    if (real === undefined) return;
    try {
      for await (const { number: line, ...rest } of readLines(real, this.limits.maxLineBytes)) {
        if (rest.text === null) {
          const why = 'problem' in rest && rest.problem === 'not UTF-8' ? WHY.notUtf8 : WHY.tooLong;
          this.skips.note({ path, line, what, why });
          continue;
        }
        if (rest.text.trim() === '') continue;
        if (line === 1 && isPointer(rest.text)) {
          this.skips.note({ path, what: 'file', why: WHY.pointer });
          return;
        }
        const value = valueOf(rest.text);
        if (value === undefined) this.skips.note({ path, line, what, why: WHY.notJson });
        else yield { line, value };
      }
    } catch (error) {
      // What the consumer throws does not come through here: only reading does.
      if (!(error instanceof Error && 'syscall' in error)) throw error;
      this.skips.note({ path, what: 'file', why: WHY.unreadable });
    }
  }

  #skip(path: string, what: string, why: string): undefined {
    this.skips.note({ path, what, why });
    return undefined;
  }
}

/** The first lines of a Git LFS pointer stand where a file should be. */
export function isPointer(text: string): boolean {
  return text.length < LFS_MAX_BYTES && text.startsWith(LFS_HEAD);
}

function decode(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function valueOf(text: string): unknown {
  try {
    return parseTolerantJson(text);
  } catch {
    return undefined;
  }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}

function byCodeUnit(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
