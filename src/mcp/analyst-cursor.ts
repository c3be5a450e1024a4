import { createHash } from 'node:crypto';
import { z } from 'zod';
import { AnalystError } from './analyst-error.ts';

/** Longest cursor that is looked at. */
export const MAX_CURSOR = 8_192;

/** Arguments that say how much is wanted, not what: they may change from page to page. */
const NOT_BOUND: ReadonlySet<string> = new Set(['cursor', 'limit']);

const envelope = z.strictObject({ v: z.literal(1), q: z.string(), s: z.unknown(), c: z.string() });

/**
 * Where the next page begins, as an opaque text. It holds no secret and no right, only a place and which call it belongs to, so that
 * it outlives the server: whoever forges one reads what he may read anyway, from another place.
 */
export function cursorOf(tool: string, args: Readonly<Record<string, unknown>>, state: unknown): string {
  const q = questionOf(tool, args);
  return Buffer.from(JSON.stringify({ v: 1, q, s: state, c: digest([q, state]) }), 'utf8').toString('base64url');
}

/**
 * The place a cursor names; undefined without one.
 *
 * @throws AnalystError `bad-cursor` for one that no answer to this call had in it
 */
export function stateIn<T>(
  tool: string,
  args: Readonly<Record<string, unknown>> & { readonly cursor?: string | undefined },
  schema: z.ZodType<T>,
): T | undefined {
  const { cursor } = args;
  if (cursor === undefined) return undefined;
  const found = envelope.safeParse(parsed(cursor));
  const state = found.success ? schema.safeParse(found.data.s) : undefined;
  if (!found.success || !state?.success || found.data.c !== digest([found.data.q, found.data.s])) {
    throw new AnalystError(
      'bad-cursor',
      `this cursor was not given by ${tool}; pass nextCursor of its last answer unchanged, or leave cursor out to begin at the start`,
    );
  }
  if (found.data.q !== questionOf(tool, args)) {
    throw new AnalystError(
      'bad-cursor',
      `this cursor belongs to a call with other arguments; repeat the arguments of that call (limit may differ), or leave cursor out to begin at the start`,
    );
  }
  return state.data;
}

/** @throws AnalystError always: what a cursor points at has become different */
export function staleCursor(what: string): never {
  throw new AnalystError(
    'stale-cursor',
    `${what} was written anew since the page before, so its place is lost; leave cursor out to begin at the start`,
  );
}

function questionOf(tool: string, args: Readonly<Record<string, unknown>>): string {
  const bound = Object.entries(args)
    .filter(([name, value]) => !NOT_BOUND.has(name) && value !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return digest([tool, bound]);
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('base64url').slice(0, 16);
}

function parsed(cursor: string): unknown {
  if (cursor.length > MAX_CURSOR || !/^[\w-]+$/u.test(cursor)) return undefined;
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
