import type { ReuseMeasure } from '../trace/schema.ts';
import { KGRAM_TOKENS, kgramHashes, WINNOW_WINDOW, winnow } from './fingerprints.ts';
import { normaliseLines } from './lines.ts';
import { type Stretch, SuffixAutomaton } from './suffix-automaton.ts';
import { type CodeLanguage, tokenize } from './tokens.ts';

/** Own tokens between two novel stretches that do not end a common run: too few for winnowing to promise a match, so idiom. */
const MAX_IDIOM_TOKENS = KGRAM_TOKENS + WINNOW_WINDOW - 2;

/** What is new in a program against everything its agent ever had. Made once, compared with any number of peers. */
export interface NovelCode {
  readonly language: CodeLanguage;
  /** Distinct nontrivial lines in none of the agent's past programs. */
  readonly lines: ReadonlySet<string>;
  /** Stretches of tokens that no k-gram of the past covers. */
  readonly stretches: readonly Stretch[];
  /** The stretches, joined where only idiom lies between them: `. push ( {` in the middle of copied code is not one's own. */
  readonly joined: readonly Stretch[];
  readonly tokens: number;
  /** Hashes of the k-grams that are fingerprints of the stretches. */
  readonly fingerprints: readonly number[];
  readonly ids: Int32Array;
  readonly idOf: ReadonlyMap<string, number>;
}

export interface ReuseQuestion {
  readonly code: string;
  /** Every program the agent had before, in any order; the initial one included. */
  readonly ownPast: readonly string[];
  readonly peer: string;
  /** @default 'javascript' */
  readonly language?: CodeLanguage;
}

/**
 * How much of what is new in `code` (found nowhere in the agent's own past) is found in the peer's code.
 *
 * - `lines`: share of the distinct novel lines; 0 if there are none. Comments, white space and trivial lines do not count.
 * - `tokens`: share of the fingerprints of the novel stretches whose k-gram occurs in the peer's code; 0 if there are none.
 *   So moving code about costs nothing, and a changed number is novel but never reuse.
 * - `novelTokens`: tokens covered by no k-gram of the past. `longestRun`: exact, in tokens, inside novel stretches joined across idiom.
 *
 * Names count: renaming the identifiers of copied code hides it from this measure.
 */
export function measureReuse({ code, ownPast, peer, language = 'javascript' }: ReuseQuestion): ReuseMeasure {
  return compareNovel(findNovel(code, ownPast, language), peer);
}

/** The part of `code` that is in none of `ownPast`. */
export function findNovel(code: string, ownPast: readonly string[], language: CodeLanguage = 'javascript'): NovelCode {
  const tokens = tokenize(code, language);
  const idOf = new Map<string, number>();
  const ids = Int32Array.from(tokens.texts, (text) => {
    const id = idOf.get(text) ?? idOf.size + 1;
    idOf.set(text, id);
    return id;
  });
  const hashes = kgramHashes(ids);
  const startsOf = new Map<number, number[]>();
  for (const [i, hash] of hashes.entries()) {
    const starts = startsOf.get(hash);
    if (starts) starts.push(i);
    else startsOf.set(hash, [i]);
  }
  const lines = new Set(normaliseLines(tokens).lines);
  const covered = new Uint8Array(ids.length);
  for (const past of new Set(ownPast)) {
    const old = tokenize(past, language);
    for (const line of normaliseLines(old).lines) lines.delete(line);
    for (const hash of kgramHashes(idsOf(old.texts, idOf))) {
      const starts = startsOf.get(hash);
      if (!starts) continue;
      for (const start of starts) covered.fill(1, start, start + KGRAM_TOKENS);
      startsOf.delete(hash);
    }
  }
  const stretches = uncoveredStretches(covered);
  const fingerprints = stretches.flatMap(({ from, to }) =>
    winnow(hashes, from, to - KGRAM_TOKENS + 1).map((position) => hashes[position] ?? 0),
  );
  const novelTokens = stretches.reduce((sum, { from, to }) => sum + to - from, 0);
  return { language, lines, stretches, joined: joinStretches(stretches), tokens: novelTokens, fingerprints, ids, idOf };
}

/** How much of the novel code a peer's program holds. */
export function compareNovel(novel: NovelCode, peer: string): ReuseMeasure {
  const tokens = tokenize(peer, novel.language);
  const peerLines = normaliseLines(tokens).lines;
  const peerIds = idsOf(tokens.texts, novel.idOf);
  const peerKgrams = new Set(kgramHashes(peerIds));
  const count = (found: number, all: number) => (all === 0 ? 0 : found / all);
  return {
    lines: count([...novel.lines].filter((line) => peerLines.has(line)).length, novel.lines.size),
    tokens: count(novel.fingerprints.filter((hash) => peerKgrams.has(hash)).length, novel.fingerprints.length),
    novelLines: novel.lines.size,
    novelTokens: novel.tokens,
    longestRun: new SuffixAutomaton(peerIds).longestRunIn(novel.ids, novel.joined),
  };
}

/** Ids of tokens; 0 for those the code in question does not have, which match nothing in it. */
function idsOf(texts: readonly string[], idOf: ReadonlyMap<string, number>): Int32Array {
  return Int32Array.from(texts, (text) => idOf.get(text) ?? 0);
}

function uncoveredStretches(covered: Uint8Array): Stretch[] {
  const stretches: Stretch[] = [];
  for (let from = covered.indexOf(0); from >= 0; ) {
    const end = covered.indexOf(1, from);
    const to = end < 0 ? covered.length : end;
    stretches.push({ from, to });
    from = covered.indexOf(0, to);
  }
  return stretches;
}

function joinStretches(stretches: readonly Stretch[]): Stretch[] {
  const joined: Stretch[] = [];
  for (const stretch of stretches) {
    const last = joined.at(-1);
    if (last && stretch.from - last.to <= MAX_IDIOM_TOKENS)
      joined[joined.length - 1] = { from: last.from, to: stretch.to };
    else joined.push(stretch);
  }
  return joined;
}
