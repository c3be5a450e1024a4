import type { StoredRecord } from './chain.ts';
import { CorruptLogError, type LogHead, LogWriteError } from './log.ts';
import type { PostgresConnection } from './postgres-connection.ts';
import { channelOf, lockHead, noticeOf, readHead, type StoredHead } from './postgres-head.ts';
import { type PostgresSession, SessionLostError, StatementError } from './postgres-session.ts';

/** What became of records to store: they are durable; the space had moved on; or some keys were there already (none was stored). */
export type Stored =
  | { readonly what: 'stored' }
  | { readonly what: 'moved'; readonly head: StoredHead }
  | { readonly what: 'duplicates'; readonly keys: readonly string[] };

/** How long a turn is kept for a writer that was told to catch up, and when the server takes it from one that hangs, in milliseconds. */
export const TURN_MS = 1_000;
const TURN_LIMIT_MS = 2 * TURN_MS;

/**
 * One statement, so one round trip and one commit: the space's end moves only from where the caller decided, and only with it are the
 * records stored and announced. Writers of a space wait for each other at the row of `spaces`.
 */
const STORE = `WITH moved AS (
  UPDATE hivemark.spaces SET seq = $4, hash = $5, writer = $6 WHERE space = $1 AND seq = $2::bigint AND hash = $3 RETURNING space
), stored AS (
  INSERT INTO hivemark.log (space, seq, hash, prev, key, key_id, body)
  SELECT moved.space, $2::bigint + fresh.n, fresh.hash, lag(fresh.hash, 1, $3) OVER (ORDER BY fresh.n), fresh.key,
         sha256(convert_to(fresh.key, 'UTF8')), fresh.body
  FROM moved, unnest($7::text[], $8::text[], $9::text[]) WITH ORDINALITY AS fresh(hash, key, body, n)
)
SELECT pg_notify($10, $11) FROM moved`;

const KNOWN_KEYS = `SELECT key FROM hivemark.log WHERE space = $1
  AND key_id IN (SELECT sha256(convert_to(asked, 'UTF8')) FROM unnest($2::text[]) AS asked)`;

/** Stores the records of one log object in one space. One call at a time. */
export class PostgresWriter {
  readonly #connection: PostgresConnection;
  readonly #space: string;
  readonly #writer: string;
  /** The session whose open transaction holds the space for us. */
  #turn: PostgresSession | undefined;

  constructor(connection: PostgresConnection, space: string, writer: string) {
    this.#connection = connection;
    this.#space = space;
    this.#writer = writer;
  }

  /**
   * Stores `records`, which follow `base`, all or none. When an attempt's outcome is unknown the same attempt is made again: it cannot
   * count twice, because the space has moved on if it had counted, and the record at its last position then has its last hash.
   *
   * @throws {LogWriteError} when the log cannot be written; {CorruptLogError} when the database lost what it had.
   */
  async store(base: LogHead, records: readonly StoredRecord[]): Promise<Stored> {
    const last = records.at(-1);
    if (last === undefined) return { what: 'stored' };
    const end: StoredHead = { seq: last.seq, hash: last.hash, writer: this.#writer };
    let isUnknown = false;
    try {
      return await this.#connection.use(async (session): Promise<Stored> => {
        try {
          if (await this.#attempt(session, base, end, records)) return { what: 'stored' };
        } catch (error) {
          if (error instanceof SessionLostError) isUnknown = true;
          if (!(error instanceof StatementError) || error.sqlState !== '23505') throw error;
          return await this.#duplicates(session, base, records, error);
        }
        return await this.#whatHappened(session, base, end);
      });
    } catch (error) {
      if (error instanceof CorruptLogError || error instanceof LogWriteError) throw error;
      const reason = error instanceof Error ? error.message : String(error);
      const outcome = isUnknown
        ? 'whether this append counts is seen when the space is opened again'
        : 'nothing of this append counts';
      throw new LogWriteError(`the log could not be written: ${reason}; ${outcome}`, { cause: error });
    }
  }

  /** Whether the space moved from `base` to `end`, durably. */
  async #attempt(
    session: PostgresSession,
    base: LogHead,
    end: StoredHead,
    records: readonly StoredRecord[],
  ): Promise<boolean> {
    const values = [
      this.#space,
      base.seq,
      base.hash,
      end.seq,
      end.hash,
      end.writer,
      records.map(({ hash }) => hash),
      records.map(({ key }) => key),
      records.map(({ body }) => body),
      channelOf(this.#space),
      noticeOf(end),
    ];
    const inTurn = this.#turn === session;
    this.#turn = undefined;
    if (!inTurn) return (await session.query(STORE, values, 'hivemark-store')).length === 1;
    try {
      const moved = (await session.query(STORE, values, 'hivemark-store')).length === 1;
      await session.run(moved ? 'COMMIT' : 'ROLLBACK');
      return moved;
    } catch (error) {
      if (!session.lost) await session.run('ROLLBACK');
      throw error;
    }
  }

  /** The space was not at `base`: because an attempt of ours had counted, or because others wrote. */
  async #whatHappened(session: PostgresSession, base: LogHead, end: StoredHead): Promise<Stored> {
    const [row] = await session.query('SELECT hash FROM hivemark.log WHERE space = $1 AND seq = $2', [
      this.#space,
      end.seq,
    ]);
    if (row?.[0] === end.hash) return { what: 'stored' };
    const head = await readHead(session, this.#space);
    if (head.seq < base.seq || (head.seq === base.seq && head.hash !== base.hash))
      throw new CorruptLogError(
        head.seq + 1,
        `the database ends here, but had records up to ${base.seq}: it was set back`,
      );
    return { what: 'moved', head };
  }

  async #duplicates(
    session: PostgresSession,
    base: LogHead,
    records: readonly StoredRecord[],
    refusal: StatementError,
  ): Promise<Stored> {
    const rows = await session.query(KNOWN_KEYS, [this.#space, records.map(({ key }) => key)]);
    if (rows.length > 0) return { what: 'duplicates', keys: rows.map(([key]) => String(key)) };
    // Not a key: a record beyond the space's end. Unless it came to its end in between.
    const head = await readHead(session, this.#space);
    if (head.seq !== base.seq) return { what: 'moved', head };
    throw new CorruptLogError(base.seq + 1, `it is beyond the end of its space (${refusal.constraint ?? 'unique'})`);
  }

  /** Holds the space so that the next `store` finds it as it is now; for {@link TURN_MS}, by the caller's clock. */
  async takeTurn(): Promise<StoredHead> {
    return this.#connection.use(async (session) => {
      if (this.#turn === session) return lockHead(session, this.#space);
      try {
        await session.run(`BEGIN; SET LOCAL idle_in_transaction_session_timeout = ${TURN_LIMIT_MS}`);
        const head = await lockHead(session, this.#space);
        this.#turn = session;
        return head;
      } catch (error) {
        if (!session.lost) await session.run('ROLLBACK');
        throw error;
      }
    });
  }

  /** Lets others write again. */
  async giveUpTurn(): Promise<void> {
    const session = this.#turn;
    this.#turn = undefined;
    // A lost session has lost its turn, too.
    if (session !== undefined && !session.lost) await session.run('ROLLBACK').catch(() => session.drop());
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}
