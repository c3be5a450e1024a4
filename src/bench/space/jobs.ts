import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Work that needs a process of its own. */
export type Job =
  /** Bytes of heap per mark of a population in a memory log. */
  | { readonly what: 'bytes'; readonly marks: number }
  /** Fills an SQLite log. */
  | { readonly what: 'fill'; readonly file: string; readonly marks: number }
  /** Opens a space over an SQLite log. */
  | { readonly what: 'open'; readonly file: string }
  /** Says when it is ready, waits for a line on its standard input, then makes `calls` writes into a PostgreSQL space. */
  | {
      readonly what: 'postgres-writes';
      readonly url: string;
      readonly space: string;
      readonly name: string;
      readonly calls: number;
    };

/** What a job answers: numbers by name. */
export type Answer = Readonly<Record<string, number>>;

const CHILD = new URL(`./job-child${import.meta.url.endsWith('.ts') ? '.ts' : '.js'}`, import.meta.url);

/** A job under way. */
export interface Running {
  /** It has said `ready`. */
  readonly ready: Promise<void>;
  readonly answer: Promise<Answer>;
  readonly go: () => void;
}

/**
 * Starts a job in a child of this process, with the garbage collector within reach. The job travels on its standard input (a URL may hold
 * a password), the answer comes as one line. Rejects when it fails or takes longer than `timeoutMs`.
 */
export function startJob(job: Job, timeoutMs: number): Running {
  const flags = ['--expose-gc', '--max-old-space-size=12000'];
  const child = spawn(process.execPath, [...flags, fileURLToPath(CHILD)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const timer = setTimeout(() => child.kill('SIGKILL'), timeoutMs);
  const ready = Promise.withResolvers<void>();
  const answer = new Promise<Answer>((resolve, reject) => {
    let last: Answer | undefined;
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line === 'ready') ready.resolve();
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own child wrote it
      else last = JSON.parse(line) as Answer;
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      if (code === 0 && last !== undefined) resolve(last);
      else reject(new Error(`the ${job.what} part of the benchmark ended with ${signal ?? `exit code ${code}`}`));
    });
  });
  answer.catch(ready.reject);
  ready.promise.catch(() => undefined);
  // A child that ended early closes the pipe; its exit code says why.
  child.stdin.on('error', () => undefined);
  child.stdin.write(`${JSON.stringify(job)}\n`);
  return { ready: ready.promise, answer, go: () => child.stdin.end('go\n') };
}

/** Runs a job from start to end. */
export async function runJob(job: Job, timeoutMs: number): Promise<Answer> {
  const { go, answer } = startJob(job, timeoutMs);
  go();
  return answer;
}
