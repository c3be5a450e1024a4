import type { Program } from './program-text.ts';

/** One thing a persona knows how to do to a program. */
export interface Idea {
  /** Unique within the persona and task; what the journal remembers it by. */
  readonly key: string;
  /** What it does and why it should help, as the persona says it. */
  readonly words: string;
  /** The program with it, or `undefined` where it does not apply (already there, or nothing to apply it to). */
  apply(program: Program): string | undefined;
}

/** A scripted participant that improves programs: what it knows, and its habits. */
export interface Persona {
  readonly name: string;
  /** One line for people: what it knows. */
  readonly summary: string;
  /** Task name -> what it knows about it, roughly in the order in which it comes to mind. */
  readonly ideas: Readonly<Record<string, readonly Idea[]>>;
  /** How it opens a peer's program. */
  readonly reads: 'editor' | 'bash';
  /** Whether it goes on to try other numbers when it has no idea left. */
  readonly tunes: boolean;
}
