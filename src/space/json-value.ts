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

/** Whether a key could reach a prototype in a careless reader of the value. */
function isRefusedKey(key: string): boolean {
  return key === '__proto__' || key === 'constructor';
}

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
  return copyMember(value, { bounds, left: bounds.maxBytes }, undefined, '', 0);
}

/** The same for an object, which is not frozen itself, only what is in it: for a caller who has fields to add. */
export function copyFields(value: unknown, bounds: JsonBounds): Record<string, Json> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new JsonProblem('', 'is not an object');
  const copying = { bounds, left: bounds.maxBytes };
  spend(2, copying, undefined, '');
  return copyMembers(value, copying, undefined, 0);
}

/** A copy that is being made: its bounds, and the bytes that it may still take. */
interface Copying {
  readonly bounds: JsonBounds;
  left: number;
}

/** Where in the value a list or an object is; undefined: it is the value. Put into words only when there is a problem. */
type Place = { readonly within: Place; readonly key: string } | undefined;

/** A member, by its key, of the list or object at `within`; the value itself has no key. */
function copyMember(item: unknown, copying: Copying, within: Place, key: string, depth: number): Json {
  switch (typeof item) {
    case 'string':
      spendText(item, copying, within, key);
      return item;
    case 'number':
      if (!Number.isFinite(item)) throw new JsonProblem(pathOf(within, key), 'is not a finite number');
      spend(8, copying, within, key);
      return item === 0 ? 0 : item;
    case 'boolean':
      spend(5, copying, within, key);
      return item;
    case 'object':
      break;
    case 'bigint':
    case 'function':
    case 'symbol':
    case 'undefined':
      throw new JsonProblem(pathOf(within, key), `is a ${typeof item}, which JSON cannot carry`);
  }
  if (item === null) {
    spend(4, copying, within, key);
    return null;
  }
  const { maxDepth } = copying.bounds;
  if (depth >= maxDepth) throw new JsonProblem(pathOf(within, key), `is nested deeper than ${maxDepth} levels`);
  spend(2, copying, within, key);
  const place = depth === 0 ? undefined : { within, key };
  return Array.isArray(item)
    ? copyList(item, copying, place, depth)
    : Object.freeze(copyMembers(item, copying, place, depth));
}

function copyList(list: readonly unknown[], copying: Copying, place: Place, depth: number): Json {
  const { length } = list;
  spend(length, copying, place?.within, place?.key ?? '');
  const out: Json[] = [];
  for (let i = 0; i < length; i += 1) out.push(copyMember(list[i], copying, place, String(i), depth + 1));
  return Object.freeze(out);
}

function copyMembers(object: object, copying: Copying, place: Place, depth: number): Record<string, Json> {
  const prototype: unknown = Object.getPrototypeOf(object);
  if (prototype !== null && prototype !== Object.prototype)
    throw new JsonProblem(pathOf(place?.within, place?.key ?? ''), 'is not a plain object');
  const out: Record<string, Json> = {};
  for (const key of Object.keys(object)) {
    if (isRefusedKey(key)) throw new JsonProblem(pathOf(place, key), 'is a refused key');
    const member: unknown = Reflect.get(object, key);
    if (member === undefined) continue;
    spendText(key, copying, undefined, '');
    out[key] = copyMember(member, copying, place, key, depth + 1);
  }
  return out;
}

function spend(bytes: number, copying: Copying, within: Place, key: string): void {
  copying.left -= bytes;
  if (copying.left < 0)
    throw new JsonProblem(pathOf(within, key), `makes the whole larger than ${copying.bounds.maxBytes} bytes`);
}

function spendText(text: string, copying: Copying, within: Place, key: string): void {
  const { exempt, maxTextBytes } = copying.bounds;
  const own = exempt !== undefined && isAt(exempt.path, within, key) ? exempt : undefined;
  const max = own?.maxTextBytes ?? maxTextBytes;
  // UTF-8 is at least as long as UTF-16 has units: a huge string is refused without being walked.
  const bytes = text.length > max ? Infinity : utf8Bytes(text);
  if (bytes > max) throw new JsonProblem(pathOf(within, key), `is longer than ${max} bytes`);
  if (own === undefined) spend(bytes + 2, copying, within, key);
}

/** Whether a member is at `path`, dotted: a step for each of its keys at most, however deep the member is. */
function isAt(path: string, within: Place, key: string): boolean {
  if (within === undefined) return path === key;
  const dot = path.length - key.length - 1;
  return dot >= 0 && path[dot] === '.' && path.endsWith(key) && isAt(path.slice(0, dot), within.within, within.key);
}

/** Dotted, and cut where it gets long; empty for the value itself. */
function pathOf(within: Place, key: string): string {
  return join(within === undefined ? '' : pathOf(within.within, within.key), key);
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
      if (isRefusedKey(key)) throw new JsonProblem(key, 'is a refused key');
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
