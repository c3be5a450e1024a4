import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command, CommanderError } from 'commander';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { TokenBook } from '../mcp/tokens.ts';
import type { Surroundings } from './output.ts';
import { addTokenCommand, tokenFileOf } from './token-command.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hivemark-token-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

/** One command line. */
async function token(
  ...args: string[]
): Promise<{ readonly out: string; readonly err: string; readonly code: number | undefined }> {
  const said = { out: '', err: '' };
  let code: number | undefined;
  const world: Surroundings = {
    output: { out: (text) => (said.out += text), err: (text) => (said.err += text), interactive: false, columns: 80 },
    env: { XDG_CONFIG_HOME: folder },
    cwd: folder,
    signal: new AbortController().signal,
  };
  const program = new Command().exitOverride().configureOutput({ writeErr: () => undefined });
  addTokenCommand(program, world, (exit) => (code = exit));
  for (const command of program.commands) command.exitOverride().configureOutput({ writeErr: () => undefined });
  await program.parseAsync(['token', ...args], { from: 'user' });
  return { ...said, code };
}

const book = () => new TokenBook(tokenFileOf({ XDG_CONFIG_HOME: folder }));

test('a token is on standard output alone, once; what to do with it is beside it', async () => {
  const { out, err, code } = await token('claude', '--ttl', '12h');
  expect(code).toBe(0);
  expect(out).toMatch(/^hma_[\w-]{43}\n$/u);
  expect(err).toContain('this token speaks for claude until 2');
  expect(err).not.toContain(out.trim());
  expect(await book().check(out.trim())).toEqual({ name: 'claude' });
  expect((await token('--list')).out).not.toContain(out.trim().slice(4));
});

test('--json gives one document: agent, token, expiry', async () => {
  const forever: unknown = JSON.parse((await token('a', '--json')).out);
  expect(forever).toEqual({ agent: 'a', token: expect.stringMatching(/^hma_/u), expiresAt: null });
  const [before, { out }] = [Date.now(), await token('a', '--json', '--ttl', '90m')];
  const { expiresAt } = JSON.parse(out) as { expiresAt: string };
  expect(Date.parse(expiresAt) - before).toBeGreaterThanOrEqual(90 * 60_000);
  expect(Date.parse(expiresAt) - before).toBeLessThan(91 * 60_000);
});

test('--revoke ends all tokens of one agent, and says when there were none', async () => {
  const { out } = await token('a');
  await token('a');
  expect((await token('a', '--revoke')).out).toBe('2 tokens of a revoked\n');
  expect(await book().check(out.trim())).toEqual({ problem: 'revoked' });
  const again = await token('a', '--revoke', '--json');
  expect(JSON.parse(again.out)).toEqual({ agent: 'a', revoked: 0 });
  expect(again.err).toContain('no token that is good');
});

test('--list shows whose and until when', async () => {
  expect((await token('--list')).out).toContain('no tokens');
  await token('b', '--ttl', '30d');
  await token('a');
  await token('a', '--revoke');
  const lines = (await token('--list')).out.trim().split('\n');
  expect(lines).toHaveLength(3);
  expect(lines[1]).toMatch(/^a +revoked +2.+never/u);
  expect(lines[2]).toMatch(/^b +good +2/u);
  expect(JSON.parse((await token('--list', '--json')).out)).toMatchObject([
    { agent: 'a', state: 'revoked', expiresAt: null },
    { agent: 'b', state: 'good', revokedAt: null },
  ]);
});

test.each([
  [['--ttl', '1y', 'a'], 'up to ten years'],
  [['--ttl', '0d', 'a'], 'up to ten years'],
  [['--ttl', '999999999w', 'a'], 'up to ten years'],
  [[], 'name the agent'],
  [['No Agent'], 'No Agent'],
  [['a', '--list'], '--list goes alone'],
  [['a', '--revoke', '--ttl', '1h'], 'exclude each other'],
])('%j is refused: %s', async (args, why) => {
  await expect(token(...args)).rejects.toThrow(why);
  expect(await book().list()).toEqual([]);
});

test('commander says what is wrong with a flag itself', async () => {
  await expect(token('a', '--ttl', 'soon')).rejects.toThrow(CommanderError);
});
