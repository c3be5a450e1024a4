import type { Json } from './sandbox.ts';

/**
 * The lines between the parent and an isolate child. Parent to child: one JSON object a line ({@link ToChild}).
 * Child to parent: the run's nonce, one letter ({@link FrameKind}), a payload without line breaks.
 * The isolate sees neither the nonce nor the pipes.
 */
export type ToChild =
  /** Strip the types off these modules; nothing of them is run. Answered by `S`. */
  | { readonly op: 'strip'; readonly nonce: string; readonly modules: Readonly<Record<string, string>> }
  /** Compile this module, its types stripped; nothing of it is run. Answered by `P`. */
  | { readonly op: 'parse'; readonly nonce: string; readonly path: string; readonly text: string }
  | {
      readonly op: 'job';
      readonly nonce: string;
      /** Types stripped. */
      readonly modules: Readonly<Record<string, string>>;
      /** Modules that could not be stripped: an error once the program reaches one. */
      readonly broken: Readonly<Record<string, ProgramError>>;
      readonly entry: string;
      readonly memoryMb: number;
      readonly resultBytes: number;
      readonly logBytes: number;
      readonly logLines: number;
      readonly hostCalls: number;
      readonly hostBytes: number;
      readonly maxDepth: number;
      readonly hostNames: readonly string[];
      readonly withoutGlobals: readonly string[];
    }
  | { readonly op: 'load'; readonly seed: number }
  | { readonly op: 'step'; readonly input: string }
  | { readonly op: 'reply'; readonly id: number; readonly ok: boolean; readonly text: string };

/** An error in the agent's own terms: message and line of its own file. */
export interface ProgramError {
  readonly code: string;
  readonly message: string;
}

/** A {@link ProgramError} that came from a child; undefined when it is none. */
export function programErrorOf(value: Json | undefined): ProgramError | undefined {
  if (typeof value !== 'object' || value === null || !('code' in value && 'message' in value)) return undefined;
  const { code, message } = value;
  return typeof code === 'string' && typeof message === 'string' ? { code, message } : undefined;
}

/**
 * - `S` stripped modules: path -> text, or a {@link ProgramError}
 * - `P` what is wrong with the module, as {@link ProgramError}, or `null`
 * - `V` the step's value as JSON text
 * - `E` the program's error as {@link ProgramError}
 * - `B` the value is not plain JSON (payload: JSON string of the reason), `O` it is too large, `M` the isolate's memory limit was hit
 * - `L` one log line as JSON string
 * - `C` a host call `{ id, name, args }`
 * - `I` the realm is idle; payload: how many replies it had been given by then
 */
export type FrameKind = 'S' | 'P' | 'V' | 'E' | 'B' | 'O' | 'M' | 'L' | 'C' | 'I';

/** The line an idle child prints when it can take a job (the only one without a nonce; printed before any program is there). */
export const READY_LINE = 'ready';
