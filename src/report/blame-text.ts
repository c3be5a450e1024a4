import { type Blame, type BlamedLine, ORIGINS } from '../analysis/blame.ts';
import type { Origin } from '../analysis/line-history.ts';

export interface BlameTextOptions {
  /** ANSI colours, for a terminal only. @default false */
  readonly colour?: boolean;
}

/** What each origin looks like: a letter that needs no colour, and a colour that tells apart for colour-blind eyes too. */
const LOOKS: Readonly<Record<Origin, { readonly letter: string; readonly ansi: number }>> = {
  own: { letter: 'o', ansi: 34 },
  peer: { letter: 'p', ansi: 33 },
  initial: { letter: 'i', ansi: 90 },
  common: { letter: 'c', ansi: 36 },
};

/** Every line with its origin, agent and generation before it, and the shares below; control characters are shown as U+FFFD. */
export function blameText(blame: Blame, { colour = false }: BlameTextOptions = {}): string {
  const paint = (text: string, origin: Origin): string =>
    colour ? `\u001b[${LOOKS[origin].ansi}m${text}\u001b[0m` : text;
  const authorOf = ({ agent, generation }: { agent: string; generation: number }): string =>
    `${visible(agent)}/${generation}`;
  const nameWidth = Math.max(0, ...blame.lines.map((line) => authorOf(line).length));
  const numberWidth = String(blame.lines.length).length;
  const lines = blame.lines.map((line) => {
    const counts = line.kind === 'code' || line.kind === 'comment';
    const author = counts ? authorOf(line) : '';
    const mark = counts ? `${LOOKS[line.origin].letter}${line.renamed ? '~' : ' '}` : '  ';
    const left = `${mark} ${author.padEnd(nameWidth)} ${String(line.number).padStart(numberWidth)}`;
    return `${paint(left, line.origin)}  ${visible(line.text)}`.trimEnd();
  });
  const shares = ORIGINS.map(
    (origin) => `${paint(`${LOOKS[origin].letter} ${origin}`, origin)} ${percent(blame.shares[origin])}`,
  );
  const authors = blame.authors.map((author) => `  ${authorOf(author)}: ${author.lines} ${author.origin}`);
  return [
    `${visible(blame.run)} ${authorOf(blame)} ${visible(blame.file)}`,
    ...lines,
    '',
    `${blame.counted} lines of code that tell where they came from: ${shares.join(', ')}${renamedNote(blame.lines)}`,
    ...authors,
  ].join('\n');
}

function renamedNote(lines: readonly BlamedLine[]): string {
  const renamed = lines.filter((line) => line.renamed).length;
  return renamed === 0 ? '' : `; ~ ${renamed} with names changed since`;
}

function percent(share: number): string {
  return `${(share * 100).toFixed(1)} %`;
}

/** Text of strangers for a terminal. */
function visible(text: string): string {
  // oxlint-disable-next-line no-control-regex -- taking them out is the point
  return text.replaceAll('\t', '    ').replace(/[\u0000-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/gu, '\ufffd');
}
