import { identifiersOf, scanCode } from './scan-code.ts';

export type DeclarationKind = 'function' | 'value' | 'type';

/** A top-level declaration of a program, as text. */
export interface Declaration {
  readonly name: string;
  readonly kind: DeclarationKind;
  /** From its first keyword to its closing brace or semicolon, without `comment`. */
  readonly text: string;
  /** The comment lines that stand directly above it, each ending in a newline; `''` when there are none. */
  readonly comment: string;
  /** Offsets of `text` in the program. */
  readonly start: number;
  readonly end: number;
}

export interface Program {
  readonly text: string;
  /** In source order; of two with one name the later wins in `find`. */
  readonly declarations: readonly Declaration[];
  find(name: string): Declaration | undefined;
}

const HEAD =
  /^(?:export\s+(?:default\s+)?)?(?:declare\s+)?(?:async\s+)?(?:(function)\s*\*?|(const|let|var)|(?:abstract\s+)?(class)|(interface)|(type))\s+([A-Za-z_$][\w$]*)/;

/** Finds the top-level declarations of TypeScript text by matching brackets. Never throws: what it cannot read it leaves out. */
export function parseProgram(text: string): Program {
  const declarations: Declaration[] = [];
  let start = -1;
  let head: RegExpExecArray | undefined;
  let typed = false;
  for (const { at, char, depth, previous } of scanCode(text)) {
    if (start < 0) {
      if (depth !== 0 || char === '\n' || (at > 0 && /[\w$.]/.test(text.charAt(at - 1)))) continue;
      const match = HEAD.exec(text.slice(at, at + 400));
      if (match === null) continue;
      start = at;
      head = match;
      typed = false;
      continue;
    }
    if (head === undefined || depth !== 0) continue;
    const block = head[1] !== undefined || head[3] !== undefined || head[4] !== undefined;
    if (block && char === '{') typed = head[1] !== undefined && ':|&<,'.includes(previous);
    const closes = block
      ? char === '}' && !typed
      : char === ';' || (char === '\n' && !'=(,:|&+-*/?'.includes(previous) && startsStatement(text, at + 1));
    if (!closes) continue;
    const end = char === '\n' ? at : at + 1;
    declarations.push(declarationOf(text, start, end, head));
    start = -1;
  }
  if (start >= 0 && head !== undefined && head[2] !== undefined) {
    declarations.push(declarationOf(text, start, text.trimEnd().length, head));
  }
  return { text, declarations, find: (name) => declarations.findLast((one) => one.name === name) };
}

/** A value declaration's whole initialiser when it is one number, e.g. `12` of `const rounds = 12;`. */
export function numberOf(declaration: Declaration): number | undefined {
  if (declaration.kind !== 'value') return undefined;
  const match = /=\s*(-?\d[\d_]*(?:\.\d+)?(?:e-?\d+)?)\s*;?$/i.exec(declaration.text);
  return match?.[1] === undefined ? undefined : Number(match[1].replaceAll('_', ''));
}

/** The identifiers listed in an array declaration, e.g. `['a', 'b']` of `const passes: Pass[] = [a, b];`. */
export function listOf(declaration: Declaration | undefined): readonly string[] {
  const match = declaration === undefined ? null : /=\s*\[([^\]]*)\]\s*;?$/.exec(declaration.text);
  return (match?.[1] ?? '').split(',').flatMap((part) => (/^[A-Za-z_$][\w$]*$/.test(part.trim()) ? [part.trim()] : []));
}

/** The same array declaration listing `names`. */
export function listText(declaration: Declaration, names: readonly string[]): string {
  return declaration.text.replace(/=\s*\[[^\]]*\]\s*;?$/, () => `= [${names.join(', ')}];`);
}

/** `name` and every declaration it needs, directly or not, in source order. `stop` names are neither taken nor followed. */
export function closureOf(program: Program, name: string, stop: ReadonlySet<string>): readonly Declaration[] {
  const wanted = new Set<string>();
  const open = [name];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const declaration = program.find(next);
    if (declaration === undefined || wanted.has(next)) continue;
    wanted.add(next);
    for (const other of identifiersOf(declaration.text)) if (!stop.has(other)) open.push(other);
  }
  return program.declarations.filter((one) => wanted.has(one.name) && program.find(one.name) === one);
}

/** Puts a declaration into the text: in place of the one of its name, otherwise before the pipeline (`passes`, then `forward`). */
export function withDeclaration(text: string, name: string, code: string, comment = ''): string {
  const program = parseProgram(text);
  const old = program.find(name);
  if (old !== undefined) return text.slice(0, old.start) + code + text.slice(old.end);
  const anchor = program.declarations.find((one) => one.name === 'passes' || one.name === 'forward');
  if (anchor === undefined) return `${text.trimEnd()}\n\n${comment}${code}\n`;
  const at = anchor.start - anchor.comment.length;
  const gap = /^(?:const|let|var)\b/.test(code) && !code.includes('\n') ? '\n' : '\n\n';
  return `${text.slice(0, at)}${comment}${code}${gap}${text.slice(at)}`;
}

/** Takes a declaration and its comment out of the text. */
export function withoutDeclaration(text: string, name: string): string {
  const old = parseProgram(text).find(name);
  if (old === undefined) return text;
  const before = text.slice(0, old.start - old.comment.length);
  const after = text.slice(old.end).replace(/^[ \t]*\n/, '');
  return before.endsWith('\n\n') || before === '' ? before + after.replace(/^\n+/, '') : before + after;
}

function declarationOf(text: string, start: number, end: number, head: RegExpExecArray): Declaration {
  const kind = head[1] !== undefined ? 'function' : head[4] !== undefined || head[5] !== undefined ? 'type' : 'value';
  return { name: head[6] ?? '', kind, text: text.slice(start, end), comment: commentAbove(text, start), start, end };
}

/** The comment that ends directly above `start` (which must begin its line): one block comment, or a run of `//` lines. */
function commentAbove(text: string, start: number): string {
  if (text.startsWith('*/\n', start - 3)) {
    const from = text.lastIndexOf('/*', start - 3);
    return from >= 0 && (from === 0 || text.charAt(from - 1) === '\n') ? text.slice(from, start) : '';
  }
  let from = start;
  while (from > 0 && text.charAt(from - 1) === '\n') {
    const line = text.lastIndexOf('\n', from - 2) + 1;
    if (line === from || !text.startsWith('//', line)) break;
    from = line;
  }
  return text.slice(from, start);
}

/** Whether the next line begins something new, so that a declaration without a semicolon ends before it. */
function startsStatement(text: string, at: number): boolean {
  const rest = text.slice(at, at + 200).trimStart();
  return (rest === '' && at + 200 >= text.length) || HEAD.test(rest) || /^(?:\/\/|\/\*|import\b|export\b)/.test(rest);
}
