declare const brand: unique symbol;

/**
 * A canonical path inside an agent's view: components joined by `/`, no leading or trailing slash, no `.`, `..` or empty
 * component. `ROOT` (the empty string) is the view's root. Made only by this file; storage and tools accept nothing else.
 */
export type ScopedPath = string & { readonly [brand]: 'ScopedPath' };

/** The root directory of a view. A directory, never a file. */
// oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the brand is made here and in canonicalDirectory, nowhere else
export const ROOT = '' as ScopedPath;

/** What a path may be; lengths in UTF-8 bytes, depth in components. */
export const PATH_LIMITS = { componentBytes: 255, pathBytes: 1024, depth: 32 } as const;

/** Why a string is not a path of the view. `problem` is a clause without a subject: `contains a NUL character`. */
export interface PathRefusal {
  readonly code: 'empty' | 'character' | 'backslash' | 'outside' | 'trailing' | 'too-long' | 'too-deep' | 'collision';
  readonly problem: string;
}

export type PathResult =
  | { readonly ok: true; readonly path: ScopedPath }
  | { readonly ok: false; readonly refusal: PathRefusal };

// Control, format (zero-width, bidirectional overrides), line and paragraph separators, lone surrogates.
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u;
const encoder = new TextEncoder();

/** UTF-8 bytes of a text. */
export function utf8Bytes(text: string): number {
  return encoder.encode(text).length;
}

/**
 * The one canonicaliser: a string as somebody wrote it -> a file or directory of the view, or why it is none.
 *
 * Absolute paths start at the view's root, `.` and doubled slashes vanish, `..` steps back by one component and may not step
 * over the root. Nothing is decoded or normalised: `%2f` and a decomposed accent are literal. The answer depends on the string
 * alone, never on what exists. Idempotent on its own results (`ROOT` is written `/`).
 */
export function canonicalDirectory(raw: string): PathResult {
  if (raw === '') return refuse('empty', 'is empty');
  // Before anything that costs time in proportion to the length; code units never outnumber UTF-8 bytes.
  if (raw.length > 4 * PATH_LIMITS.pathBytes) return tooLong();
  if (raw.includes('\0')) return refuse('character', 'contains a NUL character');
  if (UNPRINTABLE.test(raw)) return refuse('character', 'contains a control character or an unpaired surrogate');
  if (raw.includes('\\')) return refuse('backslash', 'contains a backslash; separate components by /');
  const components: string[] = [];
  for (const component of raw.split('/')) {
    if (component === '' || component === '.') continue;
    if (component === '..') {
      if (components.pop() === undefined) return refuse('outside', 'leads out of the view');
      continue;
    }
    const refusal = componentRefusal(component);
    if (refusal) return { ok: false, refusal };
    components.push(component);
  }
  if (components.length > PATH_LIMITS.depth) {
    return refuse('too-deep', `has more than ${PATH_LIMITS.depth} components`);
  }
  const path = components.join('/');
  if (utf8Bytes(path) > PATH_LIMITS.pathBytes) return tooLong();
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- all of the above is what the brand stands for
  return { ok: true, path: path as ScopedPath };
}

/** Like `canonicalDirectory`, but the root is refused: it is never a file. */
export function canonicalPath(raw: string): PathResult {
  const result = canonicalDirectory(raw);
  return result.ok && result.path === ROOT ? refuse('empty', 'names the root directory, not a file') : result;
}

/** Components from the root on; none for `ROOT`. */
export function componentsOf(path: ScopedPath): readonly string[] {
  return path === ROOT ? [] : path.split('/');
}

/** Is `path` the directory itself or inside it? By components: `a` holds `a/b`, never `ab`. */
export function isWithin(path: ScopedPath, directory: ScopedPath): boolean {
  return directory === ROOT || path === directory || path.startsWith(`${directory}/`);
}

/** As a person or a shell writes it: `/task_agent.ts`, `/` for the root. */
export function absolutePath(path: ScopedPath): string {
  return `/${path}`;
}

/** Directories of a view that hold no file of the agent's own: what it is shown, and its scratch space. */
export const RESERVED_DIRECTORIES = ['evals', 'strategies', 'tmp'] as const;

/** The reserved directory a path is in (or is, or could be taken for, see `foldName`); nothing for the agent's own files. */
export function reservedDirectoryOf(path: ScopedPath): (typeof RESERVED_DIRECTORIES)[number] | undefined {
  const first = foldName(componentsOf(path)[0] ?? '');
  return RESERVED_DIRECTORIES.find((directory) => directory === first);
}

/** What two names share that a careless file system would take for one: NFC, then case folding. */
export function foldName(name: string): string {
  return name.normalize('NFC').toUpperCase().toLowerCase().normalize('NFC');
}

/**
 * The names in use, so that no two differ only by case or Unicode form and no name is a file and a directory at once.
 * `refusalOf` costs the depth of the path, whatever the number of names.
 */
export class NameIndex {
  readonly #byFold = new Map<string, { readonly name: string; readonly kind: 'file' | 'directory' }>();

  constructor(paths: Iterable<ScopedPath> = []) {
    for (const path of paths) this.add(path);
  }

  /** Takes a path in. The caller has asked `refusalOf` first; a path that collides is left out. */
  add(path: ScopedPath): void {
    if (this.refusalOf(path)) return;
    for (const { prefix, kind } of prefixesOf(path)) this.#byFold.set(foldName(prefix), { name: prefix, kind });
  }

  /** Why `path` may not come to be a file beside those already here; nothing when it may (or is here already). */
  refusalOf(path: ScopedPath): PathRefusal | undefined {
    for (const { prefix, kind } of prefixesOf(path)) {
      const taken = this.#byFold.get(foldName(prefix));
      if (!taken) continue;
      if (taken.name !== prefix) {
        return { code: 'collision', problem: `differs only by case or Unicode form from /${taken.name}` };
      }
      if (taken.kind !== kind) {
        return { code: 'collision', problem: `needs /${prefix} to be a ${kind}; it is a ${taken.kind}` };
      }
    }
    return undefined;
  }
}

/** The refusal of `path` beside `existing` paths: see `NameIndex`, which is the way for more than one question. */
export function collisionOf(path: ScopedPath, existing: Iterable<ScopedPath>): PathRefusal | undefined {
  return new NameIndex(existing).refusalOf(path);
}

function* prefixesOf(path: ScopedPath): Generator<{ prefix: string; kind: 'file' | 'directory' }> {
  const components = componentsOf(path);
  for (let depth = 1; depth <= components.length; depth += 1) {
    yield { prefix: components.slice(0, depth).join('/'), kind: depth === components.length ? 'file' : 'directory' };
  }
}

function componentRefusal(component: string): PathRefusal | undefined {
  if (/[. ]$/.test(component)) return { code: 'trailing', problem: 'has a component that ends in a dot or a space' };
  if (component.startsWith(' ')) return { code: 'trailing', problem: 'has a component that starts with a space' };
  if (utf8Bytes(component) > PATH_LIMITS.componentBytes) {
    return { code: 'too-long', problem: `has a component of more than ${PATH_LIMITS.componentBytes} bytes` };
  }
  return undefined;
}

function tooLong(): PathResult {
  return refuse('too-long', `is longer than ${PATH_LIMITS.pathBytes} bytes`);
}

function refuse(code: PathRefusal['code'], problem: string): PathResult {
  return { ok: false, refusal: { code, problem } };
}
