import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import { configDirOf } from '../evaluate/secret.ts';
import { TokenBook, tokenStateOf } from '../mcp/tokens.ts';
import { textTable } from '../report/text-table.ts';
import { EXIT, type ExitCode, type Surroundings, UsageError } from './output.ts';
import { agentFrom } from './space/names.ts';
import { oneLine, timeText } from './space/terminal-text.ts';

/** Flags of `hivemark token`. */
export interface TokenFlags {
  /** Milliseconds. */
  readonly ttl?: number;
  readonly revoke?: boolean;
  readonly list?: boolean;
  readonly json?: boolean;
}

/** Where this user's tokens are kept, hashed. */
export function tokenFileOf(env: Surroundings['env']): string {
  return join(configDirOf(env), 'tokens.json');
}

/** `hivemark token <agent>`: lets an agent in from outside, and keeps it out again. */
export function addTokenCommand(program: Command, world: Surroundings, onExit: (code: ExitCode) => void): void {
  program
    .command('token')
    .description(
      'make a token with which an agent takes part from outside (MCP, folder), revoke its tokens, or list all',
    )
    .argument('[agent]')
    .option('--ttl <time>', 'how long it is good: 90m, 12h, 30d, 8w (default: until revoked)', ttlFrom)
    .option('--revoke', 'make all tokens of the agent good for nothing')
    .option('--list', 'list the tokens of this user: whose, since when, until when; the tokens themselves are not kept')
    .option('--json', 'print one JSON document')
    .action(async (agent: string | undefined, flags: TokenFlags) => {
      onExit(await tokenCommand(agent, flags, world));
    });
}

export async function tokenCommand(
  agent: string | undefined,
  flags: TokenFlags,
  world: Surroundings,
  now = Date.now(),
): Promise<ExitCode> {
  const book = new TokenBook(tokenFileOf(world.env), () => now);
  if (flags.list === true) {
    if (agent !== undefined || flags.revoke === true || flags.ttl !== undefined)
      throw new UsageError('--list goes alone: it lists the tokens of all agents');
    return listTokens(book, flags, world, now);
  }
  if (agent === undefined) throw new UsageError('name the agent: hivemark token <agent>, or hivemark token --list');
  const name = agentFrom(agent);
  if (flags.revoke !== true) return issueToken(book, name, flags, world);
  if (flags.ttl !== undefined) throw new UsageError('--ttl and --revoke exclude each other');
  return revokeTokens(book, name, flags, world);
}

async function issueToken(
  book: TokenBook,
  agent: string,
  { ttl, json }: TokenFlags,
  { output }: Surroundings,
): Promise<ExitCode> {
  const { token, record } = await book.issue(agent, ttl);
  const expiresAt = record.expiresAt === null ? null : new Date(record.expiresAt).toISOString();
  output.out(json === true ? `${JSON.stringify({ agent, token, expiresAt })}\n` : `${token}\n`);
  output.err(
    `this token speaks for ${agent} ${expiresAt === null ? 'until it is revoked' : `until ${expiresAt}`}; it is shown this once\n` +
      `give it to the client as a header (Authorization: Bearer <token>) or as HIVEMARK_TOKEN; revoke it with: hivemark token ${agent} --revoke\n`,
  );
  return EXIT.done;
}

async function revokeTokens(
  book: TokenBook,
  agent: string,
  { json }: TokenFlags,
  { output }: Surroundings,
): Promise<ExitCode> {
  const revoked = await book.revoke(agent);
  if (json === true) output.out(`${JSON.stringify({ agent, revoked: revoked.length })}\n`);
  else output.out(`${revoked.length} token${revoked.length === 1 ? '' : 's'} of ${agent} revoked\n`);
  if (revoked.length === 0) output.err(`${agent} has no token that is good; hivemark token --list shows all\n`);
  return EXIT.done;
}

async function listTokens(
  book: TokenBook,
  { json }: TokenFlags,
  { output }: Surroundings,
  now: number,
): Promise<ExitCode> {
  const rows = (await book.list()).map((record) => ({
    agent: record.agent,
    state: tokenStateOf(record, now),
    createdAt: record.createdAt,
    expiresAt: record.expiresAt,
    revokedAt: record.revokedAt,
  }));
  if (json === true) {
    const iso = (time: number | null) => (time === null ? null : new Date(time).toISOString());
    const shown = rows.map((row) => ({
      ...row,
      createdAt: iso(row.createdAt),
      expiresAt: iso(row.expiresAt),
      revokedAt: iso(row.revokedAt),
    }));
    output.out(`${JSON.stringify(shown)}\n`);
    return EXIT.done;
  }
  const cells = rows.map(({ agent, state, createdAt, expiresAt, revokedAt }) => [
    oneLine(agent),
    state,
    timeText(createdAt),
    expiresAt === null ? 'never' : timeText(expiresAt),
    revokedAt === null ? '' : timeText(revokedAt),
  ]);
  output.out(
    rows.length === 0
      ? '(no tokens; hivemark token <agent> makes one)\n'
      : `${textTable([['agent', 'state', 'made', 'expires', 'revoked'], ...cells])}\n`,
  );
  return EXIT.done;
}

const UNIT_MS = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 7 * 86_400_000 } as const;
const MAX_TTL_MS = 10 * 365 * UNIT_MS.d;

/** `12h`, `30d`, `90m`, `45s`, `8w` in milliseconds. */
function ttlFrom(text: string): number {
  const match = /^(\d{1,9})([smhdw])$/u.exec(text);
  const unit = match?.[2];
  const ttl =
    Number(match?.[1]) *
    (unit === 's' || unit === 'm' || unit === 'h' || unit === 'd' || unit === 'w' ? UNIT_MS[unit] : NaN);
  if (ttl > 0 && ttl <= MAX_TTL_MS) return ttl;
  throw new InvalidArgumentError('give a whole number and s, m, h, d or w, up to ten years: 90m, 12h, 30d');
}
