import type { Gather } from '../guard/gate.ts';
import type { AgentChildren } from './agent-children.ts';
import type { Stopwatch } from './stopwatch.ts';

/**
 * Gathers, before the guard decides on a source file, whether it parses: in a child, since parsing hostile text is work on hostile
 * text. A missing import or a missing `forward` shows when the program runs. Files of `outside` agents are not looked at: each of
 * their edits is a mark of its own, and between two edits a file need not parse; what they submit does not load then.
 */
export function syntaxFacts(
  children: AgentChildren,
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
    const { topic } = draft;
    const { text } = content;
    const problem = await watch.time(grant.agent, 'check', () =>
      children.parser(draft.scope).parse(topic, text, signal),
    );
    if (problem === undefined) return {};
    return { syntax: { path: draft.topic, problem: problem.message } };
  };
}
