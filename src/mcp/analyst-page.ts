import { z } from 'zod';
import { isRecord } from '../space/json-value.ts';
import { cursorOf, MAX_CURSOR } from './analyst-cursor.ts';

/** UTF-8 bytes of one answer's structured content; its text says the same again. */
export const MAX_ANSWER_BYTES = 40_000;
export const MAX_LIMIT = 200;
export const DEFAULT_LIMIT = 50;

const MIN_TEXT = 1_000;
const MAX_ELEMENTS = 200;
const MAX_DEPTH = 12;
/** An object of at most so many fields, at most so deep, is taken for one with a shape; others are records of any size. */
const SHAPE_FIELDS = 24;
const SHAPE_DEPTH = 3;
/** Of a text that there is no room for so much stays. */
const MIN_CUT = 40;

/** Arguments of every tool that answers in pages. */
export const PAGE_ARGS = {
  cursor: z
    .string()
    .max(MAX_CURSOR, { error: `a cursor has at most ${MAX_CURSOR} characters` })
    .optional()
    .describe('nextCursor of the answer before, to go on from there. Left out: from the start.'),
  limit: z
    .int()
    .min(1, { error: ({ input }) => `limit ${String(input)} is too small; take 1 to ${MAX_LIMIT}` })
    .max(MAX_LIMIT, { error: ({ input }) => `limit ${String(input)} is too large; take 1 to ${MAX_LIMIT}` })
    .default(DEFAULT_LIMIT)
    .describe('Most rows in the answer. Texts are cut shorter the more rows are asked for.'),
};

/** What every tool that answers in pages gives. */
export function pageShape<R extends z.ZodType>(row: R) {
  return {
    rows: z.array(row),
    nextCursor: z.string().optional().describe('There is more: pass it as cursor. Absent: this was the end.'),
    total: z.int().optional().describe('Of all pages, where it costs nothing to know.'),
    notes: z.array(z.string()).describe('What was cut or left out, and how to get it.'),
  };
}

export interface Page<R> {
  readonly rows: R[];
  readonly nextCursor?: string;
  readonly total?: number;
  readonly notes: string[];
}

/** One row and where the one after it is; or where reading was broken off before a row was found. */
export type Step<R, S> = { readonly row: R; readonly after: S } | { readonly pausedAt: S };

export interface PageRequest<S = unknown> {
  readonly tool: string;
  readonly args: Readonly<Record<string, unknown>> & { readonly limit: number };
  readonly total?: number;
  readonly notes?: readonly string[];
  /** What a cursor holds of a place, where that is more than the place. */
  readonly stateAt?: (place: S) => Promise<unknown>;
}

/**
 * Takes rows until the page is full by number or by bytes. The state of its cursor is where the last row that went in ends, so that
 * pages together hold every row once. A single row that is too large is cut.
 */
export async function pageOf<R, S>(
  { tool, args, total, notes = [], stateAt }: PageRequest<S>,
  steps: AsyncIterable<Step<R, S>> | Iterable<Step<R, S>>,
): Promise<Page<R>> {
  const rows: R[] = [];
  const maxText = Math.max(MIN_TEXT, Math.floor(MAX_ANSWER_BYTES / 2 / args.limit));
  let bytes = 0;
  let cuts = 0;
  let last: S | undefined;
  let next: S | undefined;
  let paused = false;
  for await (const step of steps) {
    if ('pausedAt' in step) {
      next = step.pausedAt;
      paused = true;
      break;
    }
    if (rows.length === args.limit) {
      next = last;
      break;
    }
    const cut = clip(step.row, maxText);
    const size = byteLength(cut.value);
    if (rows.length > 0 && bytes + size > MAX_ANSWER_BYTES) {
      next = last;
      break;
    }
    rows.push(cut.value);
    bytes += size;
    cuts += cut.cuts;
    last = step.after;
  }
  const said = [
    ...notes,
    ...(cuts > 0
      ? [`${cuts} texts or lists were cut; ask with a smaller limit (1 cuts least) or for fewer columns for more`]
      : []),
    ...(paused ? ['reading was paused after much that did not match; go on with nextCursor'] : []),
  ];
  return {
    rows,
    ...(next !== undefined && { nextCursor: cursorOf(tool, args, stateAt ? await stateAt(next) : next) }),
    ...(total !== undefined && { total }),
    notes: said,
  };
}

