import type { Evaluation } from '../evaluate/task.ts';
import type { Session } from '../guard/gate.ts';
import { parseAgentName } from '../space/scope.ts';
import { sha256 } from '../trace/blob-store.ts';
import type { AdoptionRow, CandidateRow } from '../trace/schema.ts';
import type { AgentView } from './agent-view.ts';
import { viewOf } from './agent-view.ts';
import { assessGeneration } from './assess-generation.ts';
import { factsFor } from './facts.ts';
import type { CandidateOutcome } from './outcome.ts';
import { outcomeOf } from './outcome.ts';
import type { OwnFiles, Refusal } from './own-files.ts';
import { checkout, readBack } from './own-files.ts';
import { publish, writeEvaluation } from './publish.ts';
import type { NewRow } from './recorder.ts';
import { rowOf } from './recorder.ts';
import type { RunContext } from './run-context.ts';
import { RUNNER, candidateId, programFiles } from './run-context.ts';
import type { AgentStanding, RoundRow } from './run-state.ts';
import { bestOf, candidatesOf } from './run-state.ts';
import { recordEvaluation, scoreCandidate } from './score-candidate.ts';
import { seededRandom } from './seeded-random.ts';
import { selectParent } from './selection.ts';
import { filesOf, programOf, storeSources } from './sources.ts';
import type { Thought } from './think.ts';
import { think } from './think.ts';

/** Evaluations of its own past that an agent is shown; older ones leave its view. */
export const SHOWN_EVALS = 20;

/** What a generation leaves: where the agent stands for the next round, and what is told of it. */
export interface GenerationResult {
  readonly standing: AgentStanding;
  readonly candidate: CandidateRow;
  /** Validation score; 0 when nothing was evaluated. */
  readonly score: number;
  readonly adoptions: readonly AdoptionRow[];
}

/** The parts of a generation that its later steps need. */
interface Made {
  readonly agent: string;
  readonly generation: number;
  readonly parent: CandidateRow;
  readonly before: OwnFiles;
  readonly view: AgentView;
  readonly thought: Thought;
  readonly files: OwnFiles;
  readonly refusals: readonly Refusal[];
  readonly evaluations: readonly Evaluation[];
}

/**
 * Steps 2 to 7 of a round for one agent: view, meta agent, read back, evaluate, publish, record. All it needs of the past is
 * in `snapshot`, the last closed round: so the agents of a round are independent, and a round that was cut off is done again
 * to the same marks.
 */
export async function runGeneration(
  context: RunContext,
  agent: string,
  generation: number,
  snapshot: RoundRow,
): Promise<GenerationResult> {
  const { gate, recorder, onEvent, plan } = context;
  const standing = snapshot.agents[agent];
  if (standing === undefined) throw new Error(`round ${snapshot.round} has no standing for ${agent}`);
  const session = gate.session(parseAgentName(agent), `g${generation}`);
  const runner = gate.session(RUNNER, `g${generation}-${agent}`);
  const phase = (name: 'thinking' | 'checking' | 'evaluating'): void =>
    onEvent({ type: 'phase', run: plan.id, agent, generation, phase: name });

  const parent = parentOf(context, agent, generation, standing.head);
  const current = filesOf(context, standing.files);
  const wanted = { ...metaOf(current.text), ...(await programOf(context, parent)) };
  const before = await checkout(context, runner, agent, current, wanted);
  const view = viewOf(context, session, agent, generation, { files: before.marks, evals: standing.evals }, snapshot);
  await recorder.record(view.exposures.map((row) => rowOf('exposures', row.id, row)));

  phase('thinking');
  const thought = await think(context, session, factsFor(context, agent, generation, view, before), view);
  phase('checking');
  // A meta agent that broke costs its generation: nothing that it left half done is kept.
  const back =
    thought.failure === undefined
      ? await readBack(context, session, agent, before, thought.changes)
      : { files: before, refusals: [] };
  phase('evaluating');
  const failed = thought.failure !== undefined;
  const evaluations = failed ? [] : await evaluate(context, agent, generation, parent, before, back.files);
  return settle(context, runner, standing, { agent, generation, parent, before, view, thought, ...back, evaluations });
}

