import type { ProgramError } from './frames.ts';

/** A refusal to load a program, in the agent's own terms. Thrown in the child only. */
export class LoadError extends Error {
  override readonly name = 'LoadError';
  readonly report: ProgramError;
  constructor(report: ProgramError) {
    super(report.message);
    this.report = report;
  }
}

/**
 * Resolves a relative import among the program's own files: as written, with `.ts` or `.js` added, or with `.js` read as `.ts`
 * (and the reverse). `undefined` when there is no such file, or the specifier is not relative.
 */
export function resolveImport(specifier: string, importer: string, paths: ReadonlySet<string>): string | undefined {
  if (!specifier.startsWith('./') && !specifier.startsWith('../')) return undefined;
  const parts = importer.split('/').slice(0, -1);
  for (const part of specifier.split('/')) {
    if (part === '.' || part === '') continue;
    if (part !== '..') parts.push(part);
    else if (parts.pop() === undefined) return undefined;
  }
  const path = parts.join('/');
  const swapped = path.replace(/\.(js|ts)$/, (extension) => (extension === '.js' ? '.ts' : '.js'));
  return [path, `${path}.ts`, `${path}.js`, swapped].find((candidate) => paths.has(candidate));
}

/** The first place in an engine's stack or message that lies in one of the program's own files, as `file:line`. */
export function ownPlace(text: string, paths: ReadonlySet<string>): string | undefined {
  for (const match of text.matchAll(/([\w./@-]{1,200}\.[cm]?[jt]s):(\d{1,7})(?::\d{1,7})?/g)) {
    const [, file, line] = match;
    if (file !== undefined && paths.has(file)) return `${file}:${line}`;
  }
  return undefined;
}

/** Message of an engine error with its trailing `[file:line:column]` moved to the front, control characters out, capped. */
export function ownMessage(
  thrown: { name: string; message: string; stack: string },
  paths: ReadonlySet<string>,
): string {
  const place = ownPlace(thrown.stack, paths) ?? ownPlace(thrown.message, paths);
  if (thrown.message.startsWith('An object was thrown from supplied code'))
    return 'threw an object that is not an Error';
  const message = cleanText(thrown.message.replace(/ \[[^[\]]{1,300}:\d+:\d+\]$/, ''), 600);
  const name = cleanText(thrown.name, 60);
  const said = name === '' || name === 'Error' || message.startsWith(name) ? message : `${name}: ${message}`;
  return place === undefined ? said || 'threw' : `${place}: ${said || 'threw'}`;
}

/** Text of a program made fit for one line of a report. */
export function cleanText(text: string, max: number): string {
  // oxlint-disable-next-line no-control-regex -- taking them out is the point
  const clean = text.replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g, ' ').trim();
  return clean.length > max ? `${clean.slice(0, max)}...` : clean;
}

/**
 * Strips each module; what cannot be stripped is an error of that module alone. `null`: the stripper itself failed over it, and may fail
 * over anything from now on. Runs in the child.
 */
export function stripAll(
  modules: Readonly<Record<string, string>>,
  strip: (source: string) => string,
): Record<string, string | ProgramError | null> {
  const stripped: Record<string, string | ProgramError | null> = {};
  for (const [path, source] of Object.entries(modules)) {
    try {
      stripped[path] = strip(source);
    } catch (thrown) {
      stripped[path] = stripError(path, thrown)?.report ?? null;
    }
  }
  return stripped;
}

/** What the type stripper found wrong; the line is in the first line of its stack (`:line`). */
export function stripError(path: string, thrown: unknown): LoadError | undefined {
  const known = thrown instanceof Error && 'code' in thrown && String(thrown.code).endsWith('_TYPESCRIPT_SYNTAX');
  // Whatever else the stripper throws is about itself (its stack ran out), not about the program.
  if (!known) return undefined;
  const unsupported = thrown.code === 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX';
  const line = /^[^\n]*:(\d{1,7})\n/.exec(thrown.stack ?? '')?.[1];
  const message = `${line === undefined ? path : `${path}:${line}`}: ${cleanText(thrown.message, 600)}`;
  return new LoadError({ code: unsupported ? 'unsupported-typescript' : 'syntax', message });
}
