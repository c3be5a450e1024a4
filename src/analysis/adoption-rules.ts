import type { LoadedAgent, LoadedRun } from '../trace/loaded-run.ts';
import { type GestaltMatch, gestaltMatch } from './difflib.ts';
import { bestThrough, type CodedGeneration, hadCode, hasCode, publishedBefore } from './published-bests.ts';
import { isPublishedAdoption, publishedShare } from './published-share.ts';

export const ADOPTION_RULES = ['published', 'visible', 'provenance'] as const;
export type AdoptionRule = (typeof ADOPTION_RULES)[number];

/** The two things in which a rule of distances can look at the right programs or at the wrong ones. */
export interface DistanceRule {
  /** `through-generation` takes the peer's same generation for visible, which it was not. */
  readonly peer: 'through-generation' | 'published-before';
  /**
   * `preceding` judges no generation that comes after one without code; `last-with-code` none whose predecessor had code that
   * cannot be read.
   */
  readonly previous: 'preceding' | 'last-with-code';
}

/**
 * `published` reproduces the 30 events of hyperspace's `analysis_output.txt`, its two defects included; `visible` is the same
 * statistic without them.
 */
export const DISTANCE_RULES: Readonly<Record<'published' | 'visible', DistanceRule>> = {
  published: { peer: 'through-generation', previous: 'preceding' },
  visible: { peer: 'published-before', previous: 'last-with-code' },
};

/** Compares two texts. `gestaltMatch` is one; a table filled by several processor cores is another. */
export type Compare = (a: string, b: string) => GestaltMatch;

/** One question: did this program come from the agent's own one before or from that one of the peer? */
export interface Judgement {
  readonly run: LoadedRun;
  readonly agent: LoadedAgent;
  readonly peer: LoadedAgent;
  readonly generation: CodedGeneration;
  readonly previous: CodedGeneration;
  /** Absent: there was nothing of the peer's to take from. */
  readonly version?: CodedGeneration;
}

/** Every question that a rule asks about a run, by agent, peer and generation. */
export function judgementsOf(run: LoadedRun, rule: DistanceRule): readonly Judgement[] {
  return run.agents.flatMap((agent) =>
    run.agents
      .filter((peer) => peer !== agent)
      .flatMap((peer) =>
        agent.generations.flatMap((generation, n) => {
          const before = agent.generations.slice(0, n);
          const previous = rule.previous === 'preceding' ? before.at(-1) : before.findLast(hadCode);
          if (!hasCode(generation) || previous === undefined || !hasCode(previous)) return [];
          const version = versionSeen(peer, generation.generation, rule);
          return [{ run, agent, peer, generation, previous, ...(version && { version }) }];
        }),
      ),
  );
}

/** The program of a peer that a rule compares a generation with. */
export function versionSeen(peer: LoadedAgent, generation: number, rule: DistanceRule): CodedGeneration | undefined {
  return rule.peer === 'through-generation' ? bestThrough(peer, generation) : publishedBefore(peer, generation);
}

/** A judgement's answer. Distances are 1 - gestalt ratio, 0 (equal) .. 1; null where there is no peer version. */
export interface Verdict {
  readonly judgement: Judgement;
  readonly own: GestaltMatch;
  readonly vsPeer: GestaltMatch | null;
  readonly dOwn: number;
  readonly dPeer: number | null;
  /** d_peer / (d_own + d_peer); null without a peer version and where both distances are 0. */
  readonly share: number | null;
  readonly adoption: boolean;
}

/** The texts that the verdicts on judgements compare. */
export function comparisonsOf(judgements: readonly Judgement[]): readonly (readonly [a: string, b: string])[] {
  return judgements.flatMap(({ generation, previous, version }) => [
    [generation.code, previous.code] as const,
    ...(version ? [[generation.code, version.code] as const] : []),
  ]);
}

/**
 * Judges by distances: adoption where the share is below 0.4.
 *
 * @see hyperspace `analysis_output.txt`
 */
export function verdictOf(judgement: Judgement, compare: Compare = gestaltMatch): Verdict {
  const { generation, previous, version } = judgement;
  const own = compare(generation.code, previous.code);
  const vsPeer = version ? compare(generation.code, version.code) : null;
  const dOwn = 1 - own.ratio;
  const dPeer = vsPeer ? 1 - vsPeer.ratio : null;
  const share = dPeer === null ? null : publishedShare(dPeer, dOwn);
  return { judgement, own, vsPeer, dOwn, dPeer, share, adoption: isPublishedAdoption(share) };
}
