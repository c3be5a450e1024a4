/** A TypeScript source as a reader of its structure needs it. */
export interface SourceCode {
  /** The source with comments and the contents of strings, templates and regular expressions blanked; same offsets. */
  readonly code: string;
  readonly imports: readonly ImportLine[];
}

/** One `import` or `export ... from`, static or dynamic. */
export interface ImportLine {
  readonly specifier: string;
  /** `import type` or `export type`: nothing of it is left when the types are gone. */
  readonly typeOnly: boolean;
}

/** Words after which a slash begins a regular expression, not a division. */
const BEFORE_EXPRESSION =
  /(?:^|[=([{,;:!&|?+\-*%<>~^}]|\b(?:return|typeof|case|in|of|do|else|void|delete|throw|await|yield))\s*$/;

/** Reads a source; a small scanner, not a parser: enough to tell code from text in it. */
export function readSource(source: string): SourceCode {
  const code = blank(source);
  const imports: ImportLine[] = [];
  const from = /\b(import|export)\s+(type\s)?[^;'"`()]*?\bfrom\s*(?=['"])/g;
  const bare = /\bimport\s*\(?\s*(?=['"])/g;
  for (const pattern of [from, bare]) {
    for (const match of code.matchAll(pattern)) {
      const start = match.index + match[0].length;
      const quote = source.charAt(start);
      const specifier = source.slice(start + 1, source.indexOf(quote, start + 1));
      imports.push({ specifier, typeOnly: match[2] !== undefined });
    }
  }
  return { code, imports };
}

function blank(source: string): string {
  let out = '';
  let at = 0;
  /** Braces open in each template expression we are inside of. */
  const depths: number[] = [];
  const hide = (end: number, keep: number): void => {
    const stop = Math.min(end, source.length);
    const text = source.slice(at, stop);
    out +=
      text.slice(0, keep) +
      text.slice(keep, text.length - keep).replace(/[^\n]/g, ' ') +
      text.slice(Math.max(keep, text.length - keep));
    at = stop;
  };
  while (at < source.length) {
    const char = source.charAt(at);
    const two = source.slice(at, at + 2);
    if (two === '//') {
      const end = source.indexOf('\n', at);
      hide(end === -1 ? source.length : end, 0);
    } else if (two === '/*') {
      const end = source.indexOf('*/', at + 2);
      hide(end === -1 ? source.length : end + 2, 0);
    } else if (char === "'" || char === '"') {
      hide(endOf(source, at + 1, char) + 1, 1);
    } else if (char === '`' || (char === '}' && depths.at(-1) === 0)) {
      if (char === '}') depths.pop();
      const end = endOf(source, at + 1, '`', '${');
      const opens = source.startsWith('${', end);
      hide(opens ? end + 2 : end + 1, 1);
      if (opens) depths.push(0);
    } else if (char === '/' && BEFORE_EXPRESSION.test(out.slice(-80))) {
      hide(endOfRegExp(source, at + 1) + 1, 1);
    } else {
      const depth = depths.pop();
      if (depth !== undefined) depths.push(depth + (char === '{' ? 1 : char === '}' ? -1 : 0));
      out += char;
      at += 1;
    }
  }
  return out;
}

function endOf(source: string, from: number, ...ends: readonly string[]): number {
  for (let at = from; at < source.length; at += 1) {
    if (source.charAt(at) === '\\') at += 1;
    else if (ends.some((end) => source.startsWith(end, at))) return at;
  }
  return source.length;
}

function endOfRegExp(source: string, from: number): number {
  let inClass = false;
  for (let at = from; at < source.length; at += 1) {
    const char = source.charAt(at);
    if (char === '\\') at += 1;
    else if (char === '[') inClass = true;
    else if (char === ']') inClass = false;
    else if (char === '/' && !inClass) return at;
    else if (char === '\n') return at - 1;
  }
  return source.length;
}