/** Judges what was made, publishes or rolls back, and puts everything on record. */
async function settle(
  context: RunContext,
  runner: Session,
  standing: AgentStanding,
  made: Made,
): Promise<GenerationResult> {
  const { agent, generation, parent, before, thought, files, refusals, evaluations } = made;
  const validation = evaluations.find(({ split }) => split === 'validation');
  const valid = evaluations.length > 0 && evaluations.every((evaluation) => evaluation.valid);
  const score = validation?.score ?? 0;
  const unchanged = sameProgram(before.text, files.text);
  const best = bestOf(context.state, agent, generation);
  const outcome = outcomeOf(context.config.onRegression, {
    metaFailure: thought.failure,
    refusals,
    unchanged,
    evaluation:
      validation === undefined
        ? undefined
        : { valid, score, feedback: evaluations.find((evaluation) => !evaluation.valid)?.feedback ?? '' },
    bestScore: best?.score,
  });
  const improves = !unchanged && valid && score > 0 && score > (standing.published?.score ?? 0);
  const mark = improves
    ? await publish(context, runner, agent, generation, score, files.text, standing.published?.mark)
    : undefined;
  const notes = [
    ...(outcome.reason === undefined ? [] : [outcome.reason]),
    ...refusals.map(({ path, text }) => `${path} was not changed: ${text}`),
  ];
  const evaluationMark = await writeEvaluation(context, runner, agent, generation, evaluations, notes);
  const head =
    outcome.head === 'this'
      ? candidateId(agent, generation)
      : outcome.head === 'best'
        ? (best?.candidate ?? parent.id)
        : parent.id;
  const after = await settleFiles(context, runner, standing, made, outcome, head);
  const adoptions =
    unchanged || validation === undefined
      ? []
      : await assessGeneration(context, agent, generation, {
          parent,
          files: files.text,
          view: made.view,
          steps: thought.steps,
          score,
        });
  const candidate: CandidateRow = {
    id: candidateId(agent, generation),
    agent,
    generation,
    parents: [parent.id],
    status: outcome.status,
    sources: await storeSources(context, files.text),
    createdAt: context.clock(),
    published: mark !== undefined,
    ...(outcome.reason === undefined ? {} : { reason: outcome.reason }),
  };
  await context.recorder.record(await rowsOf(context, candidate, made, adoptions));
  return {
    candidate,
    score,
    adoptions,
    standing: {
      head,
      files: after.marks,
      goodMeta: thought.failure === undefined ? sha256(before.text['meta_agent.ts'] ?? '') : standing.goodMeta,
      published: mark === undefined ? standing.published : { mark, generation, score },
      evals: [...standing.evals, evaluationMark].slice(-SHOWN_EVALS),
    },
  };
}

/** The files the next generation starts from: the head's program, with the newest meta agent that is not known to be broken. */
async function settleFiles(
  context: RunContext,
  runner: Session,
  standing: AgentStanding,
  made: Made,
  outcome: CandidateOutcome,
  head: string,
): Promise<OwnFiles> {
  const { agent, files, thought, parent } = made;
  const meta =
    thought.failure === undefined
      ? metaOf(files.text)
      : { 'meta_agent.ts': await context.blobs.read(standing.goodMeta) };
  const row = head === parent.id ? parent : context.state.candidates.get(head);
  const program =
    outcome.head === 'this' || row === undefined ? programFiles(files.text) : await programOf(context, row);
  return checkout(context, runner, agent, files, { ...meta, ...program });
}

