import {
  absolutePath,
  componentsOf,
  isWithin,
  NameIndex,
  reservedDirectoryOf,
  type ScopedPath,
  utf8Bytes,
} from './paths.ts';
import type { Tree } from './tree.ts';

/** Bounds of what an agent may leave in one generation; how large one of its files may get is the guard's to say. */
export interface WorkspaceLimits {
  /** Files of the agent's own, scratch files apart. @default 1000 */
  readonly maxFiles: number;
  /** Bytes of the agent's own files together. @default 8 MiB */
  readonly maxBytes: number;
  /** Bytes of `/tmp/` together. @default 1 MiB */
  readonly maxScratchBytes: number;
  /** Files in `/tmp/`. @default 1000 */
  readonly maxScratchFiles: number;
  /** States that `undo` can go back to, per file. @default 50 */
  readonly maxUndo: number;
}

export const WORKSPACE_LIMITS: WorkspaceLimits = {
  maxFiles: 1000,
  maxBytes: 8 * 1024 * 1024,
  maxScratchBytes: 1024 * 1024,
  maxScratchFiles: 1000,
  maxUndo: 50,
};

/** Why the workspace would not take a change. `problem` is a clause: `is read-only`. */
export interface WorkspaceRefusal {
  readonly code: 'read-only' | 'no-such-file' | 'collision' | 'too-many-files' | 'too-many-bytes' | 'nothing-to-undo';
  readonly problem: string;
}

/** What became of one of the agent's own files since the view was made; null where there is none. */
export interface FileChange {
  readonly path: ScopedPath;
  readonly before: string | null;
  readonly after: string | null;
}

/** What is at a path. `access` of a directory tells whether a new file in it could be the agent's own. */
export interface PathStatus {
  readonly kind: 'file' | 'directory';
  /** UTF-8 bytes of a file, 0 of a directory. */
  readonly bytes: number;
  readonly access: 'edit' | 'read' | 'scratch';
}

interface Slot {
  readonly text: string;
  readonly bytes: number;
  readonly access: PathStatus['access'];
}

/**
 * One agent's files during one generation: the tree it was shown, and what its tools make of it in memory.
 *
 * Everything here is a proposal: `changes()` is what the guard is asked to persist. What the tree marks `read`, and everything
 * in `evals/` and `strategies/`, cannot be changed by any method. `/tmp/` is scratch: bounded, and never among the changes.
 * Nothing throws; what is not taken is a `WorkspaceRefusal` and changes nothing.
 */
export class Workspace {
  #before: Tree['files'];
  readonly #limits: WorkspaceLimits;
  readonly #slots = new Map<ScopedPath, Slot>();
  readonly #history = new Map<ScopedPath, (string | null)[]>();
  readonly #used = { edit: { files: 0, bytes: 0 }, read: { files: 0, bytes: 0 }, scratch: { files: 0, bytes: 0 } };
  #names: NameIndex | undefined;

  constructor(tree: Tree, limits: Partial<WorkspaceLimits> = {}) {
    this.#before = tree.files;
    this.#limits = { ...WORKSPACE_LIMITS, ...limits };
    for (const [path, { text, access }] of tree.files) this.#put(path, text, access);
  }

  /** The text of a file, nothing where none is. */
  read(path: ScopedPath): string | undefined {
    return this.#slots.get(path)?.text;
  }

