/** Names whose values are secrets: `api_key`, `clientSecret`, `DB_PASSWORD`, `access-token` ... */
const NAME = String.raw`(?:api|access|auth|private|secret|signing|encryption|account)[_-]?key(?:[_-]?id)?|secret|token|passw(?:or)?d|passphrase|credentials?`;
const SECRET_NAME = new RegExp(`(?:${NAME})$`, 'iu');
/**
 * A name, an assignment or a colon, a value: every part but the value is of bounded length, and the value is one run that is passed over
 * whether it counts or not, so that a text is walked once.
 */
const ASSIGNMENT = new RegExp(
  String.raw`((?:${NAME})["'\x60]?[ \t]{0,8}(?:=>|:=|[:=])[ \t]{0,8}(?:Bearer[ \t]{1,8})?["'\x60]?)([A-Za-z0-9+/_.~-]{16,}={0,2})`,
  'giu',
);
const REDACTED = '[redacted:assigned-secret]';

/** A run of characters of which keys and tokens are made, and long enough to be one. */
const VALUE = /^\s*(?:Bearer\s+)?([A-Za-z0-9+/_.~-]{16,}={0,2})\s*$/u;

/** Whether a member of this name holds a secret. */
export function isSecretName(name: string): boolean {
  return name.length <= LONGEST_NAME && SECRET_NAME.test(name);
}

const LONGEST_NAME = 256;

/** A text with the random-looking values that it assigns to secret names redacted; the names stay. */
export function redactAssignments(text: string): string {
  return text.replace(ASSIGNMENT, (all, assigned: string, value: string) =>
    looksRandom(value) ? `${assigned}${REDACTED}` : all,
  );
}

/** The value of a secret name: redacted if it looks random. */
export function redactValue(text: string): string {
  const value = VALUE.exec(text)?.[1];
  return value !== undefined && looksRandom(value) ? REDACTED : text;
}

/** Bits per character of words and paths are around 3, of random base64 around 4, of random hexadecimals 3 to 4. */
const LEAST_ENTROPY = 3;
/** Entropy of a long value is that of its beginning. */
const LONGEST_SAMPLE = 256;

/** Letters and digits with little repetition: not a word, a path, a version or a placeholder. */
function looksRandom(value: string): boolean {
  const sample = value.slice(0, LONGEST_SAMPLE);
  return /[A-Za-z]/u.test(sample) && /\d/u.test(sample) && entropyOf(sample) >= LEAST_ENTROPY;
}

/** Shannon entropy of a text's characters, bits per character. */
export function entropyOf(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}
