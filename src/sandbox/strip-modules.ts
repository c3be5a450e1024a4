import { randomBytes } from 'node:crypto';
import type { ChildExit, DisposableChild } from './disposable-child.ts';
import type { ProgramError } from './frames.ts';
import { parseForeignJson } from './json-text.ts';
import { CHILD_LIMITS } from './limits.ts';
import type { Json } from './sandbox.ts';
import type { Stripped } from './strip-cache.ts';

/** A program that could not be prepared, by how the child ended. */
export interface Failure {
  readonly status: 'timeout' | 'crash' | 'memory';
  readonly error: ProgramError;
}

/** What stripping gave, by path, or how the child ended over it. */
export type StripResult = { readonly modules: ReadonlyMap<string, Stripped> } | { readonly failed: Failure };

/** Has a fresh child strip the types off modules, before it is given anything to run. The child can still be used afterwards. */
export function stripModules(child: DisposableChild, modules: Readonly<Record<string, string>>): Promise<StripResult> {
  const nonce = randomBytes(16).toString('hex');
  const { promise, resolve } = Promise.withResolvers<StripResult>();
  const fail = (status: Failure['status'], message: string): void =>
    resolve({ failed: { status, error: { code: 'stripping', message } } });
  const timer = setTimeout(() => fail('timeout', 'its types could not be stripped in time'), CHILD_LIMITS.stripMs);
  const chars = Object.values(modules).reduce((sum, source) => sum + source.length, 0);
  child.hold(
    {
      line: (line) => {
        if (!line.startsWith(`${nonce}S`)) return;
        const answer = parseForeignJson(line.slice(nonce.length + 1), 4);
        const parsed = parseAnswer(answer, Object.keys(modules));
        if (parsed === undefined) fail('crash', 'its types could not be stripped');
        else resolve({ modules: parsed });
      },
      flood: () => fail('crash', 'its types could not be stripped'),
      end: ({ outOfMemory }: ChildExit) =>
        fail(outOfMemory ? 'memory' : 'crash', 'stripping its types ended the process'),
    },
    // A character can take six in JSON; messages and paths come on top.
    8 * chars + 64 * 1024,
  );
  child.send(JSON.stringify({ op: 'strip', nonce, modules }));
  return promise.finally(() => clearTimeout(timer));
}

function parseAnswer(answer: Json | undefined, paths: readonly string[]): ReadonlyMap<string, Stripped> | undefined {
  if (typeof answer !== 'object' || answer === null || Array.isArray(answer)) return undefined;
  const fields = new Map(Object.entries(answer));
  const modules = new Map<string, Stripped>();
  for (const path of paths) {
    const field = fields.get(path);
    if (typeof field === 'string') modules.set(path, { text: field });
    else if (typeof field === 'object' && field !== null && 'code' in field && 'message' in field) {
      const { code, message } = field;
      if (typeof code !== 'string' || typeof message !== 'string') return undefined;
      modules.set(path, { error: { code, message } });
    } else return undefined;
  }
  return modules;
}
