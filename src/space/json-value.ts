import type { Json } from './marks.ts';

/** How large a value from outside may be. Bytes are UTF-8 bytes. */
export interface JsonBounds {
  /** Of one string (keys included). */
  readonly maxTextBytes: number;
  /** Of the whole value: text, keys, numbers and punctuation, before escaping. */
  readonly maxBytes: number;
  /** Nested levels of lists and objects. */
  readonly maxDepth: number;
  /** Path of one string that has a bound of its own and does not count towards `maxBytes`. */
  readonly exempt?: { readonly path: string; readonly maxTextBytes: number };
}

/** For values that the project made itself or that were bounded before. */
export const UNBOUNDED: JsonBounds = { maxTextBytes: Infinity, maxBytes: Infinity, maxDepth: 256 };

/** A value that is not plain bounded JSON; `path` says where, dotted. */
export class JsonProblem extends Error {
  override readonly name = 'JsonProblem';
  readonly path: string;
  readonly problem: string;
  constructor(path: string, problem: string) {
    super(`${path === '' ? 'the value' : path} ${problem}`);
    this.path = path;
    this.problem = problem;
    KNOWN_PROBLEMS.add(this);
  }
}

/** What was wrong with a value that a copy failed on. What a hostile getter or proxy throws may itself be hostile: it is not looked into. */
export function problemIn(error: unknown): JsonProblem {
  const known = typeof error === 'object' && error !== null && KNOWN_PROBLEMS.has(error);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only problems are in the set
  return known ? (error as JsonProblem) : new JsonProblem('', 'could not be read');
}

/** Problems by identity: asking `instanceof` would run code of a proxy's. */
const KNOWN_PROBLEMS = new WeakSet();

/** Keys that could reach a prototype in a careless reader of the value. */
const REFUSED_KEYS: readonly string[] = ['__proto__', 'constructor'];
const LONGEST_PATH = 120;

/** Number of bytes `text` takes in UTF-8; an unpaired surrogate counts as the replacement character (3). */
export function utf8Bytes(text: string): number {
  let bytes = text.length;
  for (let i = 0; i < text.length; i += 1) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) continue;
    if (unit < 0x800) bytes += 1;
    else if (unit >= 0xd800 && unit <= 0xdbff && (text.charCodeAt(i + 1) & 0xfc00) === 0xdc00) {
      bytes += 2;
      i += 1;
    } else bytes += 2;
  }
  return bytes;
}

/**
 * Copies a value from outside into frozen plain JSON, reading every property once: what was checked is what is kept.
 * Members whose value is `undefined` are left out, `-0` becomes `0`.
 *
 * @throws {JsonProblem} for anything that JSON cannot carry exactly, own `__proto__` or `constructor` keys, and sizes beyond `bounds`.
 */
export function copyJson(value: unknown, bounds: JsonBounds): Json {
  let budget = bounds.maxBytes;

  function spend(bytes: number, path: string): void {
    budget -= bytes;
    if (budget < 0) throw new JsonProblem(path, `makes the whole larger than ${bounds.maxBytes} bytes`);
  }

  function spendText(text: string, path: string): void {
    const own = bounds.exempt?.path === path ? bounds.exempt : undefined;
    const max = own?.maxTextBytes ?? bounds.maxTextBytes;
    // UTF-8 is at least as long as UTF-16 has units: a huge string is refused without being walked.
    if (text.length > max || utf8Bytes(text) > max) throw new JsonProblem(path, `is longer than ${max} bytes`);
    if (own === undefined) spend(utf8Bytes(text) + 2, path);
  }

  function copy(item: unknown, path: string, depth: number): Json {
    switch (typeof item) {
      case 'string':
        spendText(item, path);
        return item;
      case 'number':
        if (!Number.isFinite(item)) throw new JsonProblem(path, 'is not a finite number');
        spend(8, path);
        return item === 0 ? 0 : item;
      case 'boolean':
        spend(5, path);
        return item;
      case 'object':
        break;
      case 'bigint':
      case 'function':
      case 'symbol':
      case 'undefined':
        throw new JsonProblem(path, `is a ${typeof item}, which JSON cannot carry`);
    }
    if (item === null) {
      spend(4, path);
      return null;
    }
    if (depth >= bounds.maxDepth) throw new JsonProblem(path, `is nested deeper than ${bounds.maxDepth} levels`);
    spend(2, path);
    return Array.isArray(item) ? copyList(item, path, depth) : copyObject(item, path, depth);
  }

  function copyList(list: readonly unknown[], path: string, depth: number): Json {
    const { length } = list;
    spend(length, path);
    const out: Json[] = [];
    for (let i = 0; i < length; i += 1) out.push(copy(list[i], join(path, String(i)), depth + 1));
    return Object.freeze(out);
  }

  function copyObject(object: object, path: string, depth: number): Json {
    const prototype: unknown = Object.getPrototypeOf(object);
    if (prototype !== null && prototype !== Object.prototype) throw new JsonProblem(path, 'is not a plain object');
    const out: Record<string, Json> = {};
    for (const key of Object.keys(object)) {
      if (REFUSED_KEYS.includes(key)) throw new JsonProblem(join(path, key), 'is a refused key');
      const member: unknown = Reflect.get(object, key);
      if (member === undefined) continue;
      spendText(key, '');
      out[key] = copy(member, join(path, key), depth + 1);
    }
    return Object.freeze(out);
  }

  return copy(value, '', 0);
}

/**
 * Freezes a value fresh from `JSON.parse`, in place and to the bottom.
 *
 * @throws {JsonProblem} for own `__proto__` or `constructor` keys and for more levels than {@link UNBOUNDED} has.
 */
export function freezeJson(value: unknown, depth = 0): void {
  if (typeof value !== 'object' || value === null) return;
  if (depth >= UNBOUNDED.maxDepth) throw new JsonProblem('', `is nested deeper than ${UNBOUNDED.maxDepth} levels`);
  if (Array.isArray(value)) for (const item of value) freezeJson(item, depth + 1);
  else {
    for (const key of Object.keys(value)) {
      if (REFUSED_KEYS.includes(key)) throw new JsonProblem(key, 'is a refused key');
      const member: unknown = Reflect.get(value, key);
      if (typeof member === 'object') freezeJson(member, depth + 1);
    }
  }
  Object.freeze(value);
}

function join(path: string, key: string): string {
  const joined = path === '' ? key : `${path}.${key}`;
  return joined.length > LONGEST_PATH ? `${joined.slice(0, LONGEST_PATH)}...` : joined;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Whether two JSON values are equal, whatever the order of their keys. */
export function equalJson(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => equalJson(item, b[i]));
  if (!isRecord(a) || !isRecord(b)) return false;
  const keys = Object.keys(a);
  return (
    keys.length === Object.keys(b).length && keys.every((key) => Object.hasOwn(b, key) && equalJson(a[key], b[key]))
  );
}