/** A part of a long text, with the offset of what comes after it; never half a character. */
export function partOf(
  text: string,
  offset: number,
  maxBytes: number,
): { readonly part: string; readonly next?: number } {
  const start = isLow(text, offset) ? offset - 1 : offset;
  let end = Math.min(text.length, start + maxBytes);
  // Escaped as JSON a character may take up to six bytes; lines of code seldom do.
  while (end > start + 1 && byteLength(text.slice(start, end)) > maxBytes)
    end = start + Math.floor((end - start) * 0.8);
  if (end < text.length && isLow(text, end)) end--;
  return { part: text.slice(start, end), ...(end < text.length && { next: end }) };
}

function isLow(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return at > 0 && code >= 0xdc00 && code <= 0xdfff;
}

/**
 * A value with its long texts and lists cut, and with how many were: small enough for an answer whatever it is, in time that does not
 * grow with what is cut. Fields of small objects stay, so that what has a shape keeps it; only what a row's own fields hold may become
 * a note.
 */
export function clip<T>(value: T, maxText: number): { readonly value: T; readonly cuts: number } {
  const found = { cuts: 0, left: MAX_ANSWER_BYTES * 0.9 };
  let cut = clipped(value, maxText, 0, found);
  if (byteLength(cut) > MAX_ANSWER_BYTES && isRecord(cut)) {
    const share = MAX_ANSWER_BYTES / (Object.keys(cut).length + 1);
    cut = Object.fromEntries(
      Object.entries(cut).map(([key, one]) => [key, byteLength(one) > share ? '[too large to show]' : one]),
    );
  }
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- cut texts are texts, cut lists are lists
  return { value: cut as T, cuts: found.cuts };
}

/** What is left of an answer, and what was cut so far. */
interface Clipping {
  cuts: number;
  left: number;
}

function clipped(value: unknown, maxText: number, depth: number, found: Clipping): unknown {
  if (typeof value === 'string') return clippedText(value, maxText, found);
  if (typeof value !== 'object' || value === null) {
    found.left -= 8;
    return value;
  }
  if (depth === MAX_DEPTH) {
    found.cuts++;
    return '[deeper]';
  }
  if (Array.isArray(value)) {
    const kept: unknown[] = [];
    for (const one of value as readonly unknown[]) {
      if (kept.length === MAX_ELEMENTS || found.left <= 0) break;
      kept.push(clipped(one, maxText, depth + 1, found));
    }
    if (kept.length < value.length) found.cuts++;
    return kept;
  }
  const kept: [string, unknown][] = [];
  const keys = Object.keys(value);
  const isShape = keys.length <= SHAPE_FIELDS && depth <= SHAPE_DEPTH;
  for (const key of keys) {
    if (!isShape && depth > 0 && (kept.length === MAX_ELEMENTS || found.left <= 0)) break;
    found.left -= key.length + 3;
    const one: unknown = Reflect.get(value, key);
    kept.push([key.slice(0, MIN_TEXT), clipped(one, maxText, depth + 1, found)]);
  }
  if (kept.length < keys.length) found.cuts++;
  return Object.fromEntries(kept);
}

function clippedText(text: string, maxText: number, found: Clipping): string {
  let length = Math.min(text.length, maxText);
  while (length > MIN_CUT && byteLength(text.slice(0, length)) > found.left) length = Math.floor(length / 2);
  if (length < text.length && isLow(text, length)) length--;
  const kept = text.slice(0, length);
  found.left -= byteLength(kept);
  if (length === text.length) return text;
  found.cuts++;
  return `${kept}... [${text.length - length} more characters]`;
}

/** UTF-8 bytes of the JSON of a value. */
export function byteLength(value: unknown): number {
  return Buffer.byteLength(JSON.stringify(value) ?? '');
}
