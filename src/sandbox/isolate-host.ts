import type {
  CachedDataResult,
  Context,
  ExternalCopy,
  Isolate,
  Module,
  Reference,
  Script,
  Transferable,
} from 'isolated-vm';
import type { FrameKind, ProgramError, ToChild } from './frames.ts';
import { cleanText, LoadError, ownMessage, resolveImport } from './program-modules.ts';
import { REALM_SOURCE } from './realm-source.ts';

/** MiB that compiling one module may take. */
const PARSE_MEMORY_MB = 128;

type Job = Extract<ToChild, { op: 'job' }>;
type Operation = (...args: Transferable[]) => Transferable;
type Api = Reference<Operation>;
type Call = ['step', string] | ['reply', number, boolean, string];

/**
 * One program in a child, its types stripped before: gives each case a fresh isolate (2 ms), so that nothing of one case can
 * reach the next. Calls in which the program runs are asynchronous, so that this thread still sees its stdin end; the others are
 * not, since each passes through two threads and back.
 */
export class IsolateHost {
  readonly #ivm: typeof import('isolated-vm');
  readonly #job: Job;
  readonly #frame: (kind: FrameKind, payload: string) => void;
  readonly #paths: ReadonlySet<string>;
  #isolate: Isolate | undefined;
  #api: Api | undefined;
  #replies = 0;
  /** The realm's code, compiled by the first case; no program can reach it. */
  #realmCode: ExternalCopy<ArrayBuffer> | undefined;

  constructor(ivm: typeof import('isolated-vm'), job: Job, frame: (kind: FrameKind, payload: string) => void) {
    this.#ivm = ivm;
    this.#job = job;
    this.#frame = frame;
    this.#paths = new Set([...Object.keys(job.modules), ...Object.keys(job.broken)]);
  }

