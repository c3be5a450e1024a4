import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it, test } from 'vitest';
import { inputsIn, isClient, parseToml, type ServerEntry, serverOfCommand, serversIn } from './client-formats.ts';
import { fencedBlocks, readPage } from './fenced-blocks.ts';
import { connectHttp, connectStdio, makeToken, newPlace, type Place, startServer } from './mcp-process.ts';

const page = await readPage('docs/clients.md');
const blocks = fencedBlocks(page).filter(({ purpose }) => purpose !== '');

/** Every server of every block, under the client's name. */
const entries: readonly { readonly client: string; readonly entry: ServerEntry }[] = blocks.flatMap(
  ({ language, purpose, text }): { client: string; entry: ServerEntry }[] => {
    if (language === 'sh' && purpose !== 'inspector')
      return text
        .trim()
        .split('\n')
        .map((line) => ({ client: `${purpose}: ${line}`, entry: serverOfCommand(line) }));
    if (!isClient(purpose)) return [];
    return serversIn(purpose, language, text).map((entry) => ({ client: purpose, entry }));
  },
);

/** How each client writes the token without having it. Claude Desktop's file is nobody else's. */
const TOKENS: Readonly<Record<string, RegExp>> = {
  'claude-code': /^Bearer \$\{HIVEMARK_TOKEN\}$/u,
  cursor: /^Bearer \$\{env:HIVEMARK_TOKEN\}$/u,
  vscode: /^Bearer \$\{input:hivemark-token\}$/u,
  codex: /^Bearer \$\{HIVEMARK_TOKEN\}$/u,
};

describe('docs/clients.md', () => {
  it('has a configuration for each client, for stdio and, where the client can, for HTTP', () => {
    const kinds = (client: string): string[] => [
      ...new Set(entries.filter((one) => one.client.startsWith(client)).map(({ entry }) => entry.kind)),
    ];
    for (const client of ['claude-code', 'cursor', 'vscode', 'codex'])
      expect(kinds(client), client).toEqual(['stdio', 'http']);
    expect(kinds('claude-desktop')).toEqual(['stdio']);
  });

  it('names a page and a day for each client', () => {
    for (const client of ['Claude Code', 'Claude Desktop', 'Cursor', 'VS Code', 'Codex CLI'])
      expect(page).toMatch(
        new RegExp(`^\\| ${client} \\| \\[.+\\]\\(https://\\S+\\).* \\| \\d{4}-\\d\\d-\\d\\d \\|$`, 'mu'),
      );
  });

  it('has no token in it, and every HTTP server is given one by a name', () => {
    expect(page).not.toMatch(/hm[al]_[\w-]{8}/u);
    const authorizations = entries.flatMap(({ client, entry }) =>
      entry.kind === 'http' ? [[client, entry.authorization] as const] : [],
    );
    for (const [client, authorization] of authorizations)
      expect(authorization, client).toMatch(TOKENS[client.split(':')[0] ?? ''] ?? /^never$/u);
    const vscode = blocks.find(({ purpose }) => purpose === 'vscode');
    expect(inputsIn(vscode?.text ?? '')).toEqual(['hivemark-token']);
  });

  it('uses only the variables that a client knows', () => {
    for (const { purpose, text } of blocks) {
      const used = [...text.matchAll(/\$\{([^}]*)\}/gu)].map(([, variable = '']) => variable);
      const known = {
        cursor: /^env:\w+$|^workspaceFolder$|^userHome$/u,
        vscode: /^input:[\w-]+$|^workspaceFolder$|^userHome$/u,
      };
      const rule = purpose === 'cursor' || purpose === 'vscode' ? known[purpose] : /^[A-Z_]+$/u;
      for (const variable of used) expect(variable, purpose).toMatch(rule);
    }
  });
});

/** What the launcher is given, whichever way it is started. */
function argumentsOf(words: readonly string[], checkout: string): readonly string[] {
  const [program, launcher] = words;
  if (program === 'hivemark') return words.slice(1);
  if (program !== '/usr/local/bin/node' || launcher !== `${checkout}/bin/hivemark.js`)
    throw new Error(`not our launcher: ${words.join(' ')}`);
  return words.slice(2);
}

