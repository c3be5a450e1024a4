import type { LoadedAgent, LoadedGeneration, LoadedRun, ProgramLanguage } from '../trace/loaded-run.ts';
import type { AdoptionRow, Evidence, ReuseMeasure } from '../trace/schema.ts';
import type { AdoptionRecords } from './adoption-records.ts';
import { isAdoption, MIN_NOVEL_LINES, MIN_NOVEL_TOKENS } from './evidence.ts';
import type { Measured } from './placebo.ts';
import { type CodedGeneration, hadCode, hasCode, publishedBests } from './published-bests.ts';
import { compareNovel, findNovel, type NovelCode } from './reuse.ts';
import type { CodeLanguage } from './tokens.ts';

/** What of a new program is new, and which programs of one peer it could have come from. */
export interface ProvenanceQuestion {
  readonly run: LoadedRun;
  readonly agent: LoadedAgent;
  readonly peer: LoadedAgent;
  readonly generation: CodedGeneration;
  /** The program it was made from. */
  readonly previous: CodedGeneration;
  /** Programs of the peer that the agent had been shown, ascending. */
  readonly versions: readonly CodedGeneration[];
  /** Made when first asked for; the same for all peers of a generation. */
  readonly novel: () => NovelCode;
}

/** The peer's program that holds most of what is new. */
export interface Provenance extends Measured<ProvenanceQuestion> {
  /** Absent: nothing was visible, or too little was new to compare. */
  readonly version?: CodedGeneration;
  readonly reuse?: ReuseMeasure;
  /** Set for an adoption. */
  readonly evidence?: Evidence;
}

/**
 * The questions of the provenance rule about a run: every changed program of every agent against every peer. Visible is what the
 * `exposures` say that the agent had been shown by then, where the run has them; otherwise what the peer had published before.
 */
export function provenanceQuestions(run: LoadedRun, records?: AdoptionRecords): readonly ProvenanceQuestion[] {
  return run.agents.flatMap((agent) =>
    agent.generations.flatMap((generation, n) => {
      const before = agent.generations.slice(0, n);
      const past = before.filter(hasCode);
      const previous = predecessorOf(generation, before);
      if (!hasCode(generation) || previous === undefined || !hasCode(previous)) return [];
      if (previous.code === generation.code) return [];
      let novel: NovelCode | undefined;
      const pastCode = past.map(({ code }) => code);
      const question = {
        run,
        agent,
        generation,
        previous,
        novel: () => (novel ??= findNovel(generation.code, pastCode, codeLanguageOf(generation.language))),
      };
      return run.agents
        .filter((peer) => peer !== agent)
        .map((peer) => ({ ...question, peer, versions: visibleVersions(agent, peer, generation.generation, records) }));
    }),
  );
}

/** The program that one was made from, readable or not: its parent, otherwise the last before it that had code. */
function predecessorOf(
  { parents }: LoadedGeneration,
  before: readonly LoadedGeneration[],
): LoadedGeneration | undefined {
  const past = before.filter(hadCode);
  return past.find(({ id }) => id === parents[0]) ?? past.at(-1);
}

/** How many programs of the runs had code that cannot be read, and how many are not judged because they were made from such. */
export function unreadIn(runs: readonly LoadedRun[]): { readonly programs: number; readonly notJudged: number } {
  const agents = runs.flatMap((run) => run.agents);
  const following = agents.flatMap(({ generations }) =>
    generations.filter((one, n) => hasCode(one) && predecessorOf(one, generations.slice(0, n))?.unread === true),
  );
  const programs = agents.flatMap(({ generations }) => generations.filter(({ unread }) => unread === true));
  return { programs: programs.length, notJudged: following.length };
}

/** The programs of a peer that an agent had been shown when it made `generation`, ascending. */
export function visibleVersions(
  agent: LoadedAgent,
  peer: LoadedAgent,
  generation: number,
  records?: AdoptionRecords,
): readonly CodedGeneration[] {
  if (records === undefined) return publishedBests(peer).filter((best) => best.generation < generation);
  const shown = new Set(
    records.exposures
      .filter((row) => row.agent === agent.name && row.peer === peer.name && row.round <= generation)
      .map(({ peerGeneration }) => peerGeneration),
  );
  return peer.generations
    .filter(hasCode)
    .filter((version) => version.generation < generation && shown.has(version.generation));
}

/** What of a question's new code is found in some programs: the real peer's, or a stranger's as placebo. */
export function measureProvenance(
  question: ProvenanceQuestion,
  versions: readonly CodedGeneration[] = question.versions,
): Provenance {
  if (versions.length === 0) return { question, closeness: null, adoption: false };
  const novel = question.novel();
  const enough = novel.lines.size >= MIN_NOVEL_LINES && novel.tokens >= MIN_NOVEL_TOKENS;
  if (!enough) return { question, closeness: 0, adoption: false };
  let best: { version: CodedGeneration; reuse: ReuseMeasure; closeness: number } | undefined;
  for (const version of versions) {
    const reuse = compareNovel(novel, version.code);
    const closeness = isAdoption(reuse) ? Math.max(reuse.lines, reuse.tokens) : 0;
    if (best === undefined || closeness > best.closeness) best = { version, reuse, closeness };
  }
  if (best === undefined) return { question, closeness: null, adoption: false };
  const { version, reuse, closeness } = best;
  const adoption = closeness > 0;
  const evidence: Evidence = { level: 'similar', exposures: [], reads: [] };
  return { question, closeness, adoption, version, reuse, ...(adoption && { evidence }) };
}

/** The answer that a run of ours has on record: its adoption row with the evidence ladder, or no adoption. */
export function recordedProvenance(question: ProvenanceQuestion, rows: readonly AdoptionRow[]): Provenance {
  const { agent, peer, generation, versions } = question;
  const row = rows.find(
    (one) => one.agent === agent.name && one.peer === peer.name && one.generation === generation.generation,
  );
  if (row === undefined) return { question, closeness: versions.length === 0 ? null : 0, adoption: false };
  const version = peer.generations.filter(hasCode).find((one) => one.generation === row.peerGeneration);
  return {
    question,
    closeness: row.reuse,
    adoption: true,
    evidence: row.evidence,
    reuse: row.reuseDetail,
    ...(version && { version }),
  };
}

/** Whose comment and literal syntax a language has. */
export function codeLanguageOf(language: ProgramLanguage): CodeLanguage {
  return language === 'python' ? 'python' : 'javascript';
}
