import type { z } from 'zod';
import { quoted } from './protocol-handlers.ts';

/** Names under which callers try to say who they are or what they scored. @see security rule 8 */
const ASSIGNED: readonly string[] = ['agent', 'author', 'id', 'time', 'createdAt', 'created_at', 'score', 'scope'];

/** What is wrong with a call's arguments, as a sentence in the client's terms that names the argument. */
export function argumentProblem(
  tool: string,
  names: readonly string[],
  error: z.ZodError,
  args: Readonly<Record<string, unknown>>,
): string {
  const [issue] = error.issues;
  if (issue === undefined) return `the arguments do not fit ${tool}`;
  if (issue.code === 'unrecognized_keys') {
    const key = issue.keys[0] ?? '';
    const taken = names.length === 0 ? `${tool} takes none` : `${tool} takes ${names.join(', ')}`;
    const why = ASSIGNED.includes(key)
      ? '; who you are, what is yours and how you did are known from your connection'
      : '';
    return `${quoted(key)} is not an argument: ${taken}${why}`;
  }
  const [name] = issue.path;
  if (typeof name !== 'string') return `the arguments do not fit ${tool}: ${wordsOf(issue.message)}`;
  if (!Object.hasOwn(args, name)) return `argument ${quoted(name)} of ${tool} is missing`;
  const place = issue.path.map(String).join('.');
  return `argument ${quoted(place)} of ${tool}: ${wordsOf(issue.message)}`;
}

function wordsOf(message: string): string {
  return message.replace(/^Invalid input: /, '').replace(/^Too (big|small): /, '');
}
