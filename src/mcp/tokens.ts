import { hash, randomBytes, timingSafeEqual } from 'node:crypto';
import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { parseAgentName } from '../space/scope.ts';
import type { Identity, TokenProblem } from './mount.ts';
import { changeFile, TokenFileError } from './token-file.ts';

/** What is kept of a token: not the token. Times are epoch milliseconds. */
export interface TokenRecord {
  readonly agent: string;
  /** Of the token, hex. */
  readonly sha256: string;
  readonly createdAt: number;
  /** Null: never. */
  readonly expiresAt: number | null;
  readonly revokedAt: number | null;
}

/** Where a token stands. */
export type TokenState = 'good' | 'expired' | 'revoked';

/** How long a token that is good no more is remembered, so that its holder learns why. */
const REMEMBERED_MS = 90 * 24 * 3_600_000;

/** How long what was read of the file is believed without looking whether it is still the same. */
const FRESH_MS = 200;

const FILE = z.strictObject({
  version: z.literal(1),
  tokens: z.array(
    z.strictObject({
      agent: z.string(),
      sha256: z.string().regex(/^[0-9a-f]{64}$/u),
      createdAt: z.number(),
      expiresAt: z.number().nullable(),
      revokedAt: z.number().nullable(),
    }),
  ),
});

interface Known {
  readonly stamp: string;
  readonly records: readonly { readonly record: TokenRecord; readonly digest: Buffer }[];
}

export function tokenStateOf(record: TokenRecord, now: number): TokenState {
  if (record.revokedAt !== null) return 'revoked';
  return record.expiresAt !== null && record.expiresAt <= now ? 'expired' : 'good';
}

/**
 * The tokens with which agents come in, in one JSON file (mode 0600) that several processes may use at once: what one issues or revokes,
 * the others know within a quarter of a second. The file has hashes only: a token is seen once, when it is issued. An agent may have several.
 *
 * Every method throws {TokenFileError} when the file cannot be read or written, or is not what it should be.
 */
export class TokenBook {
  readonly #path: string;
  readonly #now: () => number;
  #known: Known = { stamp: '', records: [] };
  #lookedAt = -Infinity;

  /** @param now epoch milliseconds @default Date.now */
  constructor(path: string, now: () => number = Date.now) {
    this.#path = path;
    this.#now = now;
  }

  /**
   * A new token for an agent: 256 random bits.
   *
   * @param ttlMs @default for ever
   * @throws {InvalidNameError} for what is no agent's name
   */
  async issue(agent: string, ttlMs?: number): Promise<{ readonly token: string; readonly record: TokenRecord }> {
    parseAgentName(agent);
    const token = `hma_${randomBytes(32).toString('base64url')}`;
    const createdAt = this.#now();
    const expiresAt = ttlMs === undefined ? null : createdAt + ttlMs;
    const record: TokenRecord = { agent, sha256: hash('sha256', token), createdAt, expiresAt, revokedAt: null };
    await this.#change((records) => [...records, record]);
    return { token, record };
  }

  /** Revokes all tokens of an agent that are good. @returns those */
  async revoke(agent: string): Promise<readonly TokenRecord[]> {
    parseAgentName(agent);
    const revokedAt = this.#now();
    let revoked: readonly TokenRecord[] = [];
    await this.#change((records) => {
      revoked = records.filter((record) => record.agent === agent && tokenStateOf(record, revokedAt) === 'good');
      return records.map((record) => (revoked.includes(record) ? { ...record, revokedAt } : record));
    });
    return revoked.map((record) => ({ ...record, revokedAt }));
  }

  /** All tokens, by agent, then oldest first. */
  async list(): Promise<readonly TokenRecord[]> {
    this.#lookedAt = -Infinity;
    const records = (await this.#read()).records.map(({ record }) => record);
    return records.sort((a, b) => (a.agent === b.agent ? a.createdAt - b.createdAt : a.agent < b.agent ? -1 : 1));
  }

  /** Whom a token speaks for. Takes the same time whichever token of the file it is or is not. */
  async check(token: string): Promise<Identity | { readonly problem: TokenProblem }> {
    const { records } = await this.#read();
    const given = hash('sha256', token, 'buffer');
    let found: TokenRecord | undefined;
    for (const { record, digest } of records) if (timingSafeEqual(given, digest)) found = record;
    if (found === undefined) return { problem: 'unknown' };
    const state = tokenStateOf(found, this.#now());
    return state === 'good' ? { name: found.agent } : { problem: state };
  }

  async #change(change: (records: readonly TokenRecord[]) => readonly TokenRecord[]): Promise<void> {
    await changeFile(this.#path, async () => {
      this.#lookedAt = -Infinity;
      const before = this.#now() - REMEMBERED_MS;
      const kept = (await this.#read()).records
        .map(({ record }) => record)
        .filter(({ expiresAt, revokedAt }) => Math.min(expiresAt ?? Infinity, revokedAt ?? Infinity) >= before);
      return `${JSON.stringify({ version: 1, tokens: change(kept) }, null, 2)}\n`;
    });
    this.#lookedAt = -Infinity;
  }

  async #read(): Promise<Known> {
    const at = performance.now();
    if (at - this.#lookedAt < FRESH_MS) return this.#known;
    const stamp = stampOf(this.#path);
    if (stamp !== this.#known.stamp)
      this.#known = { stamp, records: stamp === '' ? [] : await readRecords(this.#path) };
    this.#lookedAt = at;
    return this.#known;
  }
}

/** Another file or another content has another stamp; '' is no file. */
function stampOf(path: string): string {
  try {
    const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
    return stat === undefined ? '' : `${stat.ino} ${stat.size} ${stat.mtimeNs}`;
  } catch (error) {
    throw new TokenFileError('the file of tokens cannot be read', error);
  }
}

async function readRecords(path: string): Promise<Known['records']> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new TokenFileError('the file of tokens cannot be read', error);
  }
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    throw new TokenFileError(
      'the file of tokens is damaged (not JSON); move it away and issue the tokens again',
      error,
    );
  }
  const parsed = FILE.safeParse(json);
  if (!parsed.success)
    throw new TokenFileError(
      `the file of tokens is damaged (${parsed.error.issues[0]?.path.join('.') ?? ''}); move it away and issue the tokens again`,
      parsed.error,
    );
  return parsed.data.tokens.map((record) => ({ record, digest: Buffer.from(record.sha256, 'hex') }));
}
