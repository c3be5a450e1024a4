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
    /** Why, in the agent's own words, where it said so on submitting. */
    readonly said?: { readonly call: string; readonly text: string };
  },
): Promise<readonly AdoptionRow[]> {
  if (made.view.peers.size === 0) return [];
  const observed = context.plan.agents.find(({ name }) => name === agent)?.external !== 'folder';
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
      const { reads, statement } = trailOf(made.steps, peer.peer, made.said);
      return {
        peer: peer.peer,
        peerGeneration: peer.generation,
        code: programText(peer.files),
        exposures: peer.exposures,
        reads,
        readBeforeEdit: reads.length > 0,
        ...(observed ? {} : { readsObserved: false as const }),
        ...(statement === undefined ? {} : { statement }),
      };
    }),
    before,
    after: made.score,
  });
}
