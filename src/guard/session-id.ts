import type { MarkId } from '../space/marks.ts';
import { lastSlash } from '../space/scope.ts';

/** `<run>/<agent>/<epoch>` of an id that a session made. */
export function sessionOf(id: MarkId | string): string {
  return id.slice(0, lastSlash(id));
}

/** The `<epoch>` of an id that a session made. */
export function epochOf(id: MarkId): string {
  const end = lastSlash(id);
  return id.slice(lastSlash(id, end) + 1, end);
}
