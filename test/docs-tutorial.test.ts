import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { serverOfCommand, shellWords } from './client-formats.ts';
import { fencedBlocks, readPage } from './fenced-blocks.ts';
import {
  type Connected,
  connectHttp,
  connectStdio,
  eventually,
  newPlace,
  type Place,
  type RunningCli,
  startCli,
  untilRound,
} from './mcp-process.ts';
import { runCli } from './run-cli.ts';

const page = await readPage('docs/outside-agents.md');
const blocks = fencedBlocks(page);

/** The one block of a language and purpose. */
function block(language: string, purpose: string): string {
  const found = blocks.filter((one) => one.language === language && one.purpose === purpose);
  if (found.length !== 1) throw new Error(`docs/outside-agents.md has ${found.length} blocks ${language} ${purpose}`);
  return found[0]?.text ?? '';
}

/** A command of a console block, and the lines that the page says it prints. */
interface Shown {
  readonly command: string;
  readonly printed: readonly string[];
}

function consoleOf(text: string): readonly Shown[] {
  return text
    .split(/^\$ /mu)
    .slice(1)
    .map((part) => {
      const [command = '', ...printed] = part.trimEnd().split('\n');
      return { command, printed };
    });
}

/** The arguments of a command of ours. @throws for another */
function argumentsOf(command: string): readonly string[] {
  const [program, ...args] = shellWords(command);
  if (program !== 'hivemark') throw new Error(`not a command of ours: ${command}`);
  return args;
}

/** What a page shows as printed: a line `...` is any lines, `...` in a line anything. */
function printedAs(lines: readonly string[]): RegExp {
  const pattern = lines.map((line) =>
    line === '...' ? '(?:.*\\n)*?' : `${line.split('...').map(literally).join('.*')}\\n`,
  );
  return new RegExp(`^${pattern.join('')}`, 'u');
}

function literally(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|/]/gu, '\\$&');
}

/** What a page says is in an answer, and the answer. */
interface Said {
  readonly line: string;
  readonly part: Record<string, unknown>;
  readonly answer: Readonly<Record<string, unknown>>;
}

/** Does as a `text` block says: waits for rounds, makes calls (`>`). @returns what it says is in their answers (`<`) */
async function follow(text: string, client: Connected, inserted = ''): Promise<readonly Said[]> {
  const said: Said[] = [];
  let answer: Readonly<Record<string, unknown>> = {};
  for (const line of text.trim().split('\n')) {
    const round = /^\(round (\d+) opens\)$/u.exec(line)?.[1];
    const [, tool, args] = /^> (\w+) (\{.*\})$/u.exec(line) ?? [];
    const part = /^< (\{.*\})$/u.exec(line)?.[1];
    if (round !== undefined) await untilRound(client, Number(round));
    else if (tool !== undefined) {
      const given = z.record(z.string(), z.unknown()).parse(JSON.parse(args ?? ''));
      if (given['insert_text'] === '(the function below)') given['insert_text'] = `${inserted.trimEnd()}\n`;
      answer = (await client.call(tool, given)).value;
    } else if (part !== undefined) said.push({ line, part: anyOf(JSON.parse(part)), answer });
    else throw new Error(`not understood in the page: ${line}`);
  }
  return said;
}

/** In place of each list, one that has such elements and maybe others. */
function anyOf(value: unknown): Record<string, unknown> {
  const loosened = (one: unknown): unknown => {
    if (Array.isArray(one)) return expect.arrayContaining(one.map((inner) => expect.objectContaining(anyOf(inner))));
    if (typeof one !== 'object' || one === null) return one;
    return Object.fromEntries(Object.entries(one).map(([key, inner]) => [key, loosened(inner)]));
  };
  return z.record(z.string(), z.unknown()).parse(loosened(value));
}

/** What a server has and the page does not name. */
async function unnamed({ client }: Connected): Promise<readonly string[]> {
  const { tools } = await client.listTools();
  const { resourceTemplates } = await client.listResourceTemplates();
  const { prompts } = await client.listPrompts();
  const names = [...tools, ...prompts].map(({ name }) => name);
  return [...names, ...resourceTemplates.map(({ uriTemplate }) => uriTemplate)].filter(
    (name) => !page.includes(`\`${name}\``),
  );
}

