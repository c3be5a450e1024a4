import type { Json } from '../space/marks.ts';
import type { ToolCall } from './model.ts';

/** Characters of one call's arguments; what is longer is not parsed. The largest honest call writes one file of 64 KiB. */
export const MAX_ARGUMENT_CHARS = 1024 * 1024;
/** Levels of nesting; deeper values cannot be written as JSON again without risking the stack. */
export const MAX_ARGUMENT_DEPTH = 64;
/** What is kept of arguments that are malformed by size. */
const KEPT_CHARS = 2000;
/** Tool calls of one reply. */
export const MAX_CALLS = 128;

/** Text that arrives in pieces, kept up to a limit and counted to its end. */
export class BoundedText {
  readonly #limit: number;
  #pieces: string[] = [];
  #kept = 0;
  /** Characters received. */
  chars = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  add(piece: string): void {
    this.chars += piece.length;
    const room = this.#limit - this.#kept;
    if (room <= 0 || piece === '') return;
    const part = piece.length <= room ? piece : piece.slice(0, room);
    this.#pieces.push(part);
    this.#kept += part.length;
  }

  get whole(): boolean {
    return this.chars <= this.#limit;
  }

  /** What was kept. */
  get text(): string {
    if (this.#pieces.length > 1) this.#pieces = [this.#pieces.join('')];
    return this.#pieces[0] ?? '';
  }
}

/** A tool call as it came over the wire, before anything about it is believed. */
export interface RawCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: BoundedText;
}

/**
 * Turns wire calls into tool calls, in order. Arguments that are not one JSON object of bounded size and depth are
 * `malformed` (no arguments at all mean `{}`). A call sent twice, same id, name and arguments, is one call; different
 * calls under one id, and calls without one, get ids of their own, distinct from `taken` too.
 */
export function toolCallsOf(raw: readonly RawCall[], taken: ReadonlySet<string> = new Set()): ToolCall[] {
  const ids = new Set(taken);
  const seen = new Map<string, string>();
  const calls: ToolCall[] = [];
  for (const { id, name, arguments: text } of raw) {
    const content = `${name}\n${text.chars}\n${text.text}`;
    if (id !== '' && seen.get(id) === content) continue;
    if (id !== '' && !seen.has(id)) seen.set(id, content);
    const own = freeId(id, calls.length + 1, ids);
    ids.add(own);
    calls.push({ id: own, name, ...parseArguments(text) });
  }
  return calls;
}

function freeId(id: string, position: number, ids: ReadonlySet<string>): string {
  const base = id === '' || id.length > 128 ? `call_${position}` : id;
  if (!ids.has(base)) return base;
  let n = 2;
  while (ids.has(`${base}_${n}`)) n += 1;
  return `${base}_${n}`;
}

function parseArguments(raw: BoundedText): Pick<ToolCall, 'arguments' | 'malformed'> {
  const text = raw.text;
  if (!raw.whole) {
    const start = text.slice(0, KEPT_CHARS).toWellFormed();
    return { arguments: {}, malformed: `${start}... (${raw.chars} characters; at most ${MAX_ARGUMENT_CHARS})` };
  }
  if (text.trim() === '') return { arguments: {} };
  try {
    const value: unknown = JSON.parse(text);
    if (isJsonObject(value) && depthWithin(value, MAX_ARGUMENT_DEPTH)) return { arguments: value };
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
  }
  return {
    arguments: {},
    malformed: text.length <= KEPT_CHARS ? text : `${text.slice(0, KEPT_CHARS).toWellFormed()}...`,
  };
}

/** What JSON.parse gave, and an object (not an array, not null). */
function isJsonObject(value: unknown): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function depthWithin(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  return levels > 0 && Object.values(value).every((field) => depthWithin(field, levels - 1));
}

/** A call's arguments as they are sent back in a conversation: malformed ones as an object that says so, valid JSON everywhere. */
export function sentArguments(call: ToolCall): { readonly [key: string]: Json } {
  if (call.malformed !== undefined) return { malformed_arguments: call.malformed.toWellFormed() };
  return isJsonObject(call.arguments) ? call.arguments : { value: call.arguments };
}

/** A call's tool name as it is sent back: providers refuse a whole conversation for one invented name with a space in it. */
export function sentName(name: string): string {
  return name.replace(/[^A-Za-z0-9_-]/g, '_').slice(0, 64) || 'unknown';
}
