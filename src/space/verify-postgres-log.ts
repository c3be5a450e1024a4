import { badRecord, ChainWalk, type Verification } from './chain-walk.ts';
import { type LogHead, LogUnavailableError } from './log.ts';
import { parsePostgresUrl } from './postgres-address.ts';
import type { PostgresLogOptions } from './postgres-log.ts';
import { readHead } from './postgres-head.ts';
import { readPage } from './postgres-pages.ts';
import { tablesProblem } from './postgres-schema.ts';
import { PostgresSession, StatementError } from './postgres-session.ts';

export type VerifyPostgresOptions = Pick<PostgresLogOptions, 'space' | 'statementTimeoutMs' | 'connectTimeoutMs'>;

/**
 * `verifyLog` for a space in PostgreSQL: the same walk, the same answers, of one snapshot, beside live writers, writing nothing. Also
 * checked are where the space is said to end and the ids by which keys are found. Damage is an answer, never an exception.
 */
export async function verifyPostgresLog(
  url: string,
  anchors: readonly LogHead[] = [],
  options: VerifyPostgresOptions = {},
): Promise<Verification> {
  let session: PostgresSession | undefined;
  try {
    const address = parsePostgresUrl(url, options.space);
    const { connectTimeoutMs = 10_000, statementTimeoutMs = 60_000 } = options;
    session = await PostgresSession.open(address, { connectTimeoutMs, statementTimeoutMs }, true);
    await session.run('BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY');
    return await verify(session, address.space, anchors);
  } catch (error) {
    return badRecord(0, 1, `the log could not be opened: ${reasonOf(error)}`);
  } finally {
    await session?.close();
  }
}

async function verify(session: PostgresSession, space: string, anchors: readonly LogHead[]): Promise<Verification> {
  const problem = await tablesProblem(session);
  if (problem !== undefined) return badRecord(0, 1, problem);
  const known = await session.query('SELECT 1 FROM hivemark.spaces WHERE space = $1', [space]);
  if (known.length === 0) return badRecord(0, 1, `there is no space ${space}`);
  const walk = new ChainWalk(anchors);
  try {
    for (let from = Number.MIN_SAFE_INTEGER; ; from = walk.head.seq + 1) {
      const page = await readPage(session, space, from, Number.MAX_SAFE_INTEGER);
      if (page.length === 0) break;
      for (const row of page) {
        const found = walk.follow(row);
        if (found !== undefined) return found;
      }
    }
    const whole = walk.finish();
    return whole.ok ? ((await endProblem(session, space, walk)) ?? whole) : whole;
  } catch (error) {
    return walk.unreadable(`unreadable: ${reasonOf(error)}`);
  }
}

async function endProblem(session: PostgresSession, space: string, walk: ChainWalk): Promise<Verification | undefined> {
  const end = await readHead(session, space);
  if (end.seq !== walk.head.seq || end.hash !== walk.head.hash)
    return walk.unreadable(`missing: the space is said to end at ${end.seq} and ends at ${walk.head.seq}`);
  const [odd] = await session.query(
    `SELECT seq FROM hivemark.log WHERE space = $1 AND key_id <> sha256(convert_to(key, 'UTF8')) ORDER BY seq LIMIT 1`,
    [space],
  );
  return odd === undefined ? undefined : badRecord(walk.head.seq, Number(odd[0]), 'its key id is not that of its key');
}

/** The server's address may show in a message of ours; credentials never do. */
function reasonOf(error: unknown): string {
  if (error instanceof StatementError) return `${error.message} (${error.sqlState})`;
  if (error instanceof LogUnavailableError) return error.message;
  return error instanceof Error ? error.name : 'unknown';
}
