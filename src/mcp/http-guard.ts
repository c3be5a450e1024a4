import type { IncomingMessage } from 'node:http';

/** Where a server is reached: what a request may say it is for and from. Lower case, as they stand in the headers. */
export interface Door {
  readonly hosts: ReadonlySet<string>;
  readonly origins: ReadonlySet<string>;
}

const LOOPBACK_NAMES = ['127.0.0.1', 'localhost', '[::1]'];

/** Whether only this machine reaches an address that is listened on. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127(?:\.\d{1,3}){3}$/u.test(host);
}

/** Splits `host:port` as people give it; without a port, every one is meant. @returns lower case; undefined: no host */
function parseHost(text: string): { readonly name: string; readonly port: string | undefined } | undefined {
  const match = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?$/u.exec(text.toLowerCase());
  return match?.[1] === undefined ? undefined : { name: match[1], port: match[2] };
}

/**
 * The door of a server that listens on `port`: the names of this machine if it is bound to loopback, and what was allowed besides.
 * An origin is the server's own (http or https); others are let in by name only.
 *
 * @param allowed `name` or `name:port`; a name without a port is meant with the server's, and with none
 * @throws {RangeError} for an entry that is no host
 */
export function doorOf(
  host: string,
  port: number,
  allowed: readonly string[] = [],
  allowedOrigins: readonly string[] = [],
): Door {
  const hosts = new Set<string>();
  for (const name of isLoopback(host) ? [...LOOPBACK_NAMES, host.includes(':') ? `[${host}]` : host] : []) {
    hosts.add(`${name}:${port}`);
    if (port === 80) hosts.add(name);
  }
  for (const text of allowed) {
    const parsed = parseHost(text);
    if (parsed === undefined) throw new RangeError(`${JSON.stringify(text)} is no host: give a name or name:port`);
    if (parsed.port === undefined) hosts.add(parsed.name);
    hosts.add(`${parsed.name}:${parsed.port ?? port}`);
  }
  const origins = new Set(allowedOrigins.map((origin) => origin.toLowerCase()));
  for (const name of hosts) origins.add(`http://${name}`).add(`https://${name}`);
  return { hosts, origins };
}

/**
 * Why a request must not come in: it was meant for another host, or a page of another origin sent it (DNS rebinding). Compared as
 * they stand, in lower case: nothing is parsed out of them that a browser might see in another way. A request with no Origin is not a page's.
 *
 * @returns undefined when it may
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#security-warning
 */
export function strangerProblem(request: Pick<IncomingMessage, 'url' | 'rawHeaders'>, door: Door): string | undefined {
  // The absolute form would name a second host, and which of the two counts is a matter of taste.
  if (request.url?.startsWith('/') !== true) return 'the request target must be a path';
  const hosts = headersOf(request.rawHeaders, 'host');
  const [host] = hosts;
  if (hosts.length !== 1 || host === undefined) return 'one Host header is needed';
  if (!door.hosts.has(host.toLowerCase())) return 'this Host is not served here';
  const origins = headersOf(request.rawHeaders, 'origin');
  if (origins.some((origin) => !door.origins.has(origin.toLowerCase()))) return 'this Origin is not let in here';
  return undefined;
}

/** All values of a header: `headers` of a request hides that there were two. */
function headersOf(rawHeaders: readonly string[], name: string): readonly string[] {
  return rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === name);
}

/** The token of `Authorization: Bearer <token>`; undefined without one. */
export function bearerOf(request: Pick<IncomingMessage, 'headers'>): string | undefined {
  return /^Bearer +([A-Za-z0-9._~+/=-]{1,512})$/iu.exec(request.headers.authorization ?? '')?.[1];
}
