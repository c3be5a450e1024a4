import type { StoredRow } from './chain.ts';
import type { PostgresSession } from './postgres-session.ts';

/** Records of one page, and the octets of bodies after which a page ends early: what bounds the memory of reading. */
const PAGE_RECORDS = 2_000;
const PAGE_OCTETS = 4_194_304;

const PAGE = `SELECT seq, prev, hash, key, body FROM (
  SELECT seq, prev, hash, key, body, sum(octet_length(body)) OVER (ORDER BY seq) - octet_length(body) AS before
  FROM (SELECT * FROM hivemark.log WHERE space = $1 AND seq BETWEEN $2 AND $3 ORDER BY seq LIMIT ${PAGE_RECORDS}) AS page
) AS sized WHERE before < ${PAGE_OCTETS} ORDER BY seq`;

/** One page of a space's records from position `from` on, as they are: nothing is checked here. Empty only when there are none up to `to`. */
export async function readPage(
  session: PostgresSession,
  space: string,
  from: number,
  to: number,
): Promise<readonly StoredRow[]> {
  const rows = await session.query(PAGE, [space, from, to], 'hivemark-page');
  return rows.map(([seq, prev, hash, key, body]) => ({ seq: Number(seq), prev, hash, key, body }));
}