function parentOf(context: RunContext, agent: string, generation: number, head: string): CandidateRow {
  const { state, config, plan } = context;
  const earlier = candidatesOf(state, agent).filter((row) => row.generation < generation);
  const selectable = earlier.map((row) => {
    const validation = state.evaluations.get(`${row.id}/validation`);
    return {
      id: row.id,
      generation: row.generation,
      valid: row.status !== 'failed' && validation?.valid === true,
      score: validation?.score ?? 0,
      children: earlier.filter((child) => child.parents[0] === row.id).length,
    };
  });
  const random = seededRandom(`${plan.seed}/${agent}/${generation}/parent`);
  const chosen = state.candidates.get(selectParent(config.selection, head, selectable, random));
  if (chosen === undefined) throw new Error(`the log has no candidate ${head} of ${agent}`);
  return chosen;
}

/** Train and validation; a program that is its parent's to the byte has its parent's evaluations. */
async function evaluate(
  context: RunContext,
  agent: string,
  generation: number,
  parent: CandidateRow,
  before: OwnFiles,
  after: OwnFiles,
): Promise<readonly Evaluation[]> {
  const evaluations: Evaluation[] = [];
  for (const split of ['train', 'validation'] as const) {
    if (sameProgram(before.text, after.text)) {
      if (!context.state.evaluations.has(`${parent.id}/${split}`)) continue;
      const evaluation = await scoreCandidate(context, agent, parent.generation, split, after.text);
      await recordEvaluation(context, agent, generation, evaluation);
      evaluations.push(evaluation);
    } else {
      evaluations.push(await scoreCandidate(context, agent, generation, split, after.text));
    }
  }
  return evaluations;
}

async function rowsOf(
  context: RunContext,
  candidate: CandidateRow,
  made: Made,
  adoptions: readonly AdoptionRow[],
): Promise<NewRow[]> {
  const { parent, before, view, thought } = made;
  const instruction =
    thought.instruction === undefined ? {} : { instructionSha256: await context.blobs.write(thought.instruction) };
  const metaAgentSha256 = sha256(before.text['meta_agent.ts'] ?? '');
  return [
    ...thought.reads.map((row) => rowOf('reads', row.id, row)),
    ...rowsOfGeneration({ candidate, parent, view, metaAgentSha256, ...instruction }, adoptions),
  ];
}

/** What a generation leaves on record besides its reads and evaluations; the candidate last, since it says that all is there. */
export function rowsOfGeneration(
  made: {
    readonly candidate: CandidateRow;
    readonly parent: CandidateRow;
    readonly view: AgentView;
    readonly metaAgentSha256: string;
    readonly instructionSha256?: string;
  },
  adoptions: readonly AdoptionRow[],
): NewRow[] {
  const { candidate, parent, view, metaAgentSha256, instructionSha256 } = made;
  const { agent, generation } = candidate;
  return [
    rowOf('contexts', candidate.id, {
      agent,
      generation,
      parent: parent.id,
      strategies: [...view.peers.values()].map((peer) => `${peer.peer}_gen${peer.generation}`),
      evals: [
        ...new Set(
          [...view.tree.files.keys()]
            .filter((path) => path.startsWith('evals/'))
            .map((path) => path.split('/')[1] ?? ''),
        ),
      ],
      metaAgentSha256,
      ...(instructionSha256 === undefined ? {} : { instructionSha256 }),
    }),
    rowOf('edges', `${parent.id}->${candidate.id}`, { from: parent.id, to: candidate.id, kind: 'parent' }),
    ...adoptions.flatMap((row) => {
      const from = candidateId(row.peer, row.peerGeneration);
      return [
        rowOf('adoptions', row.id, row),
        rowOf('edges', `${from}=>${candidate.id}`, { from, to: candidate.id, kind: 'adoption' }),
      ];
    }),
    rowOf('candidates', candidate.id, candidate),
  ];
}

/** Whether two sets of files are the same program to the byte. */
export function sameProgram(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  const one = programFiles(a);
  const other = programFiles(b);
  const paths = new Set([...Object.keys(one), ...Object.keys(other)]);
  return [...paths].every((path) => one[path] === other[path]);
}

function metaOf(files: Readonly<Record<string, string>>): Record<string, string> {
  const meta = files['meta_agent.ts'];
  return meta === undefined ? {} : { 'meta_agent.ts': meta };
}
