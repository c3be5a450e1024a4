import type { LoadedRun, Skipped } from '../loaded-run.ts';

/** How many skipped things are named one by one; all are counted. */
export const NAMED_SKIPS = 500;
/** How many different defects are remembered, so that one that is met again is not counted again. */
const REMEMBERED = 100_000;

/** Fixed sentences of the tally of skipped things. */
export const WHY = {
  leaves: 'a link that leaves the folder; links are not followed out of it',
  pointer: 'a Git LFS pointer: the file itself was never fetched (`git lfs pull` gets it)',
  tooLarge: 'larger than the limit for one file',
  tooLong: 'a line longer than the limit',
  notUtf8: 'not UTF-8',
  notJson: 'not JSON (half-written or damaged)',
  notRow: 'not a row of its table',
  noFile: 'no regular file',
  unreadable: 'cannot be opened',
  gone: 'no such file or folder',
} as const;

/**
 * Collects what could not be used. `why` is one of few fixed sentences, so that a tally by it says something; what varies is the
 * `detail`. The same defect of the same place counts once, however often it is met.
 */
export class SkipLog {
  readonly #named: Skipped[] = [];
  readonly #counts = new Map<string, number>();
  readonly #met = new Set<string>();
  readonly #onNote: (skipped: Skipped) => void;

  /** @param onNote called for each defect, counted or named */
  constructor(onNote: (skipped: Skipped) => void = () => {}) {
    this.#onNote = onNote;
  }

  note(skipped: Skipped): void {
    const key = JSON.stringify([skipped.path, skipped.line, skipped.why]);
    if (this.#met.has(key)) return;
    if (this.#met.size < REMEMBERED) this.#met.add(key);
    this.#onNote(skipped);
    this.#counts.set(skipped.why, (this.#counts.get(skipped.why) ?? 0) + 1);
    if (this.#named.length < NAMED_SKIPS) this.#named.push(skipped);
  }

  /** The first `NAMED_SKIPS`, in the order met. */
  get named(): readonly Skipped[] {
    return this.#named;
  }

  /** All, by reason, the most frequent first. */
  get counts(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#counts].sort(([, a], [, b]) => b - a));
  }
}

/** A file of a run as skipped things name it, whoever reads it. */
export function pathInRun({ path, id }: Pick<LoadedRun, 'path' | 'id'>, file: string): string {
  const base = path ?? id;
  return base === '' || base === '.' ? file : `${base}/${file}`;
}

/** A line that the reader of our own tables could not use, in the words of the tally. */
export function badLine(path: string, { line, problem }: { readonly line: number; readonly problem: string }): Skipped {
  const known = { 'not JSON': WHY.notJson, 'not UTF-8': WHY.notUtf8, 'longer than the limit': WHY.tooLong }[problem];
  return { path, line, what: 'line', ...(known === undefined ? { why: WHY.notRow, detail: problem } : { why: known }) };
}
