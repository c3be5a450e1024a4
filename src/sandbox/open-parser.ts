import type { DisposableChild } from './disposable-child.ts';
import { KeptChild } from './kept-child.ts';
import { parseModule, stripModules } from './prepare-modules.ts';
import type { Parser, SandboxLimits } from './sandbox.ts';
import type { StripCache } from './strip-cache.ts';

/** What parsers need of the sandbox. */
export interface ParserDeps {
  /** A ready child for programs. */
  take(): Promise<DisposableChild>;
  readonly stripped: StripCache;
  readonly defaults: Pick<SandboxLimits, 'sourceBytes'>;
}

/** @returns a parser of a sandbox: see {@link Parser}. A child that could not tell is not asked again. */
export function openParser(deps: ParserDeps): Parser {
  const kept = new KeptChild(() => deps.take(), 'the parser');
  return {
    parse: async (path, source, signal) => {
      if (Buffer.byteLength(source) > deps.defaults.sourceBytes) return undefined;
      return kept.use(signal, async (child) => {
        const giveUp = (): void => child.kill();
        signal?.addEventListener('abort', giveUp, { once: true });
        try {
          const prepared = await stripModules(child, deps.stripped, { [path]: source });
          const module = 'failed' in prepared ? undefined : prepared.stripped.get(path);
          if ('failedOn' in prepared) child.kill();
          signal?.throwIfAborted();
          if (module !== undefined && 'error' in module) return module.error;
          const parsed = module === undefined ? undefined : await parseModule(child, path, module.text);
          signal?.throwIfAborted();
          if (parsed !== undefined && 'problem' in parsed) return parsed.problem;
          child.kill();
          return undefined;
        } finally {
          signal?.removeEventListener('abort', giveUp);
        }
      });
    },
    close: () => kept.close(),
  };
}
