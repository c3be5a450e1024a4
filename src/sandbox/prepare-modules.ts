import { randomBytes } from 'node:crypto';
import type { ChildExit, DisposableChild } from './disposable-child.ts';
import { type ProgramError, programErrorOf, type ToChild } from './frames.ts';
import { parseForeignJson } from './json-text.ts';
import { CHILD_LIMITS } from './limits.ts';
import type { Json } from './sandbox.ts';
import { needsStripping, type StripCache, type Stripped } from './strip-cache.ts';

/** A program that could not be prepared, by how the child ended. */
export interface Failure {
  readonly status: 'timeout' | 'crash' | 'memory';
  readonly error: ProgramError;
}

/** What came of modules, by path, or how the child ended over them. */
type Prepared<T> = T | { readonly failed: Failure };

/**
 * Modules without their types: from the cache, or from a child that runs no program yet, which can still be used afterwards. Only
 * files named as TypeScript are stripped. `failedOn`: the stripper itself failed over a module, which is told as a syntax error; then
 * nothing is cached, and the child must not strip again.
 */
export async function stripModules(
  child: DisposableChild,
  cache: StripCache,
  modules: Readonly<Record<string, string>>,
): Promise<Prepared<{ readonly stripped: ReadonlyMap<string, Stripped>; readonly failedOn?: string }>> {
  const entries = Object.entries(modules);
  const fresh = new Map<string, Stripped>();
  let failedOn: string | undefined;
  const missing = entries.filter(([path, source]) => needsStripping(path) && cache.get(path, source) === undefined);
  if (missing.length > 0) {
    const chars = missing.reduce((sum, [, source]) => sum + source.length, 0);
    const asked = await ask(child, 'S', { op: 'strip', modules: Object.fromEntries(missing) }, chars);
    if ('failed' in asked) return asked;
    const answer = parseAnswer(
      asked.answer,
      missing.map(([path]) => path),
    );
    if (answer === undefined) return { failed: failure('crash', 'its types could not be stripped') };
    for (const [path, module] of answer) {
      if (module === null) failedOn ??= path;
      else fresh.set(path, module);
    }
    if (failedOn === undefined)
      for (const [path, source] of missing) cache.set(path, source, fresh.get(path) ?? unparsable(path));
  }
  const stripped = new Map<string, Stripped>();
  for (const [path, source] of entries) {
    const module = needsStripping(path) ? (fresh.get(path) ?? cache.get(path, source)) : { text: source };
    stripped.set(path, module ?? unparsable(path));
  }
  return failedOn === undefined ? { stripped } : { stripped, failedOn };
}

function unparsable(path: string): Stripped {
  return { error: { code: 'syntax', message: `${path}: cannot be parsed (nested too deeply?)` } };
}

/** Has a child compile a module whose types are stripped, and run nothing of it. The child can still be used afterwards. */
export async function parseModule(
  child: DisposableChild,
  path: string,
  text: string,
): Promise<Prepared<{ readonly problem: ProgramError | undefined }>> {
  const asked = await ask(child, 'P', { op: 'parse', path, text }, 0);
  if ('failed' in asked) return asked;
  if (asked.answer === null) return { problem: undefined };
  const problem = programErrorOf(asked.answer);
  return problem === undefined ? { failed: failure('crash', 'it could not be parsed') } : { problem };
}

/** One question about a text: the JSON that came back, of at most so many characters besides messages and paths. */
function ask(
  child: DisposableChild,
  kind: 'S' | 'P',
  question: DistributiveOmit<Extract<ToChild, { op: 'strip' | 'parse' }>, 'nonce'>,
  chars: number,
): Promise<{ readonly answer: Json | undefined } | { readonly failed: Failure }> {
  const nonce = randomBytes(16).toString('hex');
  const { promise, resolve } = Promise.withResolvers<Awaited<ReturnType<typeof ask>>>();
  const fail = (status: Failure['status'], message: string): void => resolve({ failed: failure(status, message) });
  const timer = setTimeout(() => fail('timeout', 'its types could not be stripped in time'), CHILD_LIMITS.stripMs);
  child.hold(
    {
      line: (line) => {
        if (line.startsWith(`${nonce}${kind}`)) resolve({ answer: parseForeignJson(line.slice(nonce.length + 1), 4) });
      },
      flood: () => fail('crash', 'its types could not be stripped'),
      end: ({ outOfMemory }: ChildExit) =>
        fail(outOfMemory ? 'memory' : 'crash', 'stripping its types ended the process'),
    },
    // A character can take six in JSON; messages and paths come on top.
    8 * chars + 64 * 1024,
  );
  child.send(JSON.stringify({ ...question, nonce }));
  return promise.finally(() => clearTimeout(timer));
}

type DistributiveOmit<T, K extends PropertyKey> = T extends unknown ? Omit<T, K> : never;

function failure(status: Failure['status'], message: string): Failure {
  return { status, error: { code: 'stripping', message } };
}

function parseAnswer(
  answer: Json | undefined,
  paths: readonly string[],
): ReadonlyMap<string, Stripped | null> | undefined {
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) return undefined;
  const fields = new Map(Object.entries(answer));
  const modules = new Map<string, Stripped | null>();
  for (const path of paths) {
    const field = fields.get(path);
    const error = programErrorOf(field);
    if (typeof field === 'string') modules.set(path, { text: field });
    else if (error !== undefined) modules.set(path, { error });
    else if (field === null) modules.set(path, null);
    else return undefined;
  }
  return modules;
}
