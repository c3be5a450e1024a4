/** Where a command's text goes; made by `cli.ts`, the only file that prints. */
export interface Output {
  /** Results: standard output. */
  readonly out: (text: string) => void;
  /** Progress and errors: standard error. */
  readonly err: (text: string) => void;
  /** Standard error is a terminal: progress may be redrawn in place. */
  readonly interactive: boolean;
  /** Standard output is a terminal that shows colours, and nobody asked for none (`NO_COLOR`). @default false */
  readonly colour?: boolean;
  readonly columns: number;
}

/** What a command needs of the world, so that it can be tested without one. */
export interface Surroundings {
  readonly output: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  /** Aborted by Ctrl-C or a termination signal. */
  readonly signal: AbortSignal;
}

/** Exit codes of every command. @see design: the command line */
export const EXIT = { done: 0, failed: 1, usage: 2, budget: 3, interrupted: 130 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Wrong usage: exit code 2, the message on standard error. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'usage';
}
