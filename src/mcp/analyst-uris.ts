import { invalidParams, quoted } from './protocol-handlers.ts';

/** What a URI of an analyst's names. */
export type AnalystTarget =
  | { readonly kind: 'runs' }
  | { readonly kind: 'run' | 'summary'; readonly run: string }
  | {
      readonly kind: 'file';
      readonly run: string;
      readonly agent: string;
      /** A generation, or the id of a program. */
      readonly generation: string;
      readonly file: string;
    };

export const RUNS_URI = 'hivemark://runs';
export const RUN_TEMPLATE = `${RUNS_URI}/{run}`;
export const SUMMARY_TEMPLATE = `${RUNS_URI}/{run}/summary`;
export const FILE_TEMPLATE = `${RUNS_URI}/{run}/candidates/{agent}/{generation}/{+file}`;

/** A run's id has slashes of its own: it is one part of the URI, escaped. */
export function runUri(run: string): string {
  return `${RUNS_URI}/${encodeURIComponent(run)}`;
}

/** Reads a URI of a client's. @throws {McpError} when it is none of ours, saying what ours are */
export function parseAnalystUri(uri: string): AnalystTarget {
  if (uri === RUNS_URI) return { kind: 'runs' };
  const parts = uri.startsWith(`${RUNS_URI}/`) ? unescaped(uri.slice(RUNS_URI.length + 1).split('/')) : undefined;
  const [run, what, agent, generation, ...path] = parts ?? [];
  if (run !== undefined && run !== '') {
    if (what === undefined) return { kind: 'run', run };
    if (what === 'summary' && agent === undefined) return { kind: 'summary', run };
    const file = path.join('/');
    if (what === 'candidates' && agent !== undefined && generation !== undefined && file !== '')
      return { kind: 'file', run, agent, generation, file };
  }
  throw invalidParams(
    `${quoted(uri)} is not the URI of a resource; they are ${RUNS_URI}, ${RUN_TEMPLATE}, ${SUMMARY_TEMPLATE} and ${FILE_TEMPLATE}, the id of a run percent-escaped`,
  );
}

function unescaped(parts: readonly string[]): readonly string[] | undefined {
  try {
    return parts.map(decodeURIComponent);
  } catch {
    return undefined;
  }
}
