import { CircuitBreaker } from './circuit-breaker.ts';
import { ModelError } from './model.ts';
import type { Model, ModelErrorCode } from './model.ts';
import type { ProviderName } from './model-spec.ts';
import { ModelSpecError, parseModelName } from './model-spec.ts';
import type { ProviderModelOptions } from './openai-model.ts';
import type { Endpoint } from './provider-failure.ts';
import { openReplayFile } from './replay-file.ts';
import type { RetryPolicy, Timing } from './resilience.ts';
import { SYSTEM_TIMING } from './resilience.ts';
import { openScripted } from './scripted/scripted-model.ts';

/** What a model is opened with: an agent's part of the config. */
export interface OpenModelSpec {
  /** `provider/model`. */
  readonly model: string;
  /** Endpoint; needed for `openai-compatible`. */
  readonly baseUrl?: string;
  /** Name of the environment variable that holds the key, where it is not the provider's own. */
  readonly apiKeyEnv?: string;
  /** The agent it speaks for: picks a replay's rows, and a scripted model's random stream. */
  readonly agent: string;
  readonly seed: number;
  readonly task?: string;
  readonly temperature?: number;
  readonly maxOutputTokens?: number;
  /** @default true */
  readonly stream?: boolean;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** What tests and embedders may set apart from the config. */
export interface OpenModelOptions {
  readonly policy?: RetryPolicy;
  readonly timing?: Timing;
  /** Breakers by endpoint; @default shared by the whole process */
  readonly breakers?: Map<string, CircuitBreaker>;
}

const sharedBreakers = new Map<string, CircuitBreaker>();

type RemoteProvider = Extract<ProviderName, 'openai' | 'anthropic' | 'openai-compatible'>;

/** Where each provider's key is looked up when the config names no variable, and where it is by default. */
const REMOTE: Readonly<
  Record<RemoteProvider, { readonly keyEnv: string; readonly urlEnv?: string; readonly baseUrl?: string }>
> = {
  openai: { keyEnv: 'OPENAI_API_KEY', urlEnv: 'OPENAI_BASE_URL', baseUrl: 'https://api.openai.com/v1' },
  anthropic: { keyEnv: 'ANTHROPIC_API_KEY', urlEnv: 'ANTHROPIC_BASE_URL', baseUrl: 'https://api.anthropic.com' },
  'openai-compatible': { keyEnv: 'HIVEMARK_API_KEY' },
};

/**
 * Opens a model by name, before a run starts: what is missing is found here, not in the middle of a generation. Asks no
 * provider anything (`pingModel` does).
 *
 * @param env where keys are looked up; a key is read here once and held by the client alone
 * @throws ModelSpecError for a name or base URL that cannot be used; ModelError `no-key` naming the variable to set,
 *   `replay-mismatch` for a recording that cannot be opened; whatever `openScripted` throws for an unknown persona.
 */
export async function openModel(spec: OpenModelSpec, env: Environment, options: OpenModelOptions = {}): Promise<Model> {
  const { provider, id } = parseModelName(spec.model);
  if (provider === 'scripted') return openScripted(id, { seed: spec.seed, agent: spec.agent, task: spec.task ?? '' });
  if (provider === 'replay') return openReplayFile(id, spec.agent);
  const remote = remoteOptions(spec, provider, id, env, options);
  // The SDKs take longer to load than all else together: only for a run that asks a provider.
  if (provider === 'anthropic') return (await import('./anthropic-model.ts')).createAnthropicModel(remote);
  return (await import('./openai-model.ts')).createOpenAiModel(remote);
}

function remoteOptions(
  spec: OpenModelSpec,
  provider: RemoteProvider,
  modelId: string,
  env: Environment,
  options: OpenModelOptions,
): ProviderModelOptions {
  const baseUrl = baseUrlOf(spec, provider, env);
  const endpoint: Endpoint = { provider, modelId, baseUrl, keyEnv: spec.apiKeyEnv ?? REMOTE[provider].keyEnv };
  const breakers = options.breakers ?? sharedBreakers;
  const timing = options.timing ?? SYSTEM_TIMING;
  const breaker = breakers.get(baseUrl) ?? new CircuitBreaker(undefined, () => timing.now());
  breakers.set(baseUrl, breaker);
  return {
    name: spec.model,
    endpoint,
    apiKey: keyOf(spec, endpoint, env),
    breaker,
    ...(spec.stream === undefined ? {} : { stream: spec.stream }),
    ...(spec.temperature === undefined ? {} : { temperature: spec.temperature }),
    ...(spec.maxOutputTokens === undefined ? {} : { maxOutputTokens: spec.maxOutputTokens }),
    ...(options.policy === undefined ? {} : { policy: options.policy }),
    timing,
  };
}

function baseUrlOf(spec: OpenModelSpec, provider: RemoteProvider, env: Environment): string {
  const { urlEnv, baseUrl: standard } = REMOTE[provider];
  const text = spec.baseUrl ?? ((urlEnv === undefined ? undefined : env[urlEnv]) || standard);
  if (text === undefined) {
    throw new ModelSpecError(
      spec.model,
      `${spec.model} needs a baseUrl: the endpoint that speaks chat completions, e.g. http://127.0.0.1:11434/v1.`,
    );
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw new ModelSpecError(spec.model, `the baseUrl of ${spec.model} is not an http or https URL.`);
  }
  if (url.username !== '' || url.password !== '' || url.search !== '') {
    throw new ModelSpecError(
      spec.model,
      `the baseUrl of ${spec.model} may carry no user, password or query; put the key into an environment variable (apiKeyEnv).`,
    );
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '');
}

/** A server on this machine may do without a key, unless the config names a variable for it. */
function keyOf(spec: OpenModelSpec, endpoint: Endpoint, env: Environment): string {
  const { keyEnv, provider, baseUrl } = endpoint;
  const key = env[keyEnv]?.trim() ?? '';
  const fail = (message: string): ModelError => new ModelError('no-key', spec.model, `${spec.model}: ${message}`, 0);
  if (key === '') {
    if (provider === 'openai-compatible' && spec.apiKeyEnv === undefined && isLoopback(baseUrl)) return 'none';
    const other = spec.apiKeyEnv === undefined ? ', or name another variable with apiKeyEnv' : '';
    throw fail(`no key. Set the environment variable ${keyEnv}${other}.`);
  }
  if (!/^[\x21-\x7e]+$/.test(key)) {
    throw fail(
      `the environment variable ${keyEnv} does not hold a key: it contains spaces, line breaks or other characters that no key has.`,
    );
  }
  return key;
}

function isLoopback(baseUrl: string): boolean {
  const { hostname } = new URL(baseUrl);
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d+){3}$/.test(hostname);
}

/** What came of asking a model for one word. */
export type Ping =
  | { readonly ok: true; readonly ms: number; readonly attempts: number; readonly text: string }
  | { readonly ok: false; readonly ms: number; readonly code: ModelErrorCode; readonly message: string };

/** Asks a model for one word, to see that key, endpoint and name work: one small paid request. Only ModelErrors become values. */
export async function pingModel(
  model: Model,
  signal?: AbortSignal,
  now: () => number = () => performance.now(),
): Promise<Ping> {
  const startedAt = now();
  try {
    const reply = await model.complete({
      messages: [{ role: 'user', text: 'This is a connection test. Answer with the one word: pong' }],
      tools: [],
      // Room for models that reason before they answer.
      maxOutputTokens: 1024,
      ...(signal === undefined ? {} : { signal }),
    });
    return { ok: true, ms: now() - startedAt, attempts: reply.attempts, text: reply.text.slice(0, 100) };
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return { ok: false, ms: now() - startedAt, code: error.code, message: error.message };
  }
}
