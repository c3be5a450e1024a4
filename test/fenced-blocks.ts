import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

/** A fenced block of a page: what it is written in, the word after that, and its lines. */
export interface FencedBlock {
  readonly language: string;
  /** What the block is for; '' for one that is only there to be read. */
  readonly purpose: string;
  readonly text: string;
}

/** All fenced blocks of a Markdown page, in order. */
export function fencedBlocks(markdown: string): readonly FencedBlock[] {
  return [...markdown.matchAll(/^```(\w*)(?: (\S+))?\n(.*?)^```$/gmsu)].map(
    ([, language = '', purpose = '', text = '']) => ({ language, purpose, text }),
  );
}

/** A page of the repository. */
export function readPage(path: string): Promise<string> {
  return readFile(fileURLToPath(new URL(`../${path}`, import.meta.url)), 'utf8');
}
