import { randomBytes } from 'node:crypto';
import type { ComputeSlots } from './compute-slots.ts';
import { Deadline } from './deadline.ts';
import type { ChildExit, DisposableChild } from './disposable-child.ts';
import { type ProgramError, programErrorOf, type ToChild } from './frames.ts';
import { HostCalls } from './host-calls.ts';
import { parseForeignJson } from './json-text.ts';
import { CHILD_LIMITS } from './limits.ts';
import { watchResident } from './resident-watch.ts';
import type { FailureStatus, Json, SandboxJob, SandboxLimits } from './sandbox.ts';

/** What came of one exchange with a child. */
export type Outcome =
  | { readonly status: 'value'; readonly value: Json }
  | { readonly status: FailureStatus; readonly error: ProgramError };

/** A program's modules with their types stripped; `broken` are those that could not be. */
export interface PreparedModules {
  readonly modules: Readonly<Record<string, string>>;
  readonly broken: Readonly<Record<string, ProgramError>>;
}

/** Bytes of a frame besides its payload: nonce, letter, line end. */
const FRAME_BYTES = 64;

/**
 * The parent's side of one child that runs one program. Every status is decided here: from deadlines, counted bytes and the
 * wait status; a frame without the nonce of this session does not exist.
 */
export class ChildSession {
  readonly #child: DisposableChild;
  readonly #limits: SandboxLimits;
  readonly #slots: ComputeSlots;
  readonly #host: HostCalls;
  readonly #nonce = randomBytes(16).toString('hex');
  #answer: PromiseWithResolvers<Outcome> | undefined;
  #deadline: Deadline | undefined;
  #slot: Promise<void> | undefined;
  #logs: string[] = [];
  readonly #unwatch: () => void;
  #over: Outcome | undefined;

