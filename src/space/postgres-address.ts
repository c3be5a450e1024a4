import { readFileSync } from 'node:fs';
import type { ClientConfig } from 'pg';
import { LogUnavailableError } from './log.ts';

/** Where a log is kept, read off a URL. */
export interface PostgresAddress {
  /** What `pg` connects with; holds the password. */
  readonly client: Readonly<ClientConfig>;
  /** `host:port/database`: fit for messages, without user and password. */
  readonly place: string;
  readonly space: string;
}

export const DEFAULT_SPACE = 'main';
const SPACE_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9._/-]{0,98}[A-Za-z0-9])?$/;
const PARAMETERS = ['space', 'sslmode', 'sslrootcert', 'host', 'application_name'];
const SSL_MODES = ['disable', 'no-verify', 'require', 'verify-ca', 'verify-full'];
const FORM = 'postgres://user:password@host:5432/database';

/** Whether `text` is meant as the address of a PostgreSQL log rather than as a file's name. */
export function isPostgresUrl(text: string): boolean {
  return /^postgres(?:ql)?:\/\//iu.test(text);
}

/**
 * Reads `postgres://user:password@host:port/database?space=main&sslmode=require`. Parameters: `space`; `sslmode` (disable: the default;
 * no-verify: encrypted only; require, verify-ca, verify-full: encrypted, certificate and name checked) with `sslrootcert` (a PEM
 * file); `host` (a folder with the server's socket); `application_name`. What is left out comes from the environment: PGUSER, PGPASSWORD ...
 *
 * @throws {LogUnavailableError} for anything else, saying what; never with the URL, which holds a password.
 */
export function parsePostgresUrl(text: string, spaceOption?: string): PostgresAddress {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !isPostgresUrl(text)) throw malformed(`it is not of the form ${FORM}`);
  if (url.hash !== '') throw malformed('there is a # in it; write %23 where a password or name has one');
  for (const name of url.searchParams.keys())
    if (!PARAMETERS.includes(name))
      throw malformed(`it has the parameter ${JSON.stringify(name)}; known are ${PARAMETERS.join(', ')}`);
  const [user, password, database] = [url.username, url.password, url.pathname.slice(1)].map(decoded);
  if (database !== undefined && /[/@]/u.test(database))
    throw malformed('its path is not the name of one database; write %2F and %40 where a password has / or @');
  const space = spaceOption ?? url.searchParams.get('space') ?? DEFAULT_SPACE;
  if (!SPACE_NAME.test(space))
    throw malformed(
      `${JSON.stringify(space)} is not a space: 1 to 100 of A-Z a-z 0-9 . _ / -, first and last a letter or digit`,
    );
  const socket = url.searchParams.get('host');
  if (socket !== null && !socket.startsWith('/'))
    throw malformed('host as a parameter is the folder of a socket: an absolute path');
  const host = socket ?? decoded(url.hostname).replace(/^\[|\]$/gu, '');
  const port = url.port === '' ? undefined : Number(url.port);
  const name = url.searchParams.get('application_name') ?? 'hivemark';
  return {
    client: {
      ...(host !== '' && { host }),
      ...(port !== undefined && { port }),
      ...(user !== undefined && user !== '' && { user }),
      ...(password !== undefined && password !== '' && { password }),
      ...(database !== undefined && database !== '' && { database }),
      application_name: name,
      ...tlsOf(url.searchParams),
    },
    place: `${host === '' ? 'the default host' : host}${port === undefined ? '' : `:${port}`}${database === '' ? '' : `/${database ?? ''}`}`,
    space,
  };
}

function tlsOf(parameters: URLSearchParams): Pick<ClientConfig, 'ssl'> {
  const mode = parameters.get('sslmode');
  const authorities = parameters.get('sslrootcert');
  if (mode === null && authorities === null) return {};
  if (mode !== null && !SSL_MODES.includes(mode))
    throw malformed(`sslmode=${JSON.stringify(mode)} is not one of ${SSL_MODES.join(', ')}`);
  if (mode === 'disable') return { ssl: false };
  if (mode === 'no-verify') return { ssl: { rejectUnauthorized: false } };
  return { ssl: { rejectUnauthorized: true, ...(authorities !== null && { ca: readAuthorities(authorities) }) } };
}

function readAuthorities(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new LogUnavailableError('the file of sslrootcert cannot be read', { cause });
  }
}

function decoded(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw malformed('it has a % that begins no escape; write %25');
  }
}

/** Without a cause: the error of a URL carries the URL. */
function malformed(problem: string): LogUnavailableError {
  return new LogUnavailableError(`the address of the PostgreSQL log cannot be used: ${problem}`);
}
