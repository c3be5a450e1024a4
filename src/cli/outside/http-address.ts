import { isIPv6 } from 'node:net';
import { InvalidArgumentError } from 'commander';

/** Where to listen. */
export interface HttpAddress {
  readonly host: string;
  readonly port: number;
}

/** `127.0.0.1:8787`, `[::1]:0`, `localhost:8787` or a port alone. For commander. @throws {InvalidArgumentError} */
export function httpAddress(text: string): HttpAddress {
  const match = /^(?:(?:\[(?<six>[^\]]+)\]|(?<host>[^:[\]]*)):)?(?<port>\d{1,5})$/u.exec(text);
  const port = Number(match?.groups?.['port']);
  const six = match?.groups?.['six'];
  if (match === null || port > 65_535 || (six !== undefined && !isIPv6(six)))
    throw new InvalidArgumentError('give host:port, e.g. 127.0.0.1:8787 (port 0: any that is free)');
  return { host: six ?? (match.groups?.['host'] || '127.0.0.1'), port };
}