  /** A fresh realm for the next case, with the program loaded into it. Answers only when that fails: with `E` or `M`. */
  async load(seed: number): Promise<void> {
    this.#isolate?.dispose();
    this.#api = undefined;
    this.#replies = 0;
    const isolate = new this.#ivm.Isolate({
      memoryLimit: this.#job.memoryMb,
      onCatastrophicError: () => this.#frame('M', ''),
    });
    this.#isolate = isolate;
    let code = 'syntax';
    try {
      const context = isolate.createContextSync();
      const api = this.#realm(isolate, context, seed);
      const modules = this.#compile(isolate);
      const entry = modules.get(this.#job.entry);
      if (entry === undefined) throw missingEntry(this.#job.entry);
      const pathOf = new Map([...modules].map(([path, module]) => [module, path]));
      entry.instantiateSync(context, (specifier, referrer) => {
        const path = resolveImport(specifier, pathOf.get(referrer) ?? '', this.#paths);
        const found = path === undefined ? undefined : modules.get(path);
        if (found === undefined) throw new LoadError({ code: 'missing-module', message: `no module ${specifier}` });
        return found;
      });
      code = 'threw-at-load';
      await entry.evaluate();
      if (api.applySync(undefined, ['load', entry.namespace.derefInto()]) !== true) {
        throw new LoadError({
          code: 'no-forward',
          message: `${this.#job.entry}: has no export function forward(input, ctx)`,
        });
      }
      this.#api = api;
    } catch (thrown) {
      this.#report(thrown, code);
    }
  }

  /** One call of `forward` with `input` (JSON text). Answers with frames until the realm has no work left. */
  step(input: string): Promise<void> {
    return this.#enter(['step', input]);
  }

  /** Delivers a host function's answer into the realm. */
  reply(id: number, ok: boolean, text: string): Promise<void> {
    this.#replies++;
    return this.#enter(['reply', id, ok, text]);
  }

  async #enter(call: Call): Promise<void> {
    const api = this.#api;
    if (api === undefined) return;
    try {
      await api.apply(undefined, call);
      for (;;) {
        const next = api.applySync(undefined, ['poll']);
        if (typeof next !== 'string' || next === '') break;
        if (this.#pass(next)) return;
      }
      this.#frame('I', String(this.#replies));
    } catch (thrown) {
      this.#report(thrown, 'threw');
    }
  }

  /** Passes one frame of the realm on; true when it ends the step. */
  #pass(text: string): boolean {
    const payload = text.slice(1);
    switch (text.charAt(0)) {
      case 'V':
        if (Buffer.byteLength(payload) > this.#job.resultBytes) this.#frame('O', '');
        else this.#frame('V', payload);
        return true;
      case 'E': {
        const thrown: { name: string; message: string; stack: string } = JSON.parse(payload);
        this.#error({ code: 'threw', message: ownMessage(thrown, this.#paths) });
        return true;
      }
      case 'B':
        this.#frame('B', JSON.stringify(cleanText(payload, 300)));
        return true;
      case 'O':
      case 'M':
        this.#frame(text.charAt(0) === 'O' ? 'O' : 'M', '');
        return true;
      case 'C':
        this.#frame('C', payload);
        return false;
      default:
        return false;
    }
  }

  #realm(isolate: Isolate, context: Context, seed: number): Api {
    const job = this.#job;
    const settings = {
      seed,
      resultChars: job.resultBytes,
      logChars: job.logBytes,
      logLines: job.logLines,
      hostCalls: job.hostCalls,
      hostChars: job.hostBytes,
      maxDepth: job.maxDepth,
      hostNames: job.hostNames,
      withoutGlobals: job.withoutGlobals,
    };
    const sink = new this.#ivm.Callback((line: string) => this.#frame('L', JSON.stringify(line)), { ignored: true });
    const script: Script & CachedDataResult = isolate.compileScriptSync(REALM_SOURCE, {
      filename: 'hivemark-host',
      ...(this.#realmCode === undefined ? { produceCachedData: true } : { cachedData: this.#realmCode }),
    });
    this.#realmCode ??= script.cachedData;
    const open: Reference<(...args: Transferable[]) => Operation> = script.runSync(context, { reference: true });
    return open.applySync(undefined, [new this.#ivm.ExternalCopy(settings).copyInto(), sink], {
      result: { reference: true },
    });
  }

  /** Compiles what the entry reaches. */
  #compile(isolate: Isolate): Map<string, Module> {
    const modules = new Map<string, Module>();
    if (!this.#paths.has(this.#job.entry)) throw missingEntry(this.#job.entry);
    const queue = [this.#job.entry];
    for (let path = queue.pop(); path !== undefined; path = queue.pop()) {
      if (modules.has(path)) continue;
      const module = isolate.compileModuleSync(this.#source(path), { filename: path });
      modules.set(path, module);
      for (const specifier of module.dependencySpecifiers) {
        const found = resolveImport(specifier, path, this.#paths);
        if (found === undefined) {
          const message = `${path}: imports '${cleanText(specifier, 100)}', which is not among the program's own files`;
          throw new LoadError({ code: 'missing-module', message });
        }
        queue.push(found);
      }
    }
    return modules;
  }

  #source(path: string): string {
    const broken = Object.hasOwn(this.#job.broken, path) ? this.#job.broken[path] : undefined;
    if (broken !== undefined) throw new LoadError(broken);
    return this.#job.modules[path] ?? '';
  }

  #report(thrown: unknown, code: string): void {
    if (thrown instanceof LoadError) return this.#error(thrown.report);
    if (this.#isolate?.isDisposed === true) return this.#frame('M', '');
    const parts = partsOf(thrown);
    if (parts.message === 'Array buffer allocation failed') return this.#frame('M', '');
    this.#error(errorOf(parts, code, this.#paths));
  }

  #error(error: ProgramError): void {
    this.#frame('E', JSON.stringify(error));
  }
}

/** Compiles a module in an isolate of its own and runs nothing of it. @returns what is wrong with it */
export async function compileOnly(
  ivm: typeof import('isolated-vm'),
  path: string,
  text: string,
): Promise<ProgramError | undefined> {
  const isolate = new ivm.Isolate({ memoryLimit: PARSE_MEMORY_MB });
  try {
    await isolate.compileModule(text, { filename: path });
    return undefined;
  } catch (thrown) {
    return isolate.isDisposed ? undefined : errorOf(partsOf(thrown), 'syntax', new Set([path]));
  } finally {
    if (!isolate.isDisposed) isolate.dispose();
  }
}

interface Thrown {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
}

function errorOf(thrown: Thrown, code: string, paths: ReadonlySet<string>): ProgramError {
  return { code: thrown.name === 'SyntaxError' ? 'syntax' : code, message: ownMessage(thrown, paths) };
}

function partsOf(thrown: unknown): Thrown {
  return typeof thrown === 'object' && thrown !== null
    ? { name: '', message: '', stack: '', ...pick(thrown) }
    : { name: 'thrown', message: String(thrown), stack: '' };
}

function pick(thrown: object): Partial<Thrown> {
  const { name, message, stack } = thrown as { name?: unknown; message?: unknown; stack?: unknown };
  return {
    ...(typeof name === 'string' && { name }),
    ...(typeof message === 'string' && { message }),
    ...(typeof stack === 'string' && { stack }),
  };
}

function missingEntry(entry: string): LoadError {
  return new LoadError({ code: 'missing-module', message: `${cleanText(entry, 200)}: there is no such file` });
}
