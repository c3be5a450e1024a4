import { isAgentName } from '../space/scope.ts';
import { invalidParams, quoted } from './protocol-handlers.ts';

/** What a URI of ours names. */
export type ResourceTarget =
  | { readonly kind: 'file'; readonly path: string }
  /** A peer's published best: what it is and which files it has. */
  | { readonly kind: 'strategy'; readonly peer: string }
  /** A file of it, whatever its generation: it stays the same URI when the peer publishes a better one. */
  | { readonly kind: 'strategy-file'; readonly peer: string; readonly path: string }
  /** The newest marks. */
  | { readonly kind: 'marks' }
  | { readonly kind: 'mark'; readonly id: string }
  | { readonly kind: 'standing' };

/** Characters of a URI: a path of 1024 bytes, escaped, and what is before it. */
export const MAX_URI_CHARS = 4096;

export const STANDING_URI = 'hivemark://standing';
export const MARKS_URI = 'hivemark://marks';

/** The URI of a file of the view. */
export function fileUri(path: string): string {
  return `hivemark://files/${escapePath(path)}`;
}

/** The URI of a peer's published best. */
export function strategyUri(peer: string): string {
  return `hivemark://strategies/${peer}`;
}

export function markUri(id: string): string {
  return `hivemark://marks/${escapePath(id)}`;
}

/** Reads a URI of a client's. @throws {McpError} when it is none of ours, saying what ours are */
export function parseResourceUri(uri: string): ResourceTarget {
  const [, kind, rest] = /^hivemark:\/\/([a-z]+)(?:\/(.*))?$/su.exec(uri) ?? [];
  if (kind === undefined) throw noResource(uri);
  const inner = rest === undefined ? undefined : unescapePath(rest);
  if (rest !== undefined && (inner === undefined || inner === '')) throw noResource(uri);
  switch (kind) {
    case 'files':
      if (inner !== undefined) return { kind: 'file', path: inner };
      break;
    case 'strategies':
      return strategyTarget(uri, inner);
    case 'marks':
      return inner === undefined ? { kind: 'marks' } : { kind: 'mark', id: inner };
    case 'standing':
      if (inner === undefined) return { kind: 'standing' };
      break;
  }
  throw noResource(uri);
}

function strategyTarget(uri: string, inner: string | undefined): ResourceTarget {
  const [, peer, path] = /^([^/]+)(?:\/(.+))?$/su.exec(inner ?? '') ?? [];
  if (peer === undefined || !isAgentName(peer)) throw noResource(uri);
  return path === undefined ? { kind: 'strategy', peer } : { kind: 'strategy-file', peer, path };
}

function noResource(uri: string): Error {
  return invalidParams(
    `${quoted(uri)} is not the URI of a resource; they are hivemark://files/<path>, hivemark://strategies/<peer>, hivemark://strategies/<peer>/<path>, ${MARKS_URI}, hivemark://marks/<id> and ${STANDING_URI}`,
  );
}

function escapePath(path: string): string {
  return path.split('/').map(encodeURIComponent).join('/');
}

function unescapePath(escaped: string): string | undefined {
  try {
    return decodeURIComponent(escaped);
  } catch {
    return undefined;
  }
}
