/**
 * An absolute path of two parts at least: at the start of a word, or after the first slash of `replay//home/x`. Not the path of an
 * address with a host.
 */
const UNIX =
  /(?<![\w.:/~-]|:\/|^\/|[^\w]\/)\/(?:[^\s/'"`<>|]+\/)+([^\s/'"`<>|]*)|(?<=\w\/)\/(?:[^\s/'"`<>|]+\/)+([^\s/'"`<>|]*)/gu;
const FILE_ADDRESS = /file:\/\/[^\s'"`<>|]*\/([^\s/'"`<>|]*)/giu;
const WINDOWS = /(?<![\w])[A-Za-z]:\\(?:[^\s\\'"`<>|]+\\)*([^\s\\'"`<>|]*)/gu;

/** A text of the host's (a config, a model's name, a provider's error) with every absolute path cut down to its last part. */
export function withoutHostPaths(text: string): string {
  return text
    .replace(FILE_ADDRESS, '$1')
    .replace(UNIX, (_, whole: string | undefined, after: string | undefined) => whole ?? after ?? '')
    .replace(WINDOWS, '$1');
}

/** The same for every text in a value. */
export function withoutHostPathsIn(value: unknown): unknown {
  if (typeof value === 'string') return withoutHostPaths(value);
  if (Array.isArray(value)) return value.map(withoutHostPathsIn);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, withoutHostPathsIn(one)]));
}
