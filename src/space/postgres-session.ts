import { Socket } from 'node:net';
import { Client, DatabaseError } from 'pg';
import { LogUnavailableError } from './log.ts';
import type { PostgresAddress } from './postgres-address.ts';

/** How long a connection and a statement may take, in milliseconds. */
export interface PostgresTimeouts {
  readonly connectTimeoutMs: number;
  readonly statementTimeoutMs: number;
}

/** The server refused a statement and undid it: `sqlState` says why. @see https://www.postgresql.org/docs/current/errcodes-appendix.html */
export class StatementError extends Error {
  override readonly name = 'StatementError';
  readonly sqlState: string;
  readonly constraint: string | undefined;
  constructor(message: string, sqlState: string, constraint: string | undefined) {
    super(message);
    this.sqlState = sqlState;
    this.constraint = constraint;
  }
}

/** The connection broke or went silent: what was sent may or may not have been done. The session is of no further use. */
export class SessionLostError extends Error {
  override readonly name = 'SessionLostError';
}

/** Beyond the server's own timeout, so that its answer comes first where it can. */
const GRACE_MS = 1_000;
/** What the server gives up on: 57P01 shut down by an administrator, 57P02 crashed, 25P03 and 57P05 idle too long; class 08: the connection. */
const ENDING_STATES = /^(?:08|57P0[125]|25P03)/u;
/** Refusals that pass by themselves: starting up or shutting down, too many connections. */
const PASSING_STATES = /^(?:57P03|53300|57P0[12]|08)/u;

/**
 * One connection, set up for a log: read committed, durable commits, UTF-8, a limit on every statement (the server's, and one of our
 * own for when nothing comes back), TCP keep-alive. Statements run one after the other.
 */
export class PostgresSession {
  readonly #client: Client;
  readonly #socket: () => Socket | undefined;
  readonly #timeoutMs: number;
  #lost: SessionLostError | undefined;
  readonly #onLost = new Set<(error: SessionLostError) => void>();

