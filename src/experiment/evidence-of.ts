import type { Step } from './think.ts';

/** What an agent did with one peer's code in one generation, as its steps show. */
export interface PeerTrail {
  /** Read rows that opened the peer's files before the agent's last edit. */
  readonly reads: readonly string[];
  /** The agent's own words between the first such read and the next edit, nearest to the edit, if they speak of the peer. */
  readonly statement: { readonly call: string; readonly text: string } | undefined;
}

/**
 * Follows one peer through a generation's steps. A read counts when an edit came after it; words count as a stated reason
 * when they are the agent's last between the read and the next edit (or beside it) and name the peer or its folder; `said` is what it
 * said of the whole generation, which counts where there are no such words.
 */
export function trailOf(
  steps: readonly Step[],
  peer: string,
  said?: { readonly call: string; readonly text: string },
): PeerTrail {
  const folder = `strategies/${peer}_gen`;
  const lastEdit = steps.findLastIndex((step) => step.type === 'wrote');
  const reads: string[] = [];
  let firstRead = -1;
  for (const [i, step] of steps.entries()) {
    if (step.type !== 'read' || i > lastEdit) continue;
    if (!step.path.startsWith(folder) || !/^\d+\//u.test(step.path.slice(folder.length))) continue;
    if (step.path.endsWith('/metadata.json')) continue;
    reads.push(step.id);
    if (firstRead === -1) firstRead = i;
  }
  if (firstRead === -1) return { reads, statement: undefined };
  const edit = steps.findIndex((step, i) => i > firstRead && step.type === 'wrote');
  const words = steps.slice(firstRead, edit).findLast((step) => step.type === 'said');
  const statement = [words?.type === 'said' ? words : undefined, said].find(
    (one) => one !== undefined && speaksOf(one.text, peer),
  );
  return { reads, statement: statement && { call: statement.call, text: statement.text.slice(0, 2_000) } };
}

function speaksOf(text: string, peer: string): boolean {
  return text.toLowerCase().includes(peer.toLowerCase()) || text.includes('strategies/');
}
