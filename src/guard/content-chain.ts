import { equalJson } from '../space/json-value.ts';
import type { ContentFacts, ContentPolicy, ContentQuestion } from './policies/content.ts';

/** Asks the content policies in order. (Being written.) */
export async function checkContent(
  policies: readonly ContentPolicy[],
  question: ContentQuestion,
): Promise<ContentFacts> {
  const flags: string[] = [];
  let content = question.content;
  for (const { name, check } of policies) {
    const verdict = await check({ scope: question.scope, topic: question.topic, content });
    if (verdict.verdict === 'reject') return { rejected: { policy: name, problem: verdict.problem }, flags };
    if (verdict.verdict === 'flag') flags.push(name);
    if (verdict.verdict === 'rewrite') content = verdict.content;
  }
  return equalJson(content, question.content) ? { flags } : { content, flags };
}
