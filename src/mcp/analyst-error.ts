import { quoted } from './protocol-handlers.ts';

export type AnalystErrorCode =
  | 'no-such-folder'
  | 'no-such-run'
  | 'no-such-agent'
  | 'no-such-candidate'
  | 'no-such-file'
  | 'no-such-adoption'
  | 'no-such-diagnostic'
  | 'no-such-column'
  | 'bad-arguments'
  | 'bad-cursor'
  | 'stale-cursor'
  | 'unreadable-run'
  | 'too-much';

/** What an analyst asked for cannot be given. The message names the thing, the value and the way out; no path of the host is in it. */
export class AnalystError extends Error {
  override readonly name = 'AnalystError';
  readonly code: AnalystErrorCode;
  constructor(code: AnalystErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Characters of a name that are compared: a client may send any. */
const MAX_NAME = 120;
const NAMED = 8;

/** "; there are: a, b ... (12 in all)", those most like `name` first. */
export function thereAre(name: string, known: readonly string[]): string {
  if (known.length === 0) return '; there are none';
  const shown = nearest(name, known, NAMED).map(quoted);
  const more = known.length > shown.length ? ` ... (${known.length} in all)` : '';
  return `; ${known.length > shown.length ? 'nearest' : 'there are'}: ${shown.join(', ')}${more}`;
}

/** The known names most like `name`, best first. */
export function nearest(name: string, known: readonly string[], count: number): readonly string[] {
  const wanted = pairsOf(name);
  return known
    .map((candidate, n) => ({ candidate, n, likeness: likeness(wanted, pairsOf(candidate)) }))
    .sort((a, b) => b.likeness - a.likeness || a.n - b.n)
    .slice(0, count)
    .map(({ candidate }) => candidate);
}

/** Neighbouring letters: whole folders may be missing in front of a name, so an edit distance would not tell. */
function pairsOf(text: string): ReadonlySet<string> {
  const letters = `^${text.slice(-MAX_NAME).toLowerCase()}$`;
  return new Set(Array.from({ length: letters.length - 1 }, (_, n) => letters.slice(n, n + 2)));
}

/** Sørensen-Dice, 0 .. 1. */
function likeness(a: ReadonlySet<string>, b: ReadonlySet<string>): number {
  let common = 0;
  for (const pair of a) if (b.has(pair)) common++;
  return (2 * common) / (a.size + b.size);
}
