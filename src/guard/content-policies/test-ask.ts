import type { Json } from '../../space/marks.ts';
import type { ContentPolicy, ContentVerdict } from '../policies/content.ts';

/** What a policy says of a content. */
export async function ask(policy: ContentPolicy, content: Json): Promise<ContentVerdict> {
  return policy.check({ scope: 'lab', topic: 't', content });
}
