import { disclosedFiles } from '../evaluate/disclosure.ts';
import type { Evaluation } from '../evaluate/task.ts';
import type { Session } from '../guard/gate.ts';
import type { Draft, MarkId } from '../space/marks.ts';
import type { RunContext } from './run-context.ts';
import { STRATEGIES, evaluationScope } from './run-context.ts';

/** Bytes of one disclosed file: a mark holds texts of up to 64 KiB. */
const SHOWN_BYTES = 60_000;

async function writeAsRunner(context: RunContext, runner: Session, agent: string, draft: Draft): Promise<MarkId> {
  const outcome = await context.watch.time(agent, 'guard', () => runner.write(draft));
  if (outcome.verdict !== 'allow' || outcome.mark === undefined) {
    throw new Error(`the runner could not write: ${JSON.stringify(outcome)}`);
  }
  return outcome.mark.id;
}

/** Leaves what the disclosure policy lets an agent know of a generation as a mark that only it can read. */
export function writeEvaluation(
  context: RunContext,
  runner: Session,
  agent: string,
  generation: number,
  evaluations: readonly Evaluation[],
  notes: readonly string[],
): Promise<MarkId> {
  const { train, validation } = context.config.disclosure;
  const files: Record<string, string> = {
    ...disclosedFiles(evaluations, { train, validation }, { maxBytes: SHOWN_BYTES }),
  };
  if (notes.length > 0) files['notes.md'] = `${notes.map((note) => `- ${note}`).join('\n')}\n`;
  return writeAsRunner(context, runner, agent, {
    scope: evaluationScope(agent),
    topic: `gen_${generation}`,
    content: { files },
    confidence: 1,
    source: 'fleet',
  });
}

/**
 * Publishes a candidate: an observation in `strategies` under the agent's name whose confidence is the score clamped to
 * 0..1, the raw score in its content. Written by the runner's session, so that no agent can claim a score.
 */
export function publish(
  context: RunContext,
  runner: Session,
  agent: string,
  generation: number,
  score: number,
  files: Readonly<Record<string, string>>,
  previous: MarkId | undefined,
): Promise<MarkId> {
  const model = context.models.get(agent)?.identity;
  return writeAsRunner(context, runner, agent, {
    scope: STRATEGIES,
    topic: agent,
    content: {
      generation,
      score,
      ...(context.config.disclosure.peerModel && model !== undefined ? { model } : {}),
      files: { ...files },
    },
    confidence: Math.min(1, Math.max(0, score)),
    source: 'fleet',
    ...(previous === undefined ? {} : { supersedes: previous }),
  });
}
