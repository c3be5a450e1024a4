import { createHash } from 'node:crypto';
import { CorruptLogError, GENESIS_HASH, type LogHead, LogUnavailableError } from './log.ts';
import type { PostgresAddress } from './postgres-address.ts';
import { type PostgresSession, StatementError } from './postgres-session.ts';

/** Where a space ends in the database, and which log object wrote its last record. */
export interface StoredHead extends LogHead {
  readonly writer: string;
}

const HEAD = 'SELECT seq, hash, writer FROM hivemark.spaces WHERE space = $1';

/** @throws {CorruptLogError} when there is no such space any more. */
export async function readHead(session: PostgresSession, space: string): Promise<StoredHead> {
  return headOf((await session.query(HEAD, [space], 'hivemark-head'))[0]);
}

/** Waits until nobody else writes to the space, and keeps it so until the transaction ends. */
export async function lockHead(session: PostgresSession, space: string): Promise<StoredHead> {
  return headOf((await session.query(`${HEAD} FOR UPDATE`, [space]))[0]);
}

function headOf(row: readonly unknown[] | undefined): StoredHead {
  if (row === undefined) throw new CorruptLogError(1, 'the space is no longer in the database');
  return { seq: Number(row[0]), hash: String(row[1]), writer: String(row[2]) };
}

/** The channel on which the records of a space are announced. */
export function channelOf(space: string): string {
  return `hivemark_${createHash('sha256').update(space).digest('hex').slice(0, 32)}`;
}

export function noticeOf(head: StoredHead): string {
  return `${head.seq} ${head.hash} ${head.writer}`;
}

/** What a notice says; undefined for one that is not of a log (anybody in the database may send). */
export function parseNotice(notice: string): StoredHead | undefined {
  const match = /^(\d{1,15}) ([0-9a-f]{64}) (\S{1,64})$/u.exec(notice);
  const [, seq, hash, writer] = match ?? [];
  return seq === undefined || hash === undefined || writer === undefined
    ? undefined
    : { seq: Number(seq), hash, writer };
}

/** Makes the space if it is not there. @throws {LogUnavailableError} when that may not be. */
export async function makeSpace(session: PostgresSession, { place, space }: PostgresAddress): Promise<void> {
  const make = "INSERT INTO hivemark.spaces VALUES ($1, 0, $2, '-') ON CONFLICT (space) DO NOTHING";
  await session.query(make, [space, GENESIS_HASH]).catch((error: unknown) => {
    throw refused(error, `the space ${space} at ${place} cannot be written`, 'open it for reading, or ');
  });
}

/** What an error is to whoever opens a space: a statement that the database refused is told with the way out. */
function refused(error: unknown, what: string, otherWay = ''): unknown {
  if (!(error instanceof StatementError)) return error;
  const advice = `${otherWay}have the right granted`;
  return new LogUnavailableError(`${what}: ${error.message} (${error.sqlState}); ${advice}`, { cause: error });
}

/**
 * Where a space ends, and that its newest record is there.
 *
 * @throws {LogUnavailableError} when there is no such space, or it may not be read; {CorruptLogError} when its newest record is not the one it ends with.
 */
export async function readEnd(session: PostgresSession, { place, space }: PostgresAddress): Promise<StoredHead> {
  const rows = session.query(
    `SELECT ended.seq, ended.hash, ended.writer, newest.seq, newest.hash FROM hivemark.spaces AS ended
     LEFT JOIN LATERAL (SELECT seq, hash FROM hivemark.log WHERE space = ended.space ORDER BY seq DESC LIMIT 1) AS newest ON true
     WHERE ended.space = $1`,
    [space],
  );
  const [row] = await rows.catch((error: unknown) => {
    throw refused(error, `the space ${space} at ${place} cannot be read`);
  });
  if (row === undefined)
    throw new LogUnavailableError(`there is no space ${space} at ${place}; open it for writing once, or name another`);
  const head: StoredHead = { seq: Number(row[0]), hash: String(row[1]), writer: String(row[2]) };
  const newest: LogHead =
    row[3] === null ? { seq: 0, hash: GENESIS_HASH } : { seq: Number(row[3]), hash: String(row[4]) };
  if (newest.seq !== head.seq || newest.hash !== head.hash)
    throw new CorruptLogError(
      Math.min(newest.seq, head.seq) + 1,
      `the space ends at ${head.seq}, its newest record is ${newest.seq}`,
    );
  return head;
}
