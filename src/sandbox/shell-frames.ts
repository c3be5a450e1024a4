/** The time a shell command sees, always: 1 January 2026, 00:00 UTC. */
export const SHELL_EPOCH_MS = Date.UTC(2026, 0, 1);

/** The one line from the parent to a shell child. */
export interface ToShellChild {
  readonly nonce: string;
  readonly command: string;
  readonly files: Readonly<Record<string, string>>;
  readonly givenBytes: number;
  readonly cwd: string;
  readonly wallMs: number;
  readonly outputBytes: number;
  readonly changedBytes: number;
}

/** The one line from a shell child to its parent, after the nonce. */
export interface ShellAnswer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly changed: Readonly<Record<string, string | null>>;
  /** Bytes of all changed files, also when `changed` was left empty because of it. */
  readonly changedBytes: number;
  readonly reads: readonly string[];
}

/** Checks the shape of a shell child's line; `undefined` when it is not a {@link ShellAnswer}. */
export function parseShellAnswer(text: string): ShellAnswer | undefined {
  let answer: Partial<Record<keyof ShellAnswer, unknown>> | null;
  try {
    answer = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof answer !== 'object' || answer === null) return undefined;
  const { exitCode, stdout, stderr, changed, changedBytes, reads } = answer;
  if (typeof exitCode !== 'number' || !Number.isInteger(exitCode)) return undefined;
  if (typeof stdout !== 'string' || typeof stderr !== 'string' || typeof changedBytes !== 'number') return undefined;
  if (!Array.isArray(reads) || !reads.every((path) => typeof path === 'string')) return undefined;
  if (typeof changed !== 'object' || changed === null || !isChanged(changed)) return undefined;
  return { exitCode, stdout, stderr, changed, changedBytes, reads };
}

function isChanged(changed: object): changed is Record<string, string | null> {
  return Object.entries(changed).every(
    ([path, text]) => path.startsWith('/') && (text === null || typeof text === 'string'),
  );
}
