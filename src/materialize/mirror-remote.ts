/** One file of the view as the space has it. */
export interface RemoteFile {
  readonly path: string;
  /** Of the text, hex. */
  readonly sha256: string;
  /** UTF-8 bytes. */
  readonly bytes: number;
  readonly editable: boolean;
  readonly kind: string;
}

/** What the space says to a change: done, or not, with what is there now where that is why. */
export type PutAnswer =
  | { readonly ok: true; readonly sha256: string | null }
  | {
      readonly ok: false;
      /** `conflict` when the file has another text than was expected; any other code is a refusal. */
      readonly code: string;
      readonly message: string;
      readonly now?: { readonly sha256: string; readonly text: string } | null;
    };

/**
 * The other side of a folder on disk: an agent's view, wherever its space is. Refusals are values. Every function rejects with
 * {@link RemoteAwayError} when the space cannot be asked right now (the mirror asks again) and with anything else when it never
 * can be again (the mirror stops, the folder stays as it is). Each has a time-out of its own.
 */
export interface MirrorRemote {
  list(): Promise<readonly RemoteFile[]>;
  /** The text of a file, undefined where none is (any more). */
  read(path: string): Promise<string | undefined>;
  /**
   * Compare-and-set: the file gets this text, or is gone (null), if it still has the text with `expected` (null: is not there).
   * Leaves one decision on record. `path` may be any string: the space says what is no path of the view.
   */
  put(path: string, text: string | null, expected: string | null): Promise<PutAnswer>;
  /** Puts a change on record that cannot be offered: not text, too large, a link. */
  refuse(path: string, problem: string): Promise<void>;
  /** Calls when something may be different there; several changes may be told as one. */
  onChange(listener: () => void): () => void;
}

/** The space cannot be asked right now. */
export class RemoteAwayError extends Error {
  override readonly name = 'RemoteAwayError';
  readonly code = 'remote-away';
}
