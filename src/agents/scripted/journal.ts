import { parseProgram, withDeclaration, withoutDeclaration } from './program-text.ts';

/** One line of the journal an agent keeps as comments at the end of its program. */
export interface JournalEntry {
  readonly generation: number;
  /** What was tried, e.g. `swap-once`, `take:kick@tuner`, `tune:kickRounds=6`. */
  readonly key: string;
  readonly words: string;
  /** `kept ...`, `dropped ...` or `lost ...`; absent until its score is known. */
  readonly outcome?: string;
}

/** A program with its journal set apart. */
export interface Journal {
  /** The program without the journal, ending in one newline. */
  readonly code: string;
  readonly entries: readonly JournalEntry[];
  /** How to take the last entry's change back. */
  readonly undo: Undo;
}

export interface Undo {
  /** Declarations the change added. */
  readonly added: readonly string[];
  /** Earlier texts of the declarations it replaced, by name. */
  readonly replaced: ReadonlyMap<string, string>;
}

const TITLE = '// Journal: generation, key, what was tried, what came of it; then how to take the last change back.';
const NOTHING: Undo = { added: [], replaced: new Map() };

/** Reads the journal of a program; a program without one has no entries. */
export function readJournal(text: string): Journal {
  const at = text.indexOf(TITLE);
  if (at < 0) return { code: `${text.trimEnd()}\n`, entries: [], undo: NOTHING };
  const entries: JournalEntry[] = [];
  const added: string[] = [];
  const old: string[] = [];
  for (const line of text.slice(at).split('\n').slice(1)) {
    const match = /^\/\/ gen (\d+) \| ([^|\s]+) \| ([^|]*?)(?: \| (.*))?$/.exec(line);
    if (match !== null) {
      const outcome = match[4] === undefined ? {} : { outcome: match[4] };
      entries.push({ generation: Number(match[1]), key: match[2] ?? '', words: match[3] ?? '', ...outcome });
    } else if (line.startsWith('//+ ')) added.push(...line.slice(4).split(' '));
    else if (line.startsWith('//- ')) old.push(line.slice(4));
    else if (line === '//-') old.push('');
  }
  const declarations = parseProgram(old.join('\n')).declarations;
  const replaced = new Map(declarations.map(({ name, text: before }) => [name, before]));
  return { code: `${text.slice(0, at).trimEnd()}\n`, entries, undo: { added, replaced } };
}

/** The program with its journal at the end. */
export function writeJournal({ code, entries, undo }: Journal): string {
  if (entries.length === 0) return code;
  const lines = entries.map(({ generation, key, words, outcome }) => {
    const end = outcome === undefined ? '' : ` | ${outcome}`;
    return `// gen ${generation} | ${key} | ${words.replaceAll(/[|\n]/g, ' ')}${end}`;
  });
  if (undo.added.length > 0) lines.push(`//+ ${undo.added.join(' ')}`);
  for (const text of undo.replaced.values()) {
    for (const line of text.split('\n')) lines.push(line === '' ? '//-' : `//- ${line}`);
  }
  return `${code.trimEnd()}\n\n${TITLE}\n${lines.join('\n')}\n`;
}

/** What would take the step from `before` to `after` back. */
export function undoOf(before: string, after: string): Undo {
  const old = parseProgram(before);
  const added: string[] = [];
  const replaced = new Map<string, string>();
  for (const { name, text } of parseProgram(after).declarations) {
    const earlier = old.find(name);
    if (earlier === undefined) added.push(name);
    else if (earlier.text !== text) replaced.set(name, earlier.text);
  }
  return { added, replaced };
}

/** The code without the last change. */
export function takeBack(code: string, undo: Undo): string {
  let text = code;
  for (const [name, before] of undo.replaced) text = withDeclaration(text, name, before);
  for (const name of undo.added) text = withoutDeclaration(text, name);
  return text;
}

/**
 * Writes down what came of the last change, and takes it back when it did not help: its generation's score is no better
 * than every earlier one. Without a score nothing is concluded and the change stays.
 */
export function settleLast(journal: Journal, scores: ReadonlyMap<number, number>): Journal {
  const last = journal.entries.at(-1);
  if (last === undefined || last.outcome !== undefined) return { ...journal, undo: NOTHING };
  const score = scores.get(last.generation);
  const best = bestBefore(scores, last.generation);
  const helped = score === undefined || best === undefined || score > best + 1e-9;
  const figure = score === undefined ? '' : ` ${round(score)}`;
  const outcome = helped ? `kept${figure}` : `dropped${figure} after ${round(best ?? 0)}`;
  return {
    code: helped ? journal.code : takeBack(journal.code, journal.undo),
    entries: [...journal.entries.slice(0, -1), { ...last, outcome }],
    undo: NOTHING,
  };
}

/** The best score of the generations before this one. */
export function bestBefore(scores: ReadonlyMap<number, number>, generation: number): number | undefined {
  const earlier = [...scores].filter(([other]) => other < generation).map(([, score]) => score);
  return earlier.length === 0 ? undefined : Math.max(...earlier);
}

function round(score: number): string {
  return score.toFixed(4);
}
