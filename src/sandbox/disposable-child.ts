import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { READY_LINE } from './frames.ts';
import { CHILD_LIMITS } from './limits.ts';

/** How a child ended, by its wait status. `outOfMemory`: the runtime's own last words said so (no program can write there). */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: string | null;
  readonly outOfMemory: boolean;
}

/** Thrown when children cannot be started on this machine at all. */
export class SandboxUnavailableError extends Error {
  override readonly name = 'SandboxUnavailableError';
  readonly code = 'sandbox-unavailable';
}

/** What a run wants to hear of its child; replaced by each holder. */
export interface ChildListener {
  /** One line, without its end. */
  line(text: string): void;
  /** A line grew past `maxLineBytes`, or noise on stderr past its cap; nothing more is read. */
  flood(): void;
  /** The runtime began to report a fatal error of its own; writing its report can take longer than dying. */
  fatal?(): void;
  /** Exited, and everything it wrote has been delivered. */
  end(exit: ChildExit): void;
}

const STDERR_BYTES = 64 * 1024;
const FATAL = /^(?:# Fatal |FATAL ERROR)/m;
const OUT_OF_MEMORY = /heap out of memory|process out of memory|Allocation failed/;

/**
 * One child process for one job, or for the uses of one owner. Idle it does not keep the parent alive; `hold` it before use, `kill` it afterwards.
 * All its output is counted while it is read.
 */
export class DisposableChild {
  /** Resolves when the child can take a job; rejects with {@link SandboxUnavailableError} when it never will. */
  readonly ready: Promise<void>;
  /** Resolves when the process is gone and reaped. */
  readonly gone: Promise<ChildExit>;
  maxLineBytes = 1024;
  #listener: ChildListener | undefined;
  #process: ChildProcessWithoutNullStreams;
  #parts: Buffer[] = [];
  #partBytes = 0;
  #stderr = '';
  #flooded = false;
  #fatal = false;
  #exit: ChildExit | undefined;
  #killed = false;

  constructor(child: ChildProcessWithoutNullStreams) {
    this.#process = child;
    const started = Promise.withResolvers<void>();
    const gone = Promise.withResolvers<ChildExit>();
    this.ready = started.promise;
    this.gone = gone.promise;
    this.ready.catch(() => {});
    const timer = setTimeout(() => this.kill(), CHILD_LIMITS.startMs).unref();
    this.#listener = {
      line: (text) => {
        if (text !== READY_LINE) return;
        clearTimeout(timer);
        started.resolve();
      },
      flood: () => this.kill(),
      end: () => {},
    };
    child.stdin.on('error', () => {});
    child.stdout.on('data', (bytes: Buffer) => this.#read(bytes));
    child.stderr.on('data', (bytes: Buffer) => this.#note(bytes));
    const end = (code: number | null, signal: string | null, why: string) => {
      if (this.#exit !== undefined) return;
      clearTimeout(timer);
      this.#exit = { code, signal, outOfMemory: this.outOfMemory };
      gone.resolve(this.#exit);
      started.reject(new SandboxUnavailableError(`cannot start a sandbox child: ${why}`));
      this.#listener?.end(this.#exit);
    };
    child.on('error', (error: NodeJS.ErrnoException) => end(null, null, error.code ?? 'spawn failed'));
    child.on('close', (code, signal) =>
      end(code, signal, `it ended with ${signal ?? `exit code ${code}`} before it was ready`),
    );
    this.#keepsAlive(false);
  }

  get pid(): number | undefined {
    return this.#process.pid;
  }

  get alive(): boolean {
    return this.#exit === undefined && !this.#killed && !this.#flooded;
  }

  /** Whether the runtime's own words so far are those of running out of memory. */
  get outOfMemory(): boolean {
    return OUT_OF_MEMORY.test(this.#stderr);
  }

  /** Takes the child into use: from now on it keeps the parent alive and `listener` hears what it says. */
  hold(listener: ChildListener, maxLineBytes: number): void {
    this.#keepsAlive(true);
    this.maxLineBytes = maxLineBytes;
    this.#listener = listener;
    if (this.#exit !== undefined) listener.end(this.#exit);
  }

  /** Between two uses: it does not keep the parent alive. */
  rest(): void {
    this.#keepsAlive(false);
  }

  send(line: string): void {
    if (this.#process.stdin.writable) this.#process.stdin.write(`${line}\n`);
  }

  /** SIGKILL to the whole group; harmless when it is gone already. */
  kill(): void {
    if (this.#killed) return;
    this.#killed = true;
    this.#process.stdin.destroy();
    const { pid } = this.#process;
    if (pid === undefined || this.#exit !== undefined) return;
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      this.#process.kill('SIGKILL');
    }
  }

  /** Resident bytes right now; `undefined` where the platform does not say (anywhere but Linux). */
  residentBytes(): number | undefined {
    try {
      // No disk is behind it: a tenth of the time of asking the thread pool.
      const pages = readFileSync(`/proc/${this.#process.pid}/statm`, 'utf8').split(' ')[1];
      return pages === undefined ? undefined : Number(pages) * 4096;
    } catch {
      return undefined;
    }
  }

  #read(bytes: Buffer): void {
    if (this.#flooded) return;
    let rest = bytes;
    for (let end = rest.indexOf(10); end >= 0; end = rest.indexOf(10)) {
      if (this.#partBytes + end > this.maxLineBytes) return this.#flood();
      const line =
        this.#partBytes === 0 ? rest.subarray(0, end) : Buffer.concat([...this.#parts, rest.subarray(0, end)]);
      this.#parts = [];
      this.#partBytes = 0;
      rest = rest.subarray(end + 1);
      this.#listener?.line(line.toString('utf8'));
      if (this.#killed) return;
    }
    if (rest.length === 0) return;
    this.#parts.push(rest);
    this.#partBytes += rest.length;
    if (this.#partBytes > this.maxLineBytes) this.#flood();
  }

  #note(bytes: Buffer): void {
    if (this.#stderr.length >= STDERR_BYTES) return this.#flood();
    this.#stderr += bytes.toString('latin1');
    if (!this.#fatal && FATAL.test(this.#stderr)) {
      this.#fatal = true;
      this.#listener?.fatal?.();
    }
  }

  #flood(): void {
    if (this.#flooded) return;
    this.#flooded = true;
    this.#parts = [];
    this.#listener?.flood();
  }

  #keepsAlive(yes: boolean): void {
    const verb = yes ? 'ref' : 'unref';
    this.#process[verb]();
    for (const stream of [this.#process.stdin, this.#process.stdout, this.#process.stderr]) {
      // Pipes to a child are sockets, which their declared type does not say.
      if (stream instanceof Socket) stream[verb]();
    }
  }
}
