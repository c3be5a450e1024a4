import { copyJson, equalJson, isRecord, type JsonBounds, problemIn } from '../space/json-value.ts';
import { DRAFT_BOUNDS } from '../space/mark-schema.ts';
import type { Json } from '../space/marks.ts';
import type { ContentFacts, ContentPolicy, ContentQuestion, ContentVerdict } from './policies/content.ts';

/** How long one content policy may take. */
export const CONTENT_TIMEOUT_MS = 2_000;

export interface ContentChainOptions {
  /** Of each policy, in milliseconds. A policy that blocks the thread cannot be cut off. @default CONTENT_TIMEOUT_MS */
  readonly timeoutMs?: number;
  /** What a rewritten content has to keep to. @default DRAFT_BOUNDS */
  readonly bounds?: JsonBounds;
  /** Told of a policy that threw or gave no verdict, for whoever keeps it; the agent is told only that it failed. */
  readonly onFault?: (policy: string, fault: unknown) => void;
}

/**
 * Asks the content policies in order: each sees what the ones before it made of the content, the first that rejects ends the chain.
 * A policy that throws, takes too long, gives no verdict or rewrites to what cannot be stored rejects: what is not checked does not pass.
 * Never throws. @see protocol rules P67, P68
 */
export async function checkContent(
  policies: readonly ContentPolicy[],
  question: ContentQuestion,
  { timeoutMs = CONTENT_TIMEOUT_MS, bounds = DRAFT_BOUNDS, onFault }: ContentChainOptions = {},
): Promise<ContentFacts> {
  const { scope, topic } = question;
  const flags: string[] = [];
  let content = question.content;
  for (const policy of policies) {
    const { name } = policy;
    const rejected = (problem: string): ContentFacts => ({ rejected: { policy: name, problem }, flags });
    let answer: ContentVerdict;
    try {
      const said = policy.check({ scope, topic, content });
      answer = verdictIn(isThenable(said) ? await within(said, timeoutMs) : said, bounds);
    } catch (error) {
      if (error instanceof Refusal) return rejected(error.message);
      onFault?.(name, error);
      return rejected('failed');
    }
    if (answer.verdict === 'reject') return rejected(answer.problem);
    if (answer.verdict === 'flag') flags.push(name);
    if (answer.verdict === 'rewrite') content = answer.content;
  }
  return equalJson(content, question.content) ? { flags } : { content, flags };
}

/** Why the chain refuses where its policy did not say so. */
class Refusal extends Error {
  override readonly name = 'Refusal';
}

function isThenable(said: ContentVerdict | Promise<ContentVerdict>): said is Promise<ContentVerdict> {
  return isRecord(said) && 'then' in said && typeof said.then === 'function';
}

function within<Value>(answer: Promise<Value>, timeoutMs: number): Promise<Value> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Refusal(`took longer than ${timeoutMs} ms`)), timeoutMs);
    // What comes later is of no interest any more, a rejection neither.
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** A policy may be anybody's: what it says is read once and taken only as far as it is a verdict. */
function verdictIn(said: unknown, bounds: JsonBounds): ContentVerdict {
  if (!isRecord(said)) throw new TypeError('a content policy gave no verdict');
  const { verdict, problem, content } = said;
  if (verdict === 'allow') return { verdict };
  if ((verdict === 'reject' || verdict === 'flag') && typeof problem === 'string') return { verdict, problem };
  if (verdict === 'rewrite') return { verdict, content: rewritten(content, bounds) };
  throw new TypeError(`${JSON.stringify(verdict)} is not a verdict on content, or says no problem`);
}

function rewritten(content: unknown, bounds: JsonBounds): Json {
  try {
    return copyJson(content, bounds);
  } catch (error) {
    throw new Refusal(`rewrote it to what cannot be stored: ${problemIn(error).message}`);
  }
}
