/** Any value that JSON can carry (the sandbox imports nothing, so it names its own). */
export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };

/** Why a program gave no value. All come from the parent's clock, byte counts and the wait status, never from program text. */
export type FailureStatus = 'error' | 'timeout' | 'memory' | 'crash' | 'bad-result' | 'output-limit';

/** What came of one call of `forward`. `wallMs` is the parent's clock; `logs` is what `ctx.log` and `console.log` left. */
export type Verdict =
  | { readonly status: 'value'; readonly value: Json; readonly wallMs: number; readonly logs: readonly string[] }
  | {
      readonly status: FailureStatus;
      /** `code` for machines, `message` for people; never a host path or host stack. */
      readonly error: { readonly code: string; readonly message: string };
      readonly wallMs: number;
      readonly logs: readonly string[];
    };

/** Limits of one run; every field has a default in `limits.ts`. */
export interface SandboxLimits {
  /** Compute milliseconds for the whole run; waiting for the host does not count. */
  readonly computeMs: number;
  /** Compute milliseconds for one case. */
  readonly caseMs: number;
  /** Wall milliseconds for the whole run, waiting included. */
  readonly wallMs: number;
  /** Isolate heap in MiB. */
  readonly memoryMb: number;
  /** Bytes of one returned value's JSON text. */
  readonly resultBytes: number;
  /** Bytes of all log lines of one case; what is over it is dropped and said so. */
  readonly logBytes: number;
  /** Calls a program may make of its host (`ctx.chat`, `ctx.llm`, `ctx.read` ...) in one run. */
  readonly hostCalls: number;
  /** Bytes of one host call's arguments or reply as JSON text. */
  readonly hostBytes: number;
  /** Bytes of all modules together. */
  readonly sourceBytes: number;
}

/** A function the program may ask of its host as `ctx.<name>(...args)`; a thrown error reaches it as a generic one with the error's `code`. */
export type HostFunction = (args: readonly Json[], signal: AbortSignal) => Promise<Json>;

/**
 * One case: a fresh realm in which `forward` is called step by step. `next(0, undefined)` gives the first input,
 * `next(k, output)` the following one, `undefined` ends the case. The verdict carries the last step's value.
 */
export interface SandboxCase {
  /** Seeds `Math.random` and `ctx.random`. */
  readonly seed: number;
  next(step: number, previous: Json | undefined): Json | undefined;
}

/** One run of one program: its own disposable child (a killed case goes on with the next case in a fresh one). */
export interface SandboxJob {
  /** The program's own files: path relative to its root -> TypeScript or JavaScript source. */
  readonly modules: Readonly<Record<string, string>>;
  /** The module whose `forward(input, ctx)` is called, e.g. `task_agent.ts`. */
  readonly entry: string;
  readonly cases: readonly SandboxCase[];
  /**
   * Dotted names deleted from every realm before the program's modules load, e.g. `Math.sin`. Identifiers joined by dots,
   * looked up from `globalThis`; one that does not exist or cannot be deleted is ignored. @default none
   */
  readonly withoutGlobals?: readonly string[];
  readonly limits?: Partial<SandboxLimits>;
  readonly host?: Readonly<Record<string, HostFunction>>;
  /** Asked once the first `after` cases have their verdicts: when it says no, the run ends there, with those verdicts. */
  readonly checkpoint?: { readonly after: number; proceed(verdicts: readonly Verdict[]): boolean };
  readonly signal?: AbortSignal;
}

/** Verdicts in the order of the cases: as many as cases, unless the job's checkpoint ended the run. */
export type RunProgram = (job: SandboxJob) => Promise<readonly Verdict[]>;

/** Asks whether files of one owner parse, one after the other, in one child that never runs any of them. */
export interface Parser {
  /**
   * What is wrong with the text of a file by itself (types that cannot be stripped, syntax); its imports are not looked at. `undefined`
   * when nothing is, and when it cannot be told (too large, not in time or memory): a run tells then.
   */
  parse(
    path: string,
    source: string,
    signal?: AbortSignal,
  ): Promise<{ readonly code: string; readonly message: string } | undefined>;
  close(): void;
}

/** One shell command over a virtual tree. */
export interface ShellJob {
  readonly command: string;
  /** Absolute virtual path -> text. */
  readonly files: Readonly<Record<string, string>>;
  /** Absolute virtual directory the command starts in; default `/`. */
  readonly cwd?: string;
  readonly limits?: Partial<ShellLimits>;
  readonly signal?: AbortSignal;
}

export interface ShellLimits {
  readonly wallMs: number;
  readonly memoryMb: number;
  /** Bytes of stdout and of stderr, each. */
  readonly outputBytes: number;
  /** Bytes of all changed files together. */
  readonly changedBytes: number;
}

/** What a shell command left. The tree itself lives with the caller: `changed` is a proposal. */
export interface ShellResult {
  readonly status: 'done' | 'timeout' | 'memory' | 'crash' | 'output-limit';
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Absolute path -> new text, or null where the file is gone. Empty unless `status` is `done`. */
  readonly changed: Readonly<Record<string, string | null>>;
  /** Absolute paths of files whose content the command opened, sorted, each once. */
  readonly reads: readonly string[];
  readonly wallMs: number;
}

export type RunShell = (job: ShellJob) => Promise<ShellResult>;

/**
 * Shell commands of one owner, one after the other, in one child (another one after a command that did not end by itself).
 * Nothing passes from one command to the next but what the caller passes on.
 */
export interface ShellSession {
  readonly run: RunShell;
  close(): void;
}

/** Both kinds of disposable children behind one door; `close` kills whatever is left. */
export interface Sandbox {
  readonly run: RunProgram;
  /** One command in a child of its own. */
  readonly shell: RunShell;
  /** A child for all commands of one owner: never let two agents share a session. */
  openShell(): ShellSession;
  /** A child for all files of one owner. */
  openParser(): Parser;
  close(): Promise<void>;
}