describe('the five minutes of docs/outside-agents.md', () => {
  let place: Place;
  beforeAll(async () => {
    place = await newPlace();
    const experiments = fileURLToPath(new URL('../experiments', import.meta.url));
    await cp(experiments, join(place.dir, 'experiments'), { recursive: true });
  });

  /** Starts the server that a block gives to Claude Code. */
  function clientOf(text: string): Promise<Connected> {
    const [shown] = consoleOf(text);
    const entry = serverOfCommand(shown?.command ?? '');
    if (entry.kind !== 'stdio' || entry.command !== 'hivemark')
      throw new Error(`not a command of ours: ${shown?.command}`);
    return connectStdio(entry.args, place);
  }

  /** Starts a command that goes on, and waits until it has said what the page says. */
  async function start(text: string, change: (line: string) => string = (line) => line): Promise<RunningCli> {
    const [shown] = consoleOf(text);
    const cli = startCli(argumentsOf(change(shown?.command ?? '')), place);
    await cli.said(printedAs((shown?.printed ?? []).map(change)));
    return cli;
  }

  it('a: with an MCP client', async () => {
    const client = await clientOf(block('console', 'mcp'));
    expect(await unnamed(client)).toEqual([]);
    const said = await follow(block('text', 'mcp'), client, block('ts', 'mcp'));
    await client.close();
    expect(said).toHaveLength(6);
    for (const { line, part, answer } of said) expect(answer, line).toMatchObject(part);
  }, 90_000);

  it('b: with an editor and a folder', async () => {
    await writeFile(join(place.dir, 'folder.yaml'), block('yaml', 'folder.yaml'));
    const joined = await start(block('console', 'join'));
    await joined.said(/round 1 of 2: open/u);
    const mine = join(place.dir, 'mine');
    // Files of a folder come, and are replaced, when they do: there may be none at the moment.
    const fileIn = (name: string): Promise<string | undefined> =>
      readFile(join(mine, name), 'utf8').catch(() => undefined);
    const before = await eventually(() => fileIn('task_agent.ts'));
    const [, from = '', to = ''] = /^-(.*)\n\+(.*)\n$/u.exec(block('diff', 'folder')) ?? [];
    expect(before.split('\n')).toContain(from);
    await writeFile(join(mine, 'task_agent.ts'), before.replace(from, to));
    const [first, ...commands] = consoleOf(block('console', 'folder'));
    expect(first).toEqual({ command: 'cd mine', printed: [] });
    for (const { command, printed } of commands) {
      const { code, stdout, stderr } = await runCli(argumentsOf(command), { cwd: mine, env: place.env });
      expect(code, stderr).toBe(0);
      expect(stdout, command).toMatch(new RegExp(`${printedAs(printed).source}$`, 'u'));
    }
    await eventually(async () => (await fileIn('HIVEMARK.md'))?.includes('0.477049 (generation 1)') || undefined);
    joined.kill('SIGINT');
    expect((await joined.finished).stderr).not.toContain('unexpected');
  }, 90_000);

  it('c and d: over HTTP with a token, and asking of results', async () => {
    // Any free port in place of the page's.
    const free = (line: string): string => line.replace(/:8787(\/mcp)?/u, (_, path) => (path ? ':.../mcp' : ':0'));
    const served = await start(block('console', 'http'), free);
    const url = await served.said(/served at (http:\S+\/mcp)/u);
    const [make, health] = consoleOf(block('console', 'token'));
    const made = await runCli(argumentsOf(make?.command ?? ''), { cwd: place.dir, env: place.env });
    expect(made.stdout).toMatch(printedAs(make?.printed ?? []));
    const asked = shellWords(health?.command ?? '')[1] ?? '';
    const answer = await fetch(asked.replace('http://127.0.0.1:8787', new URL(url).origin));
    expect(`${await answer.text()}\n`).toMatch(printedAs(health?.printed ?? []));
    const client = await eventually(() => connectHttp(url, made.stdout.trim()).catch(() => undefined));
    const said = [...(await follow(block('text', 'http'), client))];
    await client.close();
    const analyst = await clientOf(block('console', 'results'));
    expect(await unnamed(analyst)).toEqual([]);
    said.push(...(await follow(block('text', 'results'), analyst)));
    await analyst.close();
    expect(said).toHaveLength(6);
    for (const { line, part, answer: given } of said) expect(given, line).toMatchObject(part);
    served.kill('SIGINT');
    expect((await served.finished).code).toBe(0);
  }, 90_000);
});
