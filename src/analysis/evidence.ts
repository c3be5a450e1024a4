import type { AdoptionRow, Evidence, EvidenceLevel, ReuseMeasure } from '../trace/schema.ts';
import { publishedDistances } from './published-share.ts';
import { compareNovel, findNovel } from './reuse.ts';
import type { CodeLanguage } from './tokens.ts';

/**
 * From this share of the novel code on, found in one peer's program, a generation is an adoption. Among 1086 comparisons of
 * published programs with programs of other runs, which their authors cannot have seen, the largest share above the minima
 * below was 0.18; among 157 with peers' programs that they had been shown, the adoptions were at 0.33 to 1.
 */
export const MIN_REUSE = 0.25;
/** Novel lines a program must have: below it any share is an accident of small numbers. */
export const MIN_NOVEL_LINES = 4;
/** Novel tokens a program must have, about four lines of code. */
export const MIN_NOVEL_TOKENS = 40;
/** Novel lines that must be the peer's: two agents that write the same three lines by themselves are no adopters. */
export const MIN_REUSED_LINES = 4;
/** Tokens in one piece, about two lines, that must be the peer's: scattered idiom is no adoption. */
export const MIN_COMMON_RUN = 20;
/** A piece of this many tokens stands for the lines: code wrapped differently shares runs, not lines. */
export const MIN_REWRAPPED_RUN = 80;

/** One version of a peer's program and what is on record about the agent having met it. */
export interface PeerCode {
  readonly peer: string;
  readonly peerGeneration: number;
  readonly code: string;
  /** Ids of `exposures` rows; empty where nothing is known of exposure (imported traces). */
  readonly exposures: readonly string[];
  /** Ids of `reads` rows of this version. */
  readonly reads: readonly string[];
  /** One of the reads came before an edit of the code in question. Otherwise the reads are no evidence and are left out. */
  readonly readBeforeEdit: boolean;
  /** What the agent opened could not be seen. @default true */
  readonly readsObserved?: false;
  /** The agent's own words nearest before its first edit after the read. */
  readonly statement?: { readonly call: string; readonly text: string };
}

export interface AdoptionQuestion {
  readonly agent: string;
  readonly generation: number;
  readonly code: string;
  readonly parentCode: string;
  /** Every program the agent had before this one; the parent need not be among them. */
  readonly ownPast: readonly string[];
  readonly peers: readonly PeerCode[];
  /** Validation score of the parent and of the new program. */
  readonly before: number;
  readonly after: number;
  /** @default 'javascript' */
  readonly language?: CodeLanguage;
}

/**
 * The adoptions in one new program, at most one row per peer, in the order in which the peers first appear: of several
 * versions of a peer's program the one that holds most of the novel code, of equals the one with the stronger evidence, then
 * the older. Novel is what is in none of the agent's own past, so code that a peer once took from this agent counts nothing.
 */
export function assessAdoption(question: AdoptionQuestion): readonly AdoptionRow[] {
  const { agent, generation, code, parentCode, ownPast, peers, before, after, language } = question;
  if (code === parentCode || peers.length === 0) return [];
  const novel = findNovel(code, [...ownPast, parentCode], language);
  const best = new Map<string, Match>();
  for (const version of peers) {
    const match = { version, reuse: compareNovel(novel, version.code), evidence: evidenceOf(version) };
    const rival = best.get(version.peer);
    if (isAdoption(match.reuse) && (!rival || isStronger(match, rival))) best.set(version.peer, match);
  }
  return [...best.values()].map(({ version, reuse, evidence }) => ({
    id: `${agent}/${generation}<${version.peer}/${version.peerGeneration}`,
    agent,
    generation,
    peer: version.peer,
    peerGeneration: version.peerGeneration,
    evidence,
    reuse: Math.max(reuse.lines, reuse.tokens),
    reuseDetail: reuse,
    share: publishedDistances(code, parentCode, version.code).share,
    before,
    after,
  }));
}

/** Whether a measure of reuse is enough to speak of adoption. */
export function isAdoption({ lines, tokens, novelLines, novelTokens, longestRun }: ReuseMeasure): boolean {
  const enoughNovel = novelLines >= MIN_NOVEL_LINES && novelTokens >= MIN_NOVEL_TOKENS;
  const reusedLines = Math.round(lines * novelLines);
  const inOnePiece = longestRun >= MIN_COMMON_RUN && reusedLines >= MIN_REUSED_LINES;
  return enoughNovel && Math.max(lines, tokens) >= MIN_REUSE && (inOnePiece || longestRun >= MIN_REWRAPPED_RUN);
}

interface Match {
  readonly version: PeerCode;
  readonly reuse: ReuseMeasure;
  readonly evidence: Evidence;
}

const LADDER: readonly EvidenceLevel[] = ['similar', 'exposed', 'read', 'stated'];

function isStronger(a: Match, b: Match): boolean {
  const difference =
    Math.max(a.reuse.lines, a.reuse.tokens) - Math.max(b.reuse.lines, b.reuse.tokens) ||
    LADDER.indexOf(a.evidence.level) - LADDER.indexOf(b.evidence.level) ||
    b.version.peerGeneration - a.version.peerGeneration;
  return difference > 0;
}

function evidenceOf({ exposures, reads, readBeforeEdit, readsObserved, statement }: PeerCode): Evidence {
  const counted = readBeforeEdit ? reads : [];
  const said = counted.length > 0 && statement !== undefined && statement.text.trim() !== '' ? statement : undefined;
  let level: EvidenceLevel = 'similar';
  if (exposures.length > 0) level = 'exposed';
  if (counted.length > 0) level = said ? 'stated' : 'read';
  return {
    level,
    exposures,
    reads: counted,
    ...(readsObserved === false && { readsObserved }),
    ...(said && { statement: said }),
  };
}
