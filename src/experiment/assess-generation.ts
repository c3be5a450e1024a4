import { assessAdoption } from '../analysis/evidence.ts';
import type { AdoptionRow, CandidateRow } from '../trace/schema.ts';
import type { AgentView } from './agent-view.ts';
import { trailOf } from './evidence-of.ts';
import type { RunContext } from './run-context.ts';
import { candidateId, programText } from './run-context.ts';
import { candidatesOf } from './run-state.ts';
import { programOf } from './sources.ts';
import type { Step } from './think.ts';

/** What one candidate took from the peers' code its agent was shown, with the evidence for it. */
export async function assessGeneration(
  context: RunContext,
  agent: string,
  generation: number,
  made: {
    readonly parent: CandidateRow;
    readonly files: Readonly<Record<string, string>>;
    readonly view: AgentView;
    readonly steps: readonly Step[];
    readonly score: number;
  },
): Promise<readonly AdoptionRow[]> {
  if (made.view.peers.size === 0) return [];
  const past = candidatesOf(context.state, agent).filter((row) => row.generation < generation);
  const pastTexts = new Set<string>();
  for (const row of past) pastTexts.add(programText(await programOf(context, row)));
  const before = context.state.evaluations.get(`${candidateId(agent, made.parent.generation)}/validation`)?.score ?? 0;
  return assessAdoption({
    agent,
    generation,
    code: programText(made.files),
    parentCode: programText(await programOf(context, made.parent)),
    ownPast: [...pastTexts],
    peers: [...made.view.peers.values()].map((peer) => {
      const { reads, statement } = trailOf(made.steps, peer.peer);
      return {
        peer: peer.peer,
        peerGeneration: peer.generation,
        code: programText(peer.files),
        exposures: peer.exposures,
        reads,
        readBeforeEdit: reads.length > 0,
        ...(statement === undefined ? {} : { statement }),
      };
    }),
    before,
    after: made.score,
  });
}
