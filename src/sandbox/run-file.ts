import { readFile, realpath, stat } from 'node:fs/promises';
import { basename, dirname, extname, join, sep } from 'node:path';
import { createSandbox } from './create-sandbox.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import { resolveImport } from './program-modules.ts';
import type { Json, Verdict } from './sandbox.ts';

/** Options of {@link sandboxFile}. */
export interface SandboxFileOptions {
  /** Passed to `forward`. @default {} */
  readonly input?: Json;
  /** Milliseconds of computing. @default 1000 */
  readonly deadlineMs?: number;
  readonly signal?: AbortSignal;
  /** Told what this platform lacks for full containment. */
  readonly onNotice?: (sentence: string) => void;
}

/** Thrown when the file to run, or one it imports, cannot be read. */
export class SandboxFileError extends Error {
  override readonly name = 'SandboxFileError';
  readonly code = 'unreadable-file';
}

/** Modules one file may bring along. */
const MAX_MODULES = 64;

/**
 * Runs `forward(input, ctx)` of a module on disk once, in a child of its own, with the modules it imports from its own folder or
 * below. The files are read as text; nothing of them is evaluated outside the child.
 * @throws SandboxFileError when the file cannot be read
 * @throws SandboxUnavailableError when no child can be started
 */
export async function sandboxFile(file: string, options: SandboxFileOptions = {}): Promise<Verdict> {
  const { input = {}, deadlineMs = 1_000 } = options;
  const modules = await readModules(file);
  const sandbox = createSandbox({
    poolSize: 0,
    shellPoolSize: 0,
    ...(options.onNotice && { onNotice: options.onNotice }),
  });
  try {
    const [verdict] = await sandbox.run({
      modules,
      entry: basename(file),
      cases: [{ seed: 0, next: (step) => (step === 0 ? input : undefined) }],
      limits: { caseMs: deadlineMs, computeMs: deadlineMs, resultBytes: 5 * 1024 * 1024 },
      ...(options.signal && { signal: options.signal }),
    });
    if (verdict === undefined) throw new Error('the sandbox gave no verdict');
    return verdict;
  } finally {
    await sandbox.close();
  }
}

async function readModules(file: string): Promise<Record<string, string>> {
  const folder = await realpath(dirname(file)).catch(() => dirname(file));
  const modules = new Map<string, string>([[basename(file), await readSource(join(folder, basename(file)), file)]]);
  let bytes = 0;
  for (const [path, source] of modules) {
    bytes += Buffer.byteLength(source);
    // Beyond the limits the sandbox refuses the program anyway.
    if (bytes > DEFAULT_LIMITS.sourceBytes || modules.size >= MAX_MODULES) break;
    for (const specifier of relativeImports(source)) {
      const found = await firstFile(folder, candidates(specifier, path));
      if (found !== undefined && !modules.has(found)) modules.set(found, await readSource(join(folder, found), found));
    }
  }
  return Object.fromEntries(modules);
}

/** Specifiers that look like relative imports; too many do no harm (the sandbox resolves the real ones). */
function relativeImports(source: string): readonly string[] {
  return [...source.matchAll(/\b(?:from|import)\s*(['"])(\.{1,2}\/[^'"\n]{1,200})\1/g)].flatMap(
    (match) => match[2] ?? [],
  );
}

/** Paths a specifier may mean, in the order in which `resolveImport` looks; none outside the folder. */
function candidates(specifier: string, importer: string): readonly string[] {
  const tried: string[] = [];
  const noting: ReadonlySet<string> = Object.assign(new Set<string>(), {
    has: (path: string) => {
      tried.push(path);
      return false;
    },
  });
  resolveImport(specifier, importer, noting);
  return tried;
}

async function firstFile(folder: string, paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    if (!/^\.[cm]?[jt]s$/.test(extname(path))) continue;
    try {
      const whole = await realpath(join(folder, path));
      if (whole.startsWith(folder + sep) && (await stat(whole)).isFile()) return path;
    } catch {
      continue;
    }
  }
  return undefined;
}

async function readSource(path: string, shown: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > 4 * DEFAULT_LIMITS.sourceBytes)
      throw new SandboxFileError(`${shown} is too large to be a program: ${size} bytes`);
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof SandboxFileError) throw error;
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unknown';
    throw new SandboxFileError(`cannot read ${shown}: ${code}`, { cause: error });
  }
}
