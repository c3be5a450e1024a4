import { invalidParams } from './protocol-handlers.ts';

/** A cursor is what the next page starts after, in base64url: opaque for clients, and checked when it comes back. */
export function cursorOf(after: string): string {
  return Buffer.from(after, 'utf8').toString('base64url');
}

/** What a cursor says; undefined when it is none of ours. */
export function readCursor(cursor: string): string | undefined {
  const after = Buffer.from(cursor, 'base64url').toString('utf8');
  return cursorOf(after) === cursor ? after : undefined;
}

/** The error for a cursor that no list gave, where the protocol itself pages. */
export function badCursor(): Error {
  return invalidParams('cursor is not one that this list gave; start again without it');
}
