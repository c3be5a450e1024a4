import type { MetaEval, MetaFacts, MetaStrategy } from '../agents/meta-agent.ts';
import { isRecord } from '../space/json-value.ts';
import type { AgentView } from './agent-view.ts';
import type { OwnFiles } from './own-files.ts';
import type { RunContext } from './run-context.ts';
import { candidateId } from './run-context.ts';

/**
 * What a meta agent is told at the start of a generation. It repeats nothing that the view does not hold: scores of its own
 * past come from the disclosed files, of the peers from their `metadata.json`.
 */
export function factsFor(
  context: RunContext,
  agent: string,
  generation: number,
  view: AgentView,
  own: OwnFiles,
): MetaFacts {
  const { config, task } = context;
  return {
    agent,
    generation,
    iterationsLeft: config.generations - generation,
    task: { name: task.task.name, statement: task.task.statement },
    files: Object.keys(own.text).sort(),
    editable: [...config.editable],
    evals: evalsIn(context, agent, view),
    strategies: strategiesIn(view),
    notes: lastNotes(view),
    toolCalls: config.budget.toolCallsPerGeneration,
  };
}

function evalsIn(context: RunContext, agent: string, view: AgentView): MetaEval[] {
  return generationsIn(view).map((generation) => {
    const path = `evals/gen_${generation}`;
    const candidate = context.state.candidates.get(candidateId(agent, generation));
    return {
      generation,
      path,
      status: candidate?.status ?? 'unknown',
      train: scoreIn(view, `${path}/train.json`),
      validation: scoreIn(view, `${path}/validation.json`),
    };
  });
}

/** Generations under `evals/`, ascending. */
function generationsIn(view: AgentView): number[] {
  const found = new Set<number>();
  for (const path of view.tree.files.keys()) {
    const match = /^evals\/gen_(\d+)\//u.exec(path);
    if (match?.[1] !== undefined) found.add(Number(match[1]));
  }
  return [...found].sort((a, b) => a - b);
}

function strategiesIn(view: AgentView): MetaStrategy[] {
  return [...view.peers.values()].map(({ peer, generation }) => {
    const path = `strategies/${peer}_gen${generation}`;
    const metadata = jsonIn(view, `${path}/metadata.json`);
    const { valScore, model } = metadata;
    return {
      path,
      agent: peer,
      generation,
      valScore: typeof valScore === 'number' ? valScore : 0,
      ...(typeof model === 'string' ? { model } : {}),
    };
  });
}

/** The notes of the newest evaluation: refusals and failures of the last generation. */
function lastNotes(view: AgentView): string[] {
  const newest = generationsIn(view).at(-1);
  const file = newest === undefined ? undefined : textIn(view, `evals/gen_${newest}/notes.md`);
  return (file ?? '')
    .split('\n')
    .filter((line) => line.startsWith('- '))
    .map((line) => line.slice(2));
}

function scoreIn(view: AgentView, path: string): number | null {
  const { score } = jsonIn(view, path);
  return typeof score === 'number' ? score : null;
}

/** A JSON file of the view that the runner itself wrote. */
function jsonIn(view: AgentView, path: string): Readonly<Record<string, unknown>> {
  const text = textIn(view, path);
  if (text === undefined) return {};
  const value: unknown = JSON.parse(text);
  return isRecord(value) ? value : {};
}

function textIn(view: AgentView, path: string): string | undefined {
  for (const [key, file] of view.tree.files) if (key === path) return file.text;
  return undefined;
}
