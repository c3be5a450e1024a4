import type { Gather } from '../guard/gate.ts';
import type { Sandbox } from '../sandbox/sandbox.ts';
import type { Stopwatch } from './stopwatch.ts';

/** What a program may fail at that is a matter of its text alone; a missing import or a missing `forward` shows when it runs. */
const SYNTAX_CODES: readonly string[] = ['syntax', 'unsupported-typescript'];

/**
 * Gathers, before the guard decides on a source file, whether it parses: in a disposable child, since parsing hostile text
 * is work on hostile text. Files of `outside` agents are not looked at: each of their edits is a mark of its own, and between two edits a
 * file need not parse; what they submit does not load then.
 */
export function syntaxFacts(
  sandbox: Sandbox,
  watch: Stopwatch,
  signal: AbortSignal,
  outside: readonly string[] = [],
): Gather {
  return async (draft, grant) => {
    if (outside.includes(grant.agent)) return {};
    if (!('topic' in draft) || !('content' in draft) || !/\.(ts|js)$/u.test(draft.topic)) return {};
    const { content } = draft;
    if (content === null || typeof content !== 'object' || !('text' in content) || typeof content.text !== 'string')
      return {};
    const modules = { [draft.topic]: content.text };
    const problem = await watch.time(grant.agent, 'check', () =>
      sandbox.check({ modules, entry: draft.topic, signal }),
    );
    if (problem === undefined || !SYNTAX_CODES.includes(problem.code)) return {};
    return { syntax: { path: draft.topic, problem: problem.message } };
  };
}
