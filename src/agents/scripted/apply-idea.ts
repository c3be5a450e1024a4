import type { Idea } from './persona.ts';
import type { Program } from './program-text.ts';
import { listOf, listText, parseProgram, withDeclaration } from './program-text.ts';

export type PassPlace = 'first' | 'last' | { readonly before: string };

/** Puts those declarations of a snippet into a program that it does not have by name. */
export function withSnippet(text: string, snippet: string): string {
  const have = parseProgram(text);
  return parseProgram(snippet).declarations.reduce(
    (code, one) => (have.find(one.name) === undefined ? withDeclaration(code, one.name, one.text, one.comment) : code),
    text,
  );
}

/** An idea that adds a pass to the list `passes`: at the front, at the end, or before another where that is listed. */
export function addPass(key: string, words: string, pass: string, at: PassPlace, snippet: string): Idea {
  return {
    key,
    words,
    apply(program) {
      const passes = program.find('passes');
      if (passes === undefined || listOf(passes).includes(pass)) return undefined;
      const listed = listOf(passes);
      const index = at === 'first' ? 0 : at === 'last' ? listed.length : listed.indexOf(at.before);
      const list = listed.toSpliced(index < 0 ? listed.length : index, 0, pass);
      return withSnippet(withDeclaration(program.text, 'passes', listText(passes, list)), snippet);
    },
  };
}

/** An idea that rewrites the first line of `forward` that fits `pattern`, and adds what the new line needs. */
export function rewriteLine(key: string, words: string, pattern: RegExp, line: string, snippet: string): Idea {
  return {
    key,
    words,
    apply(program: Program) {
      const forward = program.find('forward');
      if (forward === undefined || !pattern.test(forward.text)) return undefined;
      return withSnippet(
        withDeclaration(
          program.text,
          'forward',
          forward.text.replace(pattern, () => line),
        ),
        snippet,
      );
    },
  };
}
