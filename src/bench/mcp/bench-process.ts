import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Usage, UsageQuestion } from './usage-channel.ts';

/** What a process is started with. */
export interface Command {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/** For a process to say that it is there, to answer a question, and to end, milliseconds. */
const START_MS = 60_000;
const ANSWER_MS = 10_000;
const END_MS = 10_000;
/** Characters of what a process said last, for the error that tells that it failed. */
const KEPT_CHARS = 2000;

/** A server, or another part of the benchmark, in a process of its own. */
export class BenchProcess {
  readonly #child: ChildProcess;
  readonly #endMs: number;
  readonly #waiting = new Set<() => void>();
  #said = '';
  #ended = false;

  /**
   * Starts Node; what it says on standard error can be waited for, its other streams are closed.
   *
   * @param endMs how long it has to end by itself @default 10 s
   */
  constructor({ args, env }: Command, { endMs = END_MS }: { readonly endMs?: number } = {}) {
    this.#endMs = endMs;
    const child = spawn(process.execPath, [...args], { env: { ...env }, stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    this.#child = child;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#said = (this.#said + text).slice(-16 * KEPT_CHARS);
      this.#wake();
    });
    child.once('error', () => this.#end());
    child.once('close', () => this.#end());
  }

  /** The first match of what it says on standard error. @throws when it ends, or does not say it in time */
  async said(pattern: RegExp): Promise<RegExpExecArray> {
    const until = performance.now() + START_MS;
    for (;;) {
      const match = pattern.exec(this.#said);
      if (match !== null) return match;
      const left = until - performance.now();
      if (this.#ended || left <= 0)
        throw new Error(`a part of the benchmark did not start; it said: ${this.#said.slice(-KEPT_CHARS)}`);
      await this.#news(left);
    }
  }

  /** What it has used so far. */
  async usage(question: UsageQuestion = 'cpu'): Promise<Usage> {
    const answered = once(this.#child, 'message', { signal: AbortSignal.timeout(ANSWER_MS) });
    this.#child.send(question);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- our own child sent it
    return (await answered)[0] as Usage;
  }

  /** Ends it as Ctrl-C would, and by force if it does not end. */
  async close(): Promise<void> {
    if (this.#ended) return;
    const closed = once(this.#child, 'close');
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), this.#endMs);
    await closed;
    clearTimeout(timer);
  }

  async #news(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    this.#waiting.add(resolve);
    await promise;
    this.#waiting.delete(resolve);
    clearTimeout(timer);
  }

  #wake(): void {
    for (const wake of this.#waiting) wake();
  }

  #end(): void {
    this.#ended = true;
    this.#wake();
  }
}
