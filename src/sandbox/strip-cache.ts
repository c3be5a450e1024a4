import type { ProgramError } from './frames.ts';

/** A module without its types, or why it cannot be had. Made in a child, before any program is loaded there. */
export type Stripped = { readonly text: string } | { readonly error: ProgramError };

/** Characters of sources and results kept; the least recently used go first. */
const MOST_CHARS = 16 * 1024 * 1024;

/**
 * What stripping gave for a module, by its path and exact source. Starting the stripper costs a child more than all the rest of
 * its start, and the same modules are run many times: each is stripped once.
 */
export class StripCache {
  readonly #entries = new Map<string, Stripped>();
  #chars = 0;

  get(path: string, source: string): Stripped | undefined {
    const key = keyOf(path, source);
    const found = this.#entries.get(key);
    if (found !== undefined) {
      this.#entries.delete(key);
      this.#entries.set(key, found);
    }
    return found;
  }

  set(path: string, source: string, stripped: Stripped): void {
    const key = keyOf(path, source);
    if (this.#entries.has(key)) return;
    this.#entries.set(key, stripped);
    this.#chars += sizeOf(key, stripped);
    for (const [oldest, entry] of this.#entries) {
      if (this.#chars <= MOST_CHARS) break;
      this.#entries.delete(oldest);
      this.#chars -= sizeOf(oldest, entry);
    }
  }
}

/** Only files named as TypeScript are stripped. */
export function needsStripping(path: string): boolean {
  return /\.[cm]?ts$/.test(path);
}

function keyOf(path: string, source: string): string {
  return `${path}\0${source}`;
}

function sizeOf(key: string, stripped: Stripped): number {
  return key.length + ('text' in stripped ? stripped.text.length : stripped.error.message.length);
}
