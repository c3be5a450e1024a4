import { z } from 'zod';

/** How a client's configuration says where a server is. Environment variables and headers as they stand in it. */
export type ServerEntry =
  | {
      readonly kind: 'stdio';
      readonly command: string;
      readonly args: readonly string[];
      readonly env: Readonly<Record<string, string>>;
      readonly cwd?: string;
    }
  | { readonly kind: 'http'; readonly url: string; readonly authorization: string };

const text = z.string().min(1);
const table = z.record(z.string(), z.string());
const name = z.string().regex(/^[\w-]+$/u);
const mapOf = (...forms: readonly z.ZodObject[]) => z.record(name, z.union(forms));

/**
 * What each client takes, keys it does not know refused.
 *
 * @see docs/clients.md for the page of each client that this was written from
 */
const FORMATS = {
  'claude-code': z.strictObject({
    mcpServers: mapOf(
      z.strictObject({
        type: z.literal('stdio').optional(),
        command: text,
        args: z.array(z.string()).optional(),
        env: table.optional(),
      }),
      z.strictObject({ type: z.literal('http'), url: z.url(), headers: table.optional() }),
    ),
  }),
  'claude-desktop': z.strictObject({
    mcpServers: mapOf(
      // Started in a directory of the client's own, with a PATH of its own: whole paths.
      z.strictObject({
        command: z.string().startsWith('/'),
        args: z.array(z.string()).optional(),
        env: table.optional(),
      }),
    ),
  }),
  cursor: z.strictObject({
    mcpServers: mapOf(
      z.strictObject({
        type: z.literal('stdio'),
        command: text,
        args: z.array(z.string()).optional(),
        env: table.optional(),
        envFile: text.optional(),
      }),
      z.strictObject({ url: z.url(), headers: table.optional() }),
    ),
  }),
  vscode: z.strictObject({
    inputs: z
      .array(
        z.strictObject({
          type: z.literal('promptString'),
          id: name,
          description: text,
          password: z.boolean().optional(),
        }),
      )
      .optional(),
    servers: z.record(
      z.string().regex(/^[a-z][A-Za-z0-9]*$/u, 'names of servers are in camelCase'),
      z.union([
        z.strictObject({
          type: z.literal('stdio'),
          command: text,
          args: z.array(z.string()).optional(),
          env: table.optional(),
          envFile: text.optional(),
        }),
        z.strictObject({ type: z.enum(['http', 'sse']), url: z.url(), headers: table.optional() }),
      ]),
    ),
  }),
  codex: z.strictObject({
    mcp_servers: mapOf(
      z.strictObject({
        command: text,
        args: z.array(z.string()).optional(),
        env: table.optional(),
        env_vars: z.array(z.string().regex(/^[A-Z_][A-Z0-9_]*$/u)).optional(),
        cwd: text.optional(),
        startup_timeout_sec: z.number().optional(),
        tool_timeout_sec: z.number().optional(),
      }),
      z.strictObject({
        url: z.url(),
        bearer_token_env_var: z.string().regex(/^[A-Z_][A-Z0-9_]*$/u),
        startup_timeout_sec: z.number().optional(),
        tool_timeout_sec: z.number().optional(),
      }),
    ),
  }),
};

export type ClientName = keyof typeof FORMATS;

export function isClient(purpose: string): purpose is ClientName {
  return Object.hasOwn(FORMATS, purpose);
}

const READ = z.looseObject({
  command: z.string().optional(),
  args: z.array(z.string()).default([]),
  env: table.default({}),
  cwd: z.string().optional(),
  url: z.string().optional(),
  headers: z.object({ Authorization: z.string() }).optional(),
  bearer_token_env_var: z.string().optional(),
});

/** The servers of one configuration block. @throws when the client would not take it, naming the place */
export function serversIn(client: ClientName, language: string, body: string): readonly ServerEntry[] {
  const value: unknown =
    language === 'toml' ? parseToml(body) : JSON.parse(language === 'jsonc' ? uncommented(body) : body);
  const config: Readonly<Record<string, unknown>> = FORMATS[client].parse(value);
  const servers = z.record(z.string(), READ).parse(config['mcpServers'] ?? config['servers'] ?? config['mcp_servers']);
  return Object.values(servers).map(({ command, args, env, cwd, url, headers, bearer_token_env_var: variable }) => {
    if (command !== undefined) return { kind: 'stdio', command, args, env, ...(cwd === undefined ? {} : { cwd }) };
    const authorization = variable === undefined ? (headers?.Authorization ?? '') : `Bearer \${${variable}}`;
    return { kind: 'http', url: url ?? '', authorization };
  });
}