  status(path: ScopedPath): PathStatus | undefined {
    const slot = this.#slots.get(path);
    if (slot) return { kind: 'file', bytes: slot.bytes, access: slot.access };
    if (!this.#isDirectory(path)) return undefined;
    return { kind: 'directory', bytes: 0, access: accessOf(path) };
  }

  /** What a file at this path is, or would be. */
  accessOf(path: ScopedPath): PathStatus['access'] {
    return this.#slots.get(path)?.access ?? accessOf(path);
  }

  /** Names in a directory, sorted; directories end in `/`. Empty for a directory that is not there. */
  list(directory: ScopedPath): readonly string[] {
    const depth = componentsOf(directory).length;
    const names = new Set<string>();
    for (const path of this.#slots.keys()) {
      if (path === directory || !isWithin(path, directory)) continue;
      const components = componentsOf(path);
      const name = components[depth] ?? '';
      names.add(components.length === depth + 1 ? name : `${name}/`);
    }
    return [...names].sort();
  }

  /** All files, sorted. */
  paths(): readonly ScopedPath[] {
    return [...this.#slots.keys()].sort();
  }

  /** Would `write` take a text of so many bytes? */
  refusalOfWrite(path: ScopedPath, bytes: number): WorkspaceRefusal | undefined {
    const present = this.#slots.get(path);
    const access = this.accessOf(path);
    if (access === 'read') return READ_ONLY;
    if (!present) {
      if (this.#isDirectory(path)) return { code: 'collision', problem: 'is a directory' };
      this.#names ??= new NameIndex(this.#slots.keys());
      const collision = this.#names.refusalOf(path);
      if (collision) return { code: 'collision', problem: collision.problem };
    }
    const { maxFiles, maxBytes, maxScratchFiles, maxScratchBytes } = this.#limits;
    const scratch = access === 'scratch';
    const fileLimit = scratch ? maxScratchFiles : maxFiles;
    const byteLimit = scratch ? maxScratchBytes : maxBytes;
    const place = scratch ? '/tmp' : 'your own files';
    if (!present && this.#used[access].files >= fileLimit) {
      return { code: 'too-many-files', problem: `would be one file too many: ${place}: at most ${fileLimit} files` };
    }
    if (this.#used[access].bytes - (present?.bytes ?? 0) + bytes > byteLimit) {
      return { code: 'too-many-bytes', problem: `would be too much: ${place}: at most ${byteLimit} bytes together` };
    }
    return undefined;
  }

  /** Would `remove` take the file away? */
  refusalOfRemove(path: ScopedPath): WorkspaceRefusal | undefined {
    const slot = this.#slots.get(path);
    if (!slot) return NO_SUCH_FILE;
    return slot.access === 'read' ? READ_ONLY : undefined;
  }

  /** Creates or replaces a file; its former state can be undone. */
  write(path: ScopedPath, text: string): WorkspaceRefusal | undefined {
    const refusal = this.refusalOfWrite(path, utf8Bytes(text));
    if (refusal) return refusal;
    this.#remember(path);
    this.#put(path, text, this.accessOf(path));
    return undefined;
  }

  remove(path: ScopedPath): WorkspaceRefusal | undefined {
    const refusal = this.refusalOfRemove(path);
    if (refusal) return refusal;
    this.#remember(path);
    this.#drop(path);
    return undefined;
  }

  /** The state `undo` would give back: a text, null for no file; undefined when there is nothing to undo. */
  undoable(path: ScopedPath): string | null | undefined {
    return this.#history.get(path)?.at(-1);
  }

  /** Takes back the last change of this file that a tool made. */
  undo(path: ScopedPath): WorkspaceRefusal | undefined {
    const former = this.undoable(path);
    if (former === undefined) return { code: 'nothing-to-undo', problem: 'has no edit to undo' };
    const refusal = former === null ? this.refusalOfRemove(path) : this.refusalOfWrite(path, utf8Bytes(former));
    if (refusal) return refusal;
    this.#history.get(path)?.pop();
    if (former === null) this.#drop(path);
    else this.#put(path, former, this.accessOf(path));
    return undefined;
  }

  /** Every file for a shell: absolute path -> text. */
  snapshot(): Record<string, string> {
    return Object.fromEntries(this.paths().map((path) => [absolutePath(path), this.#slots.get(path)?.text ?? '']));
  }

  /** The view has moved on: the files of `tree` take the place of what there was, scratch and what can be undone stay. */
  follow(tree: Tree): void {
    this.#before = tree.files;
    for (const [path, { access }] of this.#slots)
      if (access !== 'scratch' && tree.files.get(path)?.access !== access) this.#drop(path);
    for (const [path, { text, access }] of tree.files) if (this.read(path) !== text) this.#put(path, text, access);
  }

  /** What is different from the tree, the agent's own files only, sorted by path. */
  changes(): readonly FileChange[] {
    const changes: FileChange[] = [];
    for (const path of new Set([...this.#before.keys(), ...this.#slots.keys()])) {
      const before = this.#before.get(path)?.text ?? null;
      const slot = this.#slots.get(path);
      const after = slot?.text ?? null;
      if (before !== after && slot?.access !== 'scratch') changes.push({ path, before, after });
    }
    return changes.sort((a, b) => (a.path < b.path ? -1 : 1));
  }

  #put(path: ScopedPath, text: string, access: Slot['access']): void {
    if (this.#slots.has(path)) this.#drop(path, true);
    else this.#names?.add(path);
    const slot = { text, bytes: utf8Bytes(text), access };
    this.#slots.set(path, slot);
    this.#used[access].files += 1;
    this.#used[access].bytes += slot.bytes;
  }

  #drop(path: ScopedPath, replaced = false): void {
    const slot = this.#slots.get(path);
    if (!slot) return;
    this.#slots.delete(path);
    this.#used[slot.access].files -= 1;
    this.#used[slot.access].bytes -= slot.bytes;
    // A name index only grows: after a removal the next question builds a new one.
    if (!replaced) this.#names = undefined;
  }

  #remember(path: ScopedPath): void {
    const states = this.#history.get(path) ?? [];
    states.push(this.#slots.get(path)?.text ?? null);
    if (states.length > this.#limits.maxUndo) states.shift();
    this.#history.set(path, states);
  }

  #isDirectory(path: ScopedPath): boolean {
    if (path === '' || path === 'tmp') return true;
    const prefix = `${path}/`;
    for (const other of this.#slots.keys()) if (other.startsWith(prefix)) return true;
    return false;
  }
}

const READ_ONLY: WorkspaceRefusal = { code: 'read-only', problem: 'is read-only' };
const NO_SUCH_FILE: WorkspaceRefusal = { code: 'no-such-file', problem: 'does not exist' };

/** Scratch is exactly `tmp/`; a name that could be taken for a reserved one is read-only like it. */
function accessOf(path: ScopedPath): PathStatus['access'] {
  const reserved = reservedDirectoryOf(path);
  if (reserved === undefined) return 'edit';
  return reserved === 'tmp' && componentsOf(path)[0] === 'tmp' ? 'scratch' : 'read';
}
