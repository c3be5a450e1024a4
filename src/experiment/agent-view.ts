import type { Session } from '../guard/gate.ts';
import type { Tree } from '../materialize/tree.ts';
import { buildTree } from '../materialize/tree.ts';
import type { Mark, MarkId } from '../space/marks.ts';
import type { ExposureRow } from '../trace/schema.ts';
import { sha256 } from '../trace/blob-store.ts';
import type { RunContext } from './run-context.ts';
import type { AgentStanding, RoundRow } from './run-state.ts';

/** What one agent is given in one generation: the tree its tools work on, and what of it is its peers'. */
export interface AgentView {
  readonly tree: Tree;
  readonly exposures: readonly ExposureRow[];
  /** Peer -> what of it is visible. */
  readonly peers: ReadonlyMap<string, PeerView>;
}

export interface PeerView {
  readonly peer: string;
  readonly generation: number;
  readonly files: Readonly<Record<string, string>>;
  readonly exposures: readonly string[];
}

/**
 * Puts together an agent's view from the marks of a closed round: its own files as `standing` has them, its evaluations,
 * and the peers' published best as `snapshot` has them. Every mark is read through the agent's session, so that the guard's
 * visibility rules decide what is in it (in an arm without sharing, `strategies` is classified and nothing comes back).
 */
export function viewOf(
  context: RunContext,
  session: Session,
  agent: string,
  generation: number,
  standing: Pick<AgentStanding, 'files' | 'evals'>,
  snapshot: RoundRow,
): AgentView {
  const visible = (id: MarkId): Mark[] => {
    const mark = session.get(id);
    return mark === undefined ? [] : [mark];
  };
  const own = Object.values(standing.files).flatMap(visible);
  const evaluations = standing.evals.flatMap(visible);
  const strategies = Object.entries(snapshot.agents)
    .filter(([peer, { published }]) => peer !== agent && published !== null)
    .flatMap(([, { published }]) => (published === null ? [] : visible(published.mark)));
  const tree = buildTree({ own, evaluations, strategies, self: agent, editable: context.config.editable });

  const peers = new Map<string, PeerView>();
  const exposures: ExposureRow[] = [];
  for (const [path, file] of tree.files) {
    if (file.peer === undefined || path.endsWith('/metadata.json')) continue;
    const { agent: peer, generation: peerGeneration } = file.peer;
    const row: ExposureRow = {
      id: `${agent}/${generation}/${path}`,
      agent,
      round: generation,
      peer,
      peerGeneration,
      file: path,
      sha256: sha256(file.text),
    };
    exposures.push(row);
    const before = peers.get(peer);
    peers.set(peer, {
      peer,
      generation: peerGeneration,
      files: { ...before?.files, [path.split('/').slice(2).join('/')]: file.text },
      exposures: [...(before?.exposures ?? []), row.id],
    });
  }
  return { tree, exposures, peers };
}
