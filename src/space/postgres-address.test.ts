import { describe, expect, it } from 'vitest';
import { LogUnavailableError } from './log.ts';
import { parsePostgresUrl } from './postgres-address.ts';

describe('the address of a PostgreSQL log', () => {
  it('is read with its space, and shown without user and password', () => {
    const address = parsePostgresUrl('postgresql://me:s%40cret@db.example:5433/marks?space=lab/one&sslmode=no-verify');
    expect(address).toMatchObject({
      client: { host: 'db.example', port: 5433, user: 'me', password: 's@cret', database: 'marks' },
      place: 'db.example:5433/marks',
      space: 'lab/one',
    });
    expect(address.client.ssl).toEqual({ rejectUnauthorized: false });
    expect(parsePostgresUrl('postgres:///marks?host=/run/postgresql', 'other')).toMatchObject({
      client: { host: '/run/postgresql', database: 'marks' },
      space: 'other',
    });
  });

  it.each([
    ['another protocol', 'mysql://u:hunter2@h/d', /not of the form postgres:/u],
    ['a # that was not escaped', 'postgres://u:12#hunter2@h/d', /write %23/u],
    ['a / that was not escaped', 'postgres://u:12/hunter2@h/d', /%2F/u],
    ['a % that was not escaped', 'postgres://u:hunter2%zz@h/d', /write %25/u],
    ['no port', 'postgres://u:hunter2@h:port/d', /not of the form/u],
    [
      'an unknown parameter',
      'postgres://u:hunter2@h/d?sslmod=require',
      /parameter "sslmod"; known are space, sslmode/u,
    ],
    ['an unknown mode', 'postgres://u:hunter2@h/d?sslmode=on', /"on" is not one of disable/u],
    ['no space', 'postgres://u:hunter2@h/d?space=a%20b', /"a b" is not a space/u],
  ])('with %s is refused without being shown', (_, text, problem) => {
    expect(() => parsePostgresUrl(text)).toThrow(LogUnavailableError);
    expect(() => parsePostgresUrl(text)).toThrow(problem);
    let message = '';
    try {
      parsePostgresUrl(text);
    } catch (error) {
      message = JSON.stringify(error, Object.getOwnPropertyNames(error));
    }
    expect(message).not.toContain('hunter2');
  });
});