  private constructor(client: Client, socket: () => Socket | undefined, timeoutMs: number) {
    this.#client = client;
    this.#socket = socket;
    this.#timeoutMs = timeoutMs;
    client.on('error', (error) => this.#lose(error.message));
    client.on('end', () => this.#lose('it was closed'));
  }

  /** @throws {LogUnavailableError}; its `passing` field says whether trying again may help. */
  static async open(address: PostgresAddress, timeouts: PostgresTimeouts, readOnly = false): Promise<PostgresSession> {
    let socket: Socket | undefined;
    const client = new Client({
      ...address.client,
      // Ours, so that a silent connection can be dropped without asking it.
      stream: () => (socket = new Socket()),
      connectionTimeoutMillis: timeouts.connectTimeoutMs,
      statement_timeout: timeouts.statementTimeoutMs,
      keepAlive: true,
      keepAliveInitialDelayMillis: 10_000,
    });
    const session = new PostgresSession(client, () => socket, timeouts.statementTimeoutMs);
    try {
      await client.connect();
      await session.query(
        `SELECT set_config('default_transaction_isolation', 'read committed', false),
                set_config('client_min_messages', 'error', false),
                CASE current_setting('synchronous_commit') WHEN 'off' THEN set_config('synchronous_commit', 'on', false) END,
                CASE WHEN $1 THEN set_config('default_transaction_read_only', 'on', false) END`,
        [readOnly],
      );
      return session;
    } catch (error) {
      session.drop();
      throw connectFailure(error, address);
    }
  }

  get lost(): boolean {
    return this.#lost !== undefined;
  }

  /**
   * The rows of one statement, each as an array; 64-bit integers come as text.
   *
   * @throws {StatementError} when it was refused and undone; {SessionLostError} when nobody knows.
   */
  async query(text: string, values: readonly unknown[] = [], name?: string): Promise<readonly (readonly unknown[])[]> {
    if (this.#lost !== undefined) throw this.#lost;
    const { promise: lost, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      this.#lose(`no answer within ${this.#timeoutMs + GRACE_MS} ms`);
    }, this.#timeoutMs + GRACE_MS);
    this.#onLost.add(reject);
    try {
      const query = { text, values: [...values], rowMode: 'array' as const, ...(name !== undefined && { name }) };
      const result = await Promise.race([this.#client.query<unknown[]>(query), lost]);
      return result.rows;
    } catch (error) {
      if (!(error instanceof DatabaseError) || error.code === undefined)
        throw this.#lose(error instanceof Error ? error.message : 'unknown');
      if (ENDING_STATES.test(error.code)) throw this.#lose(error.message);
      throw new StatementError(error.message, error.code, error.constraint);
    } finally {
      clearTimeout(timer);
      this.#onLost.delete(reject);
    }
  }

  /** Several statements without values, separated by `;`, in one round trip. */
  async run(text: string): Promise<void> {
    await this.query(text);
  }

  onNotification(listener: (payload: string) => void): void {
    this.#client.on('notification', ({ payload }) => listener(payload ?? ''));
  }

  /** Calls `listener` once, when the session is lost. */
  onLost(listener: () => void): void {
    if (this.#lost !== undefined) listener();
    else this.#onLost.add(listener);
  }

  /** Says good-bye, and hangs up if that is not heard in time. */
  async close(): Promise<void> {
    if (this.#lost !== undefined) return;
    const timer = setTimeout(() => this.drop(), GRACE_MS);
    await this.#client.end().catch(() => undefined);
    clearTimeout(timer);
    this.drop();
  }

  /** Hangs up. What was under way fails with a {@link SessionLostError}. */
  drop(): void {
    this.#lose('it was dropped');
  }

  #lose(reason: string): SessionLostError {
    if (this.#lost === undefined) {
      this.#lost = new SessionLostError(`the connection to PostgreSQL was lost: ${reason}`);
      const waiting = [...this.#onLost];
      this.#onLost.clear();
      for (const tell of waiting) tell(this.#lost);
    }
    this.#socket()?.destroy();
    return this.#lost;
  }
}

const UNTRUSTED = /certificate|altname/iu;

function connectFailure(error: unknown, { place }: PostgresAddress): LogUnavailableError {
  if (error instanceof LogUnavailableError) return error;
  const state = stateOf(error);
  const message = error instanceof Error ? error.message : 'unknown';
  const code = error instanceof Error && 'code' in error ? String(error.code) : message;
  const says = (problem: string): LogUnavailableError => new UnavailableNow(problem, PASSING_STATES.test(state ?? ''));
  if (state !== undefined) {
    if (state === '3D000') return says(`there is no such database at ${place}; make it with createdb, or name another`);
    if (state === '28P01') return says(`PostgreSQL at ${place} refused the user or the password`);
    if (state === '28000' && /no encryption/u.test(message))
      return says(`PostgreSQL at ${place} asks for TLS; add sslmode=require to the address`);
    return says(`PostgreSQL at ${place} refused the connection: ${message} (${state})`);
  }
  if (message.includes('password must be a string'))
    return says(`PostgreSQL at ${place} asks for a password; put one into the address or into PGPASSWORD`);
  if (message.includes('does not support SSL'))
    return says(`PostgreSQL at ${place} does not speak TLS; use sslmode=disable only on a network you trust`);
  if (UNTRUSTED.test(message) || UNTRUSTED.test(code))
    return says(
      `the certificate of PostgreSQL at ${place} is not trusted (${code}); name its authority with sslrootcert`,
    );
  return new UnavailableNow(
    `PostgreSQL at ${place} cannot be reached (${code}); is it running, and is the address right?`,
    true,
  );
}

function stateOf(error: unknown): string | undefined {
  if (error instanceof StatementError) return error.sqlState;
  return error instanceof DatabaseError ? error.code : undefined;
}

/** `passing`: trying again may help. */
export class UnavailableNow extends LogUnavailableError {
  readonly passing: boolean;
  constructor(message: string, passing: boolean) {
    super(message);
    this.passing = passing;
  }
}
