import { gestaltRatio } from './difflib.ts';

/**
 * An agent's new code counts as adopted under the published rule when its share is *below* this: it moved closer to the
 * peer's code than it stayed to its own.
 *
 * @see hyperspace `analysis_output.txt`: the rule and constant behind its 30 published events
 */
export const PUBLISHED_THRESHOLD = 0.4;

/** Distances of the published rule: 1 - gestalt ratio, 0 (equal) .. 1. */
export interface PublishedDistances {
  readonly dOwn: number;
  readonly dPeer: number;
  readonly share: number | null;
}

/** d_peer / (d_own + d_peer): 0 is the peer's code, 1 the agent's own; null when both distances are 0. */
export function publishedShare(dPeer: number, dOwn: number): number | null {
  return dOwn + dPeer === 0 ? null : dPeer / (dOwn + dPeer);
}

/** The published rule's distances of `code` to the agent's own previous code and to one version of a peer's. */
export function publishedDistances(code: string, previous: string, peer: string): PublishedDistances {
  const dOwn = 1 - gestaltRatio(code, previous);
  const dPeer = 1 - gestaltRatio(code, peer);
  return { dOwn, dPeer, share: publishedShare(dPeer, dOwn) };
}

/** Whether a share means adoption under the published rule; a missing share never does. */
export function isPublishedAdoption(share: number | null): boolean {
  return share !== null && share < PUBLISHED_THRESHOLD;
}