  constructor(
    child: DisposableChild,
    job: Pick<SandboxJob, 'entry' | 'withoutGlobals'> & PreparedModules,
    limits: SandboxLimits,
    slots: ComputeSlots,
    host: HostCalls,
  ) {
    this.#child = child;
    this.#limits = limits;
    this.#slots = slots;
    this.#host = host;
    const listener = {
      line: (text: string) => this.#line(text),
      flood: () => this.end({ status: 'output-limit', error: { code: 'output-limit', message: 'it wrote too much' } }),
      fatal: () => this.#dying(),
      end: (exit: ChildExit) => this.end(outcomeOfExit(exit)),
    };
    child.hold(
      listener,
      FRAME_BYTES + Math.max(limits.resultBytes, limits.hostBytes + 1024, 6 * limits.logBytes, 8192),
    );
    this.#send({
      op: 'job',
      nonce: this.#nonce,
      modules: job.modules,
      broken: job.broken,
      entry: job.entry,
      memoryMb: limits.memoryMb,
      resultBytes: limits.resultBytes,
      logBytes: limits.logBytes,
      logLines: CHILD_LIMITS.logLines,
      hostCalls: limits.hostCalls,
      hostBytes: limits.hostBytes,
      maxDepth: CHILD_LIMITS.jsonDepth,
      hostNames: host.names,
      withoutGlobals: job.withoutGlobals ?? [],
    });
    this.#unwatch = watchResident(
      child,
      limits.memoryMb,
      () => this.#deadline?.running === true,
      () => this.end(outOfMemory(limits.memoryMb)),
    );
  }

  /** False once the child is dead or given up: the next case needs another one. */
  get usable(): boolean {
    return this.#over === undefined;
  }

  /** Starts a case with its first step: its own deadline, log and realm. */
  open(seed: number, budgetMs: number, step: Json): Promise<Outcome> {
    this.#logs = [];
    this.#deadline = new Deadline(budgetMs, () => this.end(TIMED_OUT));
    this.#host.reset((id, ok, text) => void this.#reply(id, ok, text));
    return this.#exchange({ op: 'load', seed }, { op: 'step', input: JSON.stringify(step) });
  }

  /** Calls `forward` once more in the same realm. */
  step(input: Json): Promise<Outcome> {
    return this.#exchange({ op: 'step', input: JSON.stringify(input) });
  }

  /** Ends the case; gives its log and the compute milliseconds left of its budget. */
  close(): { readonly logs: readonly string[]; readonly leftMs: number } {
    this.#host.stop();
    this.#deadline?.pause();
    return { logs: this.#logs, leftMs: this.#deadline?.leftMs ?? 0 };
  }

  /** Kills the child; whatever was being waited for ends with `outcome`. */
  end(outcome: Outcome): void {
    if (this.#over !== undefined) return;
    this.#over = outcome;
    this.#unwatch();
    this.#child.kill();
    this.#host.stop();
    this.#settle(outcome);
  }

  /** The engine gave up: its report of that may not cost the deadline, nor take long. */
  #dying(): void {
    this.#deadline?.pause();
    // Asked only then: what it died of may be in the second part of its report.
    setTimeout(
      () => this.end(outcomeOfExit({ code: null, signal: 'SIGKILL', outOfMemory: this.#child.outOfMemory })),
      CHILD_LIMITS.dyingMs,
    ).unref();
  }

  async #exchange(...messages: readonly ToChild[]): Promise<Outcome> {
    this.#answer = Promise.withResolvers<Outcome>();
    const { promise } = this.#answer;
    if (this.#over !== undefined) return this.#over;
    await this.#compute();
    if (this.#over === undefined) this.#send(...messages);
    return promise;
  }

  /** Takes a slot (once, however many ask) and lets the compute clock run. */
  async #compute(): Promise<void> {
    this.#slot ??= this.#slots.take();
    await this.#slot;
    if (this.#answer === undefined || this.#over !== undefined) this.#rest();
    else this.#deadline?.resume();
  }

  /** Stops the compute clock and gives the slot back, now or as soon as it comes. */
  #rest(): void {
    this.#deadline?.pause();
    const slot = this.#slot;
    this.#slot = undefined;
    void slot?.then(() => this.#slots.give());
  }

  async #reply(id: number, ok: boolean, text: string): Promise<void> {
    const deadline = this.#deadline;
    await this.#compute();
    if (this.#answer === undefined || this.#over !== undefined || this.#deadline !== deadline) return;
    this.#host.delivered();
    this.#send({ op: 'reply', id, ok, text });
  }

  #settle(outcome: Outcome): void {
    const answer = this.#answer;
    this.#answer = undefined;
    this.#rest();
    answer?.resolve(outcome);
  }

  /** In one write: each wakes the child. */
  #send(...messages: readonly ToChild[]): void {
    this.#child.send(messages.map((message) => JSON.stringify(message)).join('\n'));
  }

  #line(line: string): void {
    if (this.#over !== undefined || this.#answer === undefined || !line.startsWith(this.#nonce)) return;
    const kind = line.charAt(this.#nonce.length);
    const payload = line.slice(this.#nonce.length + 1);
    switch (kind) {
      case 'V': {
        const value = parseForeignJson(payload, CHILD_LIMITS.jsonDepth);
        return this.#settle(value === undefined ? badResult('it is not plain JSON') : { status: 'value', value });
      }
      case 'E': {
        const error = programErrorOf(parseForeignJson(payload, 1)) ?? { code: 'threw', message: 'threw' };
        return this.#settle({ status: 'error', error });
      }
      case 'B': {
        const why = parseForeignJson(payload, 1);
        return this.#settle(badResult(typeof why === 'string' ? why : 'it is not plain JSON'));
      }
      case 'O': {
        const message = `the answer is larger than ${this.#limits.resultBytes} bytes of JSON`;
        return this.#settle({ status: 'output-limit', error: { code: 'output-limit', message } });
      }
      case 'M':
        return this.end(outOfMemory(this.#limits.memoryMb));
      case 'L': {
        const text = parseForeignJson(payload, 1);
        if (typeof text === 'string' && this.#logs.length <= CHILD_LIMITS.logLines) this.#logs.push(text);
        return;
      }
      case 'C':
        if (!this.#host.call(payload)) this.end(outcomeOfExit({ code: null, signal: null, outOfMemory: false }));
        return;
      case 'I':
        // Idle, and every reply given so far was seen: either it waits for the host, or it can never go on.
        if (Number(payload) !== this.#host.deliveredCount) return;
        if (this.#host.outstanding > 0) this.#rest();
        else this.#settle(NEVER_SETTLES);
        return;
      default:
        return;
    }
  }
}

const TIMED_OUT: Outcome = {
  status: 'timeout',
  error: { code: 'deadline', message: 'no answer before the deadline' },
};
const NEVER_SETTLES: Outcome = {
  status: 'timeout',
  error: { code: 'never-settles', message: 'forward returned a promise that nothing is left to settle' },
};

function badResult(why: string): Outcome {
  return { status: 'bad-result', error: { code: 'bad-result', message: `the answer is not plain JSON: ${why}` } };
}

function outOfMemory(memoryMb: number): Outcome {
  return {
    status: 'memory',
    error: { code: 'memory-limit', message: `it used more memory than its limit of ${memoryMb} MiB` },
  };
}

function outcomeOfExit(exit: ChildExit): Outcome {
  if (exit.outOfMemory)
    return { status: 'memory', error: { code: 'memory-limit', message: 'it ran its process out of memory' } };
  if (exit.signal === 'SIGXCPU') return TIMED_OUT;
  const how = exit.signal ?? (exit.code === null ? 'broken protocol' : `exit code ${exit.code}`);
  return { status: 'crash', error: { code: 'crash', message: `it brought its process down (${how})` } };
}