describe('the servers of docs/clients.md', () => {
  let place: Place;
  let url: string;
  let token: string;

  beforeAll(async () => {
    place = await newPlace();
    await cp(fileURLToPath(new URL('../experiments', import.meta.url)), join(place.dir, 'experiments'), {
      recursive: true,
    });
    const args = ['mcp', '--experiment', 'experiments/join.yaml', '--http', '127.0.0.1:0'];
    ({ url } = await startServer(args, place));
    token = await makeToken(place, 'me');
  }, 90_000);

  /** As the reader's machine would have it: where the checkout is, where the server listens. */
  const here = (text: string): string =>
    text
      .replaceAll('${workspaceFolder}', place.dir)
      .replaceAll('/home/you/hivemark', place.dir)
      .replace(/^http:\/\/127\.0\.0\.1:8787\/mcp$|^https:\/\/lab\.example\.org\/runs\/join\/mcp$/u, url)
      .replace('<what hivemark token me printed>', token)
      .replace(/\$\{(?:env:HIVEMARK_TOKEN|HIVEMARK_TOKEN|input:hivemark-token)\}/u, token);

  test.each(entries.filter(({ entry }) => entry.kind === 'stdio'))('over stdio: $client', async ({ entry }) => {
    if (entry.kind !== 'stdio') throw new Error('over HTTP');
    const args = argumentsOf([entry.command, ...entry.args].map(here), place.dir);
    expect(entry.cwd === undefined ? place.dir : here(entry.cwd)).toBe(place.dir);
    const env = Object.fromEntries(Object.entries(entry.env).map(([name, value]) => [name, here(value)]));
    const connected = await connectStdio(args, { ...place, env: { ...place.env, ...env } });
    try {
      expect((await connected.client.listTools()).tools.map(({ name }) => name)).toContain('submit');
      expect(connected.client.getInstructions()).toContain('`submit`');
      expect((await connected.call('standing')).value).toMatchObject({ agent: 'me', run: { experiment: 'join' } });
    } finally {
      await connected.close();
    }
  }, 60_000);

  test.each(entries.filter(({ entry }) => entry.kind === 'http'))('over HTTP: $client', async ({ entry }) => {
    if (entry.kind !== 'http') throw new Error('over stdio');
    const connected = await connectHttp(here(entry.url), here(entry.authorization).replace(/^Bearer /u, ''));
    try {
      expect((await connected.client.listTools()).tools.map(({ name }) => name)).toContain('submit');
      expect((await connected.call('standing')).value).toMatchObject({ agent: 'me' });
    } finally {
      await connected.close();
    }
  }, 60_000);
});

describe('the readers of this test', () => {
  it('refuse what a client would not take', () => {
    const server = { command: 'hivemark', args: ['mcp'] };
    expect(() => serversIn('claude-code', 'json', JSON.stringify({ servers: { a: server } }))).toThrow(/mcpServers/u);
    expect(() => serversIn('vscode', 'jsonc', JSON.stringify({ servers: { a: server } }))).toThrow(
      /type|Invalid input/u,
    );
    expect(() =>
      serversIn(
        'claude-desktop',
        'json',
        JSON.stringify({ mcpServers: { a: { type: 'http', url: 'http://127.0.0.1/mcp' } } }),
      ),
    ).toThrow(/command/u);
    expect(() => serversIn('codex', 'toml', '[mcp_servers.a]\nurl = "http://h/mcp"\nbearer_token = "x"\n')).toThrow(
      /bearer_token/u,
    );
    expect(() => serverOfCommand('claude mcp add hivemark --transport stdio -- hivemark mcp')).toThrow(
      /takes no --transport there/u,
    );
    expect(() => serverOfCommand('claude mcp add hivemark')).toThrow(/neither/u);
  });

  it('read TOML strictly', () => {
    expect(parseToml('[a.b]\n# why\nc = "d"\ne = ["f", "g"]\nn = 30\n')).toEqual({
      a: { b: { c: 'd', e: ['f', 'g'], n: 30 } },
    });
    for (const bad of ['a: 1', 'a = b', '[a\nb = 1', 'a = 1\na = 2', "a = 'b"])
      expect(() => parseToml(bad), bad).toThrow(/not read|twice/u);
  });
});