/** The inputs that VS Code would ask for. */
export function inputsIn(body: string): readonly string[] {
  return (FORMATS.vscode.parse(JSON.parse(uncommented(body))).inputs ?? []).map(({ id }) => id);
}

/**
 * The server that a line of a shell adds: `claude mcp add [options] <name> -- <command>`, `... <name> <url>`, `codex mcp add <name> -- <command>`
 * or `codex mcp add <name> --url <url> --bearer-token-env-var <VAR>`.
 *
 * @throws when it is none of these
 */
export function serverOfCommand(line: string): ServerEntry {
  const [client, mcp, add, ...rest] = shellWords(line);
  if ((client !== 'claude' && client !== 'codex') || mcp !== 'mcp' || add !== 'add')
    throw new Error(`no such command: ${line}`);
  const flags = new Map<string, string>();
  const names: string[] = [];
  const known = client === 'claude' ? /^--(?:transport|scope|header|env)$/u : /^--(?:url|bearer-token-env-var|env)$/u;
  while (rest.length > 0 && rest[0] !== '--') {
    const word = rest.shift() ?? '';
    if (!word.startsWith('--')) names.push(word);
    // All options of `claude mcp add` come before the name.
    else if (known.test(word) && (client === 'codex' || names.length === 0))
      flags.set(word.slice(2), rest.shift() ?? '');
    else throw new Error(`${client} mcp add takes no ${word} there: ${line}`);
  }
  const [server, address] = names;
  if (server === undefined || !name.safeParse(server).success) throw new Error(`no name for the server: ${line}`);
  const [, command, ...args] = rest;
  if (command !== undefined && names.length === 1 && flags.get('transport') !== 'http')
    return { kind: 'stdio', command, args, env: {} };
  if (client === 'claude' && flags.get('transport') === 'http' && address !== undefined)
    return { kind: 'http', url: address, authorization: (flags.get('header') ?? '').replace(/^Authorization: /u, '') };
  const [url, variable] = [flags.get('url'), flags.get('bearer-token-env-var')];
  if (client === 'codex' && url !== undefined && variable !== undefined)
    return { kind: 'http', url, authorization: `Bearer \${${variable}}` };
  throw new Error(`neither a command nor an address: ${line}`);
}

/** Words as a shell splits them: single and double quotes, nothing else. */
export function shellWords(line: string): string[] {
  return [...line.matchAll(/'([^']*)'|"([^"\\$`]*)"|([^\s'"]+)/gu)].map(
    ([, single, double, bare]) => single ?? double ?? bare ?? '',
  );
}

function uncommented(jsonc: string): string {
  return jsonc.replaceAll(/^\s*\/\/.*$/gmu, '');
}

/** Tables, strings, numbers, booleans and arrays of strings, a line each: less than TOML, and nothing that is not TOML. */
export function parseToml(toml: string): Record<string, unknown> {
  const root: Record<string, unknown> = {};
  let into = root;
  for (const line of toml.split('\n').map((one) => one.trim())) {
    if (line === '' || line.startsWith('#')) continue;
    const header = /^\[([A-Za-z0-9_.-]+)\]$/u.exec(line)?.[1];
    if (header !== undefined) {
      into = root;
      for (const part of header.split('.')) {
        const inner = into[part] ?? {};
        if (typeof inner !== 'object' || Array.isArray(inner)) throw new Error(`${header}: ${part} is no table`);
        into[part] = inner;
        into = inner as Record<string, unknown>;
      }
      continue;
    }
    const [, key, value] = /^([A-Za-z0-9_-]+) = (.+)$/u.exec(line) ?? [];
    if (key === undefined || value === undefined) throw new Error(`not read as TOML: ${line}`);
    if (Object.hasOwn(into, key)) throw new Error(`${key} is there twice`);
    // These forms are the same in JSON.
    if (!/^(?:"[^"\\]*"|\d+|true|false|\[(?:"[^"\\]*"(?:, )?)*\])$/u.test(value))
      throw new Error(`not read as a value: ${line}`);
    into[key] = JSON.parse(value);
  }
  return root;
}
