export const PROVIDERS = ['openai', 'anthropic', 'openai-compatible', 'scripted', 'replay'] as const;
export type ProviderName = (typeof PROVIDERS)[number];

/** A configured model, taken apart: `openai-compatible/org/model` is provider and everything after the first slash. */
export interface ModelName {
  readonly provider: ProviderName;
  /** The provider's own name of the model; the persona of a scripted one; the file of a replay. */
  readonly id: string;
}

/** A model was named that cannot be opened; `message` says how it should read. */
export class ModelSpecError extends Error {
  override readonly name = 'ModelSpecError';
  readonly code = 'bad-model-spec';
  readonly spec: string;
  constructor(spec: string, message: string) {
    super(message);
    this.spec = spec;
  }
}

/**
 * Takes `provider/model` apart.
 *
 * @example parseModelName('openai-compatible/moonshotai/kimi-k2') // { provider: 'openai-compatible', id: 'moonshotai/kimi-k2' }
 * @throws ModelSpecError for an unknown provider (naming the nearest) or an empty model.
 */
export function parseModelName(text: string): ModelName {
  const slash = text.indexOf('/');
  const head = slash === -1 ? text : text.slice(0, slash);
  const provider = PROVIDERS.find((known) => known === head);
  const known = `Known providers: ${PROVIDERS.join(', ')}.`;
  if (provider === undefined) {
    const nearest = nearestName(head, PROVIDERS);
    const hint = nearest === undefined ? '' : ` Did you mean ${JSON.stringify(nearest)}?`;
    const what = slash === -1 ? 'has no provider' : `names the unknown provider ${JSON.stringify(head)}`;
    throw new ModelSpecError(text, `the model ${JSON.stringify(text)} ${what}; write provider/model.${hint} ${known}`);
  }
  const id = slash === -1 ? '' : text.slice(slash + 1);
  if (id === '' || id !== id.trim()) {
    throw new ModelSpecError(text, `the model ${JSON.stringify(text)} names no model; write ${provider}/<model>.`);
  }
  return { provider, id };
}

/** The provider part of `provider/model`. @throws ModelSpecError like `parseModelName`. */
export function providerOf(text: string): ProviderName {
  return parseModelName(text).provider;
}

/** The known name with the fewest edits, if it is near enough to be a slip of the pen. */
export function nearestName(name: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let fewest = Math.max(2, Math.ceil(name.length / 2)) + 1;
  for (const candidate of known) {
    const edits = editDistance(name.toLowerCase(), candidate.toLowerCase());
    if (edits < fewest) [best, fewest] = [candidate, edits];
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
