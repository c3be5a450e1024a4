import { denialText } from '../guard/denial-text.ts';
import type { Session } from '../guard/gate.ts';
import type { FileChange } from '../materialize/workspace.ts';
import type { MarkId } from '../space/marks.ts';
import type { RunContext } from './run-context.ts';
import { ownScope } from './run-context.ts';

/** The files an agent has, and the marks that hold them. */
export interface OwnFiles {
  readonly text: Readonly<Record<string, string>>;
  readonly marks: Readonly<Record<string, MarkId>>;
}

/** One change that was not accepted, in the guard's words. */
export interface Refusal {
  readonly path: string;
  readonly code: string;
  readonly text: string;
}

/**
 * Step 4 of a round: what an agent changed becomes marks through the guard (edit scope, size, syntax), file by file in path
 * order. What is refused leaves the file as it was.
 */
export async function readBack(
  context: RunContext,
  session: Session,
  agent: string,
  before: OwnFiles,
  changes: readonly FileChange[],
): Promise<{ readonly files: OwnFiles; readonly refusals: readonly Refusal[] }> {
  const text: Record<string, string> = { ...before.text };
  const marks: Record<string, MarkId> = { ...before.marks };
  const refusals: Refusal[] = [];
  for (const { path, after } of [...changes].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const supersedes = marks[path];
    const outcome = await context.watch.time(agent, 'guard', () =>
      session.write({
        scope: ownScope(agent),
        topic: path,
        content: after === null ? null : { text: after },
        confidence: 1,
        source: 'fleet',
        ...(supersedes === undefined ? {} : { supersedes }),
      }),
    );
    if (outcome.verdict === 'allow') {
      if (after === null) {
        delete text[path];
        delete marks[path];
      } else if (outcome.mark !== undefined) {
        text[path] = after;
        marks[path] = outcome.mark.id;
      }
    } else {
      const refusal =
        outcome.verdict === 'denied'
          ? { path, code: outcome.denial.code, text: denialText(outcome.denial) }
          : { path, code: outcome.verdict, text: `not written: ${outcome.verdict}` };
      refusals.push(refusal);
    }
  }
  return { files: { text, marks }, refusals };
}

/**
 * Makes an agent's files be `wanted` again, by marks of the runner's own where they differ (a rollback, a parent that is not
 * the head, a meta agent that did not run): what the space says an agent's code is stays what the agent is given.
 */
export async function checkout(
  context: RunContext,
  runner: Session,
  agent: string,
  current: OwnFiles,
  wanted: Readonly<Record<string, string>>,
): Promise<OwnFiles> {
  const marks: Record<string, MarkId> = { ...current.marks };
  const paths = [...new Set([...Object.keys(current.text), ...Object.keys(wanted)])].sort();
  for (const path of paths) {
    const text = wanted[path];
    if (text === current.text[path]) continue;
    const supersedes = marks[path];
    const outcome = await context.watch.time(agent, 'guard', () =>
      runner.write({
        scope: ownScope(agent),
        topic: path,
        content: text === undefined ? null : { text },
        confidence: 1,
        source: 'fleet',
        ...(supersedes === undefined ? {} : { supersedes }),
      }),
    );
    if (outcome.verdict !== 'allow' || outcome.mark === undefined) {
      throw new Error(`the runner could not restore ${path} of ${agent}: ${JSON.stringify(outcome)}`);
    }
    if (text === undefined) delete marks[path];
    else marks[path] = outcome.mark.id;
  }
  return { text: { ...wanted }, marks };
}
