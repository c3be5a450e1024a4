import type { SourceLine } from './source-lines.ts';

/** Consecutive lines that must agree, the renamed ones and those between and around them. */
export const MIN_RENAMED_LINES = 3;
/** Tokens that must agree beyond those that the renaming itself could explain. */
export const MIN_RENAMED_TOKENS = 20;
/** What each name that was changed costs of the evidence: any line fits any other if enough may be renamed. */
const TOKENS_PER_RENAME = 4;
/** A skeleton that stands at more places says nothing about which. */
const MAX_PLACES = 32;

/**
 * Finds lines of a program that are lines of another with names changed: runs of lines that are equal but for names, where each
 * name stands for one other name throughout, and with more in common than the changes could explain.
 *
 * @returns keys of renamed lines of `lines`, with the key of the line of `source` each was
 */
export function findRenamed(
  lines: readonly SourceLine[],
  source: readonly SourceLine[],
  isNovel: (line: SourceLine) => boolean,
): ReadonlyMap<string, string> {
  const target = lines.filter(({ kind }) => kind === 'code');
  const from = source.filter(({ kind }) => kind === 'code');
  const places = new Map<string, number[]>();
  for (const [n, { skeleton }] of from.entries()) {
    const known = places.get(skeleton);
    if (known) known.push(n);
    else places.set(skeleton, [n]);
  }
  const renamed = new Map<string, string>();
  let done = 0;
  for (const [t, line] of target.entries()) {
    const at = places.get(line.skeleton) ?? [];
    if (t < done || !isNovel(line) || at.length > MAX_PLACES) continue;
    let best: Block | undefined;
    for (const s of at) {
      const block = blockAround(target, from, t, s);
      if (block && block.weight > (best?.weight ?? 0)) best = block;
    }
    if (!best) continue;
    done = best.to;
    for (let n = best.from; n < best.to; n++) {
      const [now, before] = [target[n], from[n + best.shift]];
      if (now && before && now.key !== before.key && isNovel(now)) renamed.set(now.key, before.key);
    }
  }
  return renamed;
}

interface Block {
  /** Lines `[from, to)` of the target; line n of it was line n + shift of the source. */
  readonly from: number;
  readonly to: number;
  readonly shift: number;
  readonly weight: number;
}

/** The longest run of lines around (t, s) under one renaming, if it is evidence enough. */
function blockAround(
  target: readonly SourceLine[],
  source: readonly SourceLine[],
  t: number,
  s: number,
): Block | undefined {
  const renaming = new Renaming();
  const fits = (n: number): boolean => {
    const [now, before] = [target[n], source[n + s - t]];
    return (
      now !== undefined && before !== undefined && now.skeleton === before.skeleton && renaming.extend(now, before)
    );
  };
  if (!fits(t)) return undefined;
  let to = t + 1;
  while (fits(to)) to++;
  let from = t;
  while (fits(from - 1)) from--;
  const tokens = target.slice(from, to).reduce((sum, line) => sum + line.tokens, 0);
  const weight = tokens - TOKENS_PER_RENAME * renaming.changes;
  if (to - from < MIN_RENAMED_LINES || weight < MIN_RENAMED_TOKENS) return undefined;
  return { from, to, shift: s - t, weight };
}

/** Names that stand for names, one for one. */
class Renaming {
  readonly #before = new Map<string, string>();
  readonly #now = new Map<string, string>();
  changes = 0;

  /** Takes a line's names in, or nothing of them if one contradicts what is known. */
  extend(now: SourceLine, before: SourceLine): boolean {
    const added: [now: string, before: string][] = [];
    for (const [n, name] of now.names.entries()) {
      const old = before.names[n] ?? '';
      const known = this.#before.get(name);
      if (known === undefined && !this.#now.has(old)) {
        this.#before.set(name, old);
        this.#now.set(old, name);
        added.push([name, old]);
      } else if (known !== old) {
        for (const [one, other] of added) {
          this.#before.delete(one);
          this.#now.delete(other);
        }
        return false;
      }
    }
    this.changes += added.filter(([one, other]) => one !== other).length;
    return true;
  }
}
