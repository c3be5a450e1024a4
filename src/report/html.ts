/** Text in which `<` means markup. Made by `html` and `trusted` only; its class keeps plain strings from passing for it. */
export class Markup {
  readonly #text: string;
  constructor(text: string) {
    this.#text = text;
  }
  toString(): string {
    return this.#text;
  }
}

/** What can stand in a template: text and numbers are escaped, markup is not, lists are joined, nothing is nothing. */
export type Part = string | number | Markup | readonly Part[] | null | undefined | false;

/**
 * HTML or SVG from a template: every value is escaped unless it is markup itself, so that text of a trace is shown and never
 * read as markup, in content and in quoted attributes. Attributes must be quoted, and no value may stand in a script or style.
 *
 * @example html`<td title="${name}">${name}</td>`
 */
export function html(strings: TemplateStringsArray, ...parts: readonly Part[]): Markup {
  return new Markup(strings.reduce((text, string, n) => text + partText(parts[n - 1]) + string));
}

/** Text of our own that is markup already: styles, scripts, fragments that other functions have escaped. Never text of a trace. */
export function trusted(text: string): Markup {
  return new Markup(text);
}

function partText(part: Part): string {
  if (part === null || part === undefined || part === false) return '';
  if (part instanceof Markup) return part.toString();
  if (typeof part === 'string') return escapeHtml(part);
  return typeof part === 'number' ? String(part) : part.map(partText).join('');
}

/**
 * Characters that do something instead of being seen: controls but tab and line feed, marks and overrides of direction, invisible
 * ones, private signs of the byte order. @see https://www.unicode.org/reports/tr36/ and CVE-2021-42574 ("Trojan Source")
 */
const UNSEEN =
  // oxlint-disable-next-line no-control-regex -- finding them is the point
  /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb]/gu;

/** The text with every character that cannot be seen spelled out, e.g. `[U+202E]`, line ends as line feeds, lone surrogates replaced. */
export function visibleText(text: string): string {
  return text
    .toWellFormed()
    .replaceAll('\r\n', '\n')
    .replace(UNSEEN, (sign) => `[U+${(sign.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}]`);
}

/** Text as HTML shows it, in content and in quoted attributes. */
export function escapeHtml(text: string): string {
  return visibleText(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
