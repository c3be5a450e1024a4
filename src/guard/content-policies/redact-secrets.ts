import type { ContentPolicy } from '../policies/content.ts';
import { mapTexts } from './json-text.ts';
import { isSecretName, redactAssignments, redactValue } from './secret-assignments.ts';
import { redactKnownSecrets } from './known-secrets.ts';

/**
 * Replaces what looks like a secret by `[redacted:<kind>]`, in all texts of a content, keys included: keys and tokens of well-known shape,
 * and values of high entropy under a name such as `api_key`. Takes time linear in the content. What is encoded, split or of
 * a shape that nobody knows it does not find.
 *
 * @example openGate({ ..., settings: { content: [redactSecretsPolicy()] } })
 */
export function redactSecretsPolicy({ name = 'redact-secrets' }: { readonly name?: string } = {}): ContentPolicy {
  return {
    name,
    check: ({ content }) => {
      let found = false;
      const redacted = mapTexts(content, (text, under) => {
        const clean = redactText(text, under);
        if (clean !== text) found = true;
        return clean;
      });
      return found ? { verdict: 'rewrite', content: redacted } : { verdict: 'allow' };
    },
  };
}

/** One text without its secrets; `under` is the key whose value it is. */
export function redactText(text: string, under?: string): string {
  const known = redactAssignments(redactKnownSecrets(text));
  return under !== undefined && isSecretName(under) ? redactValue(known) : known;
}
