import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TokenBook } from '../../mcp/tokens.ts';
import { BenchProcess, type Command } from './bench-process.ts';
import type { Served } from './capacity.ts';

/** Where the command line is, for processes that are to be it, and where it keeps tokens. */
export interface CommandLine {
  readonly cli: URL;
  readonly tokenFileOf: (env: Readonly<Record<string, string | undefined>>) => string;
}

/** Agents of the run that is played for the benchmark: nobody drives them but the benchmark. */
export const RUN = 'bench';
const CONFIG = `name: ${RUN}
task: sine_approx
agents:
  - { name: ann, external: mcp }
  - { name: bob, external: mcp }
  - { name: dora, external: folder }
generations: 1
seeds: [1]
rounds: { timeoutMinutes: 600 }
`;

/** So high that no limit is met: what is measured is what a call costs. */
const REQUESTS_PER_SECOND = '1000000';
const SESSIONS_TO_SPARE = 64;

/** A temporary folder with all that the processes of the benchmark need: a configuration folder, tokens, a config, what they leave. */
export class Stage {
  readonly folder: string;
  readonly #env: Readonly<Record<string, string>>;
  readonly #book: TokenBook;
  readonly #cli: URL;
  readonly #processes = new Set<BenchProcess>();

  private constructor(folder: string, { cli, tokenFileOf }: CommandLine) {
    this.folder = folder;
    this.#cli = cli;
    const path = process.env['PATH'];
    this.#env = {
      ...(path === undefined ? {} : { PATH: path }),
      HOME: folder,
      XDG_CONFIG_HOME: join(folder, 'config'),
    };
    this.#book = new TokenBook(tokenFileOf(this.#env));
  }

  static async open(commandLine: CommandLine): Promise<Stage> {
    const folder = await mkdtemp(join(tmpdir(), 'hivemark-bench-'));
    await writeFile(join(folder, 'run.yaml'), CONFIG);
    return new Stage(folder, commandLine);
  }

  async tokenOf(agent: string): Promise<string> {
    return (await this.#book.issue(agent)).token;
  }

  /** A process that is the command line. */
  hivemark(args: readonly string[], flags: readonly string[] = []): Command {
    const child = fileOf('hivemark-child');
    // isolated-vm needs Node without its snapshot.
    return { args: ['--no-node-snapshot', ...flags, child, this.#cli.href, ...args], env: this.#env };
  }

  bare(way: 'stdio' | 'http', flags: readonly string[] = []): Command {
    return { args: [...flags, fileOf('bare-child'), way], env: this.#env };
  }

  /** `hivemark serve`, over a fresh space and (with `run`) a fresh run. */
  async serve(name: string, agents: number, options: { readonly run?: boolean } = {}): Promise<Served> {
    const space = ['--space', `sqlite:${join(this.folder, `${name}.db`)}`];
    const run = options.run === true ? [this.config, '--out', join(this.folder, name)] : [];
    const most = ['--max-sessions', String(agents + SESSIONS_TO_SPARE), '--requests-per-second', REQUESTS_PER_SECOND];
    const command = this.hivemark(['serve', ...run, '--http', '127.0.0.1:0', ...space, ...most], ['--expose-gc']);
    return this.#served(command);
  }

  serveBare(): Promise<Served> {
    return this.#served(this.bare('http', ['--expose-gc']));
  }

  get config(): string {
    return join(this.folder, 'run.yaml');
  }

  /** Starts a process that ends with the stage. */
  start(command: Command): BenchProcess {
    const started = new BenchProcess(command);
    this.#processes.add(started);
    return started;
  }

  async stop(process: BenchProcess): Promise<void> {
    await process.close();
    this.#processes.delete(process);
  }

  /** Ends what is still there and takes everything away. */
  async close(): Promise<void> {
    await Promise.all([...this.#processes].map((process) => process.close()));
    await rm(this.folder, { recursive: true, force: true, maxRetries: 3 });
  }

  async #served(command: Command): Promise<Served> {
    const process = this.start(command);
    const [, origin = ''] = await process.said(/served at (http:\/\/127\.0\.0\.1:\d+)/u);
    return { url: `${origin}/mcp`, process };
  }
}

function fileOf(name: string): string {
  return fileURLToPath(new URL(`./${name}${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url));
}
