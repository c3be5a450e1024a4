import { setTimeout as sleep } from 'node:timers/promises';
import { LogUnavailableError } from './log.ts';
import { type PostgresSession, SessionLostError, StatementError, UnavailableNow } from './postgres-session.ts';

/** Waiting times between attempts, in milliseconds: doubled each time. */
const FIRST_WAIT_MS = 50;
const LONGEST_WAIT_MS = 2_000;
/** Refusals that another attempt may not meet: cancelled by a timeout, lock not to be had, serialization, deadlock. */
const REPEATABLE = new Set(['57014', '55P03', '40001', '40P01']);

/** How long to wait before attempt number `attempt` (1 = the first repetition), in milliseconds. */
export function waitBefore(attempt: number): number {
  return Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (attempt - 1));
}

/** A session that is opened when it is needed and opened again when it was lost. */
export class PostgresConnection {
  readonly #open: () => Promise<PostgresSession>;
  readonly #giveUpAfterMs: number;
  #session: PostgresSession | undefined;
  #opening: Promise<PostgresSession> | undefined;
  readonly #closing = new AbortController();

  constructor(open: () => Promise<PostgresSession>, giveUpAfterMs: number, session?: PostgresSession) {
    this.#open = open;
    this.#giveUpAfterMs = giveUpAfterMs;
    this.#session = session;
  }

  /**
   * Does `work` on the session, and does it again, on a new one where need be, when the connection was lost or the refusal may pass.
   * So `work` must be right to repeat when nobody knows whether it was done.
   *
   * @throws what the last attempt threw: {StatementError}, or {LogUnavailableError} once `giveUpAfterMs` have passed.
   */
  async use<T>(work: (session: PostgresSession) => Promise<T>): Promise<T> {
    const deadline = performance.now() + this.#giveUpAfterMs;
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await work(await this.#current());
      } catch (error) {
        const isOver = this.#closing.signal.aborted || performance.now() + waitBefore(attempt) > deadline;
        if (!mayPass(error) || isOver) throw plain(error);
      }
      await sleep(waitBefore(attempt), undefined, { signal: this.#closing.signal }).catch(() => undefined);
    }
  }

  async #current(): Promise<PostgresSession> {
    if (this.#closing.signal.aborted) throw new LogUnavailableError('the log is closed');
    if (this.#session !== undefined && !this.#session.lost) return this.#session;
    this.#opening ??= this.#open().finally(() => {
      this.#opening = undefined;
    });
    this.#session = await this.#opening;
    return this.#session;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    const opened = await this.#opening?.catch(() => undefined);
    await (opened ?? this.#session)?.close();
  }
}

function mayPass(error: unknown): boolean {
  if (error instanceof SessionLostError) return true;
  if (error instanceof UnavailableNow) return error.passing;
  return error instanceof StatementError && REPEATABLE.has(error.sqlState);
}

function plain(error: unknown): unknown {
  return error instanceof SessionLostError ? new LogUnavailableError(error.message, { cause: error }) : error;
}
