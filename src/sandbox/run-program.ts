import { ChildSession, type Outcome, type PreparedModules } from './child-session.ts';
import type { ComputeSlots } from './compute-slots.ts';
import type { DisposableChild } from './disposable-child.ts';
import type { ProgramError } from './frames.ts';
import { HostCalls } from './host-calls.ts';
import { resolveLimits } from './limits.ts';
import type { StripCache } from './strip-cache.ts';
import { type Failure, stripModules } from './prepare-modules.ts';
import type { Json, RunProgram, SandboxCase, SandboxJob, SandboxLimits, Verdict } from './sandbox.ts';

/** What runs need of the sandbox. */
export interface ProgramDeps {
  /** A ready child for programs. */
  take(): Promise<DisposableChild>;
  readonly slots: ComputeSlots;
  readonly stripped: StripCache;
  readonly defaults: SandboxLimits;
}

/** Codes of errors that every case of the same program shares; the other cases need not be tried. */
const STATIC_CODES: ReadonlySet<string> = new Set(['syntax', 'unsupported-typescript', 'missing-module']);

/** @returns the `run` of a sandbox. */
export function programRunner(deps: ProgramDeps): RunProgram {
  return async (job) => {
    const run = new ProgramRun(job, deps);
    try {
      return await run.verdicts();
    } finally {
      run.dispose();
    }
  };
}

class ProgramRun {
  readonly #job: SandboxJob;
  readonly #deps: ProgramDeps;
  readonly #limits: SandboxLimits;
  readonly #host: HostCalls;
  readonly #wallTimer: NodeJS.Timeout;
  readonly #onAbort = () => {
    this.#preparing?.kill();
    this.#session?.end(ABORTED);
  };
  #preparing: DisposableChild | undefined;
  #session: ChildSession | undefined;
  #computeLeftMs: number;
  #wallOver = false;

  constructor(job: SandboxJob, deps: ProgramDeps) {
    this.#job = job;
    this.#deps = deps;
    this.#limits = resolveLimits(job.limits, deps.defaults);
    this.#host = new HostCalls(job.host ?? {}, this.#limits);
    this.#computeLeftMs = this.#limits.computeMs;
    this.#wallTimer = setTimeout(() => {
      this.#wallOver = true;
      this.#preparing?.kill();
      this.#session?.end(timedOut('wall-limit', `the run took longer than ${this.#limits.wallMs} ms in all`));
    }, this.#limits.wallMs);
    job.signal?.addEventListener('abort', this.#onAbort, { once: true });
  }

  async verdicts(): Promise<readonly Verdict[]> {
    const verdicts: Verdict[] = [];
    let shared: ProgramError | undefined = this.#tooLarge();
    for (const testCase of this.#job.cases) {
      this.#job.signal?.throwIfAborted();
      const verdict: Verdict =
        shared === undefined ? await this.#case(testCase) : { status: 'error', error: shared, wallMs: 0, logs: [] };
      if (verdict.status === 'error' && STATIC_CODES.has(verdict.error.code)) shared = verdict.error;
      verdicts.push(verdict);
      const { checkpoint } = this.#job;
      if (verdicts.length === checkpoint?.after && !checkpoint.proceed(verdicts)) break;
    }
    this.#job.signal?.throwIfAborted();
    return verdicts;
  }

  dispose(): void {
    clearTimeout(this.#wallTimer);
    this.#job.signal?.removeEventListener('abort', this.#onAbort);
    this.#session?.end(ABORTED);
  }

  async #case(testCase: SandboxCase): Promise<Verdict> {
    let input = testCase.next(0, undefined);
    if (input === undefined) return { status: 'value', value: null, wallMs: 0, logs: [] };
    const session = this.#exhausted() === undefined ? await this.#open() : undefined;
    const startedAt = performance.now();
    const wallMs = () => performance.now() - startedAt;
    const exhausted = this.#exhausted();
    if (session === undefined || exhausted !== undefined) {
      return { status: 'timeout', error: exhausted ?? RUN_OUT, wallMs: wallMs(), logs: [] };
    }
    if (!(session instanceof ChildSession)) return { ...session, wallMs: wallMs(), logs: [] };
    const budgetMs = this.#budgetMs();
    let outcome = await session.open(testCase.seed, budgetMs, input);
    let value: Json = null;
    for (let step = 1; outcome.status === 'value'; step++) {
      ({ value } = outcome);
      input = testCase.next(step, value);
      if (input === undefined) break;
      outcome = await session.step(input);
    }
    const { logs, leftMs } = session.close();
    this.#computeLeftMs -= budgetMs - leftMs;
    if (outcome.status === 'value') return { status: 'value', value, wallMs: wallMs(), logs };
    return { status: outcome.status, error: this.#worded(outcome, budgetMs), wallMs: wallMs(), logs };
  }

  #worded(outcome: Extract<Outcome, { error: ProgramError }>, budgetMs: number): ProgramError {
    if (outcome.error.code !== 'deadline') return outcome.error;
    const source = Object.values(this.#job.modules).join('\n');
    const hint = /\bDate\b|\bperformance\b/.test(source) ? ' (there is no clock here: Date.now() is always 0)' : '';
    return { code: 'deadline', message: `no answer within ${Math.round(budgetMs)} ms of computing${hint}` };
  }

  /** The program without its types, stripped by this child before it runs anything. */
  async #prepare(child: DisposableChild): Promise<PreparedModules | { readonly failed: Failure }> {
    const prepared = await stripModules(child, this.#deps.stripped, this.#job.modules);
    if ('failed' in prepared) return prepared;
    const modules: [string, string][] = [];
    const broken: [string, ProgramError][] = [];
    for (const [path, module] of prepared.stripped) {
      if ('text' in module) modules.push([path, module.text]);
      else broken.push([path, module.error]);
    }
    return { modules: Object.fromEntries(modules), broken: Object.fromEntries(broken) };
  }

  async #open(): Promise<ChildSession | Failure> {
    if (this.#session?.usable !== true) {
      const child = await this.#deps.take();
      this.#preparing = child;
      const prepared = await this.#prepare(child);
      this.#preparing = undefined;
      if ('failed' in prepared) {
        child.kill();
        return prepared.failed;
      }
      this.#session = new ChildSession(
        child,
        { ...this.#job, ...prepared },
        this.#limits,
        this.#deps.slots,
        this.#host,
      );
      if (this.#job.signal?.aborted === true) this.#session.end(ABORTED);
    }
    return this.#session;
  }

  #budgetMs(): number {
    return Math.min(this.#limits.caseMs, this.#computeLeftMs);
  }

  #exhausted(): ProgramError | undefined {
    return this.#wallOver || !(this.#computeLeftMs > 0) ? RUN_OUT : undefined;
  }

  #tooLarge(): ProgramError | undefined {
    const bytes = Object.values(this.#job.modules).reduce((sum, source) => sum + Buffer.byteLength(source), 0);
    if (bytes <= this.#limits.sourceBytes) return undefined;
    return {
      code: 'too-large',
      message: `the program has ${bytes} bytes of source; ${this.#limits.sourceBytes} are allowed`,
    };
  }
}

const RUN_OUT: ProgramError = { code: 'run-limit', message: 'the run had used up its time before this case' };
const ABORTED = { status: 'crash', error: { code: 'aborted', message: 'the run was given up' } } as const;

function timedOut(code: string, message: string): Outcome {
  return { status: 'timeout', error: { code, message } };
}
