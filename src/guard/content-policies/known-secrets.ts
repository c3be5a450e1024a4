/**
 * Shapes of keys and tokens that their issuers document. Each starts with a fixed text and goes on with one run of one class of characters (or
 * a fixed number of short ones), so that a text is walked once: no pattern here can backtrack into what it has seen.
 */
const SHAPES: readonly (readonly [kind: string, shape: RegExp])[] = [
  ['anthropic-key', /sk-ant-[\w-]{20,}/gu],
  ['openai-key', /sk-(?:proj|svcacct|admin)-[\w-]{20,}/gu],
  ['openai-key', /(?<![A-Za-z0-9])sk-[A-Za-z0-9]{32,}/gu],
  ['aws-key', /(?<![A-Za-z0-9])(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}(?![A-Za-z0-9])/gu],
  ['github-token', /gh[pousr]_[A-Za-z0-9]{36,}/gu],
  ['github-token', /github_pat_\w{22,}/gu],
  ['slack-token', /xox[abeprs]-[A-Za-z0-9-]{10,}/gu],
  ['slack-token', /xapp-[A-Za-z0-9-]{20,}/gu],
  ['slack-webhook', /hooks\.slack\.com\/(?:services|workflows)\/[A-Za-z0-9/_-]{20,}/gu],
  ['google-key', /AIza[\w-]{35}/gu],
  ['google-token', /(?<![\w-])ya29\.[\w-]{20,}/gu],
  ['google-secret', /GOCSPX-[\w-]{20,}/gu],
  ['stripe-key', /(?<![A-Za-z0-9])[rs]k_(?:live|test)_[A-Za-z0-9]{16,}/gu],
  ['stripe-secret', /(?<![A-Za-z0-9])whsec_[A-Za-z0-9+/=]{24,}/gu],
];

/** A text with every key and token of well-known shape replaced by `[redacted:<kind>]`. */
export function redactKnownSecrets(text: string): string {
  let clean = redactPrivateKeys(text);
  if (clean.includes(JSON_START)) clean = redactJwts(clean);
  for (const [kind, shape] of SHAPES) clean = clean.replace(shape, `[redacted:${kind}]`);
  return clean;
}

/** How `{"` begins in base64. */
const JSON_START = 'eyJ';
const RUN = /[\w-]+/gu;
const SHORTEST_PART = 8;

/** Three runs joined by dots, the first two of which are JSON: header, claims, signature. */
function redactJwts(text: string): string {
  let clean = '';
  let from = 0;
  let [first, second]: (RegExpExecArray | undefined)[] = [];
  for (const third of text.matchAll(RUN)) {
    const header = first?.[0].indexOf(JSON_START) ?? -1;
    if (
      first !== undefined &&
      second !== undefined &&
      header >= 0 &&
      first[0].length - header >= SHORTEST_PART &&
      second[0].startsWith(JSON_START) &&
      third[0].length >= SHORTEST_PART &&
      isJoined(text, first, second) &&
      isJoined(text, second, third)
    ) {
      clean += `${text.slice(from, first.index + header)}[redacted:jwt]`;
      from = third.index + third[0].length;
      first = second = undefined;
    } else {
      first = second;
      second = third;
    }
  }
  return clean + text.slice(from);
}

function isJoined(text: string, one: RegExpExecArray, next: RegExpExecArray): boolean {
  const end = one.index + one[0].length;
  return next.index === end + 1 && text[end] === '.';
}

const PEM_LABEL = /-----BEGIN (?:[A-Z0-9]{1,16} ){0,3}PRIVATE KEY(?: BLOCK)?-----/gu;
const PEM_END = '-----END';
const PEM_DASHES = '-----';

/** From the line that begins a private key to the line that ends it, or to the end of the text where it was cut off. */
function redactPrivateKeys(text: string): string {
  if (!text.includes('PRIVATE KEY')) return text;
  let clean = '';
  let from = 0;
  for (const { index, 0: label } of text.matchAll(PEM_LABEL)) {
    if (index < from) continue;
    clean += `${text.slice(from, index)}[redacted:private-key]`;
    const end = text.indexOf(PEM_END, index + label.length);
    const dashes = end < 0 ? -1 : text.indexOf(PEM_DASHES, end + PEM_END.length);
    from = dashes < 0 ? text.length : dashes + PEM_DASHES.length;
  }
  return clean + text.slice(from);
}
