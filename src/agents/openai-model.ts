import OpenAI from 'openai';
import { CircuitBreaker } from './circuit-breaker.ts';
import type { Model, ModelReply, ModelRequest } from './model.ts';
import { OpenAiReply, openAiBody } from './openai-wire.ts';
import type { Endpoint } from './provider-failure.ts';
import { classifyFailure } from './provider-failure.ts';
import type { RetryPolicy, Timing } from './resilience.ts';
import { RETRY_POLICY, SYSTEM_TIMING, withRetries } from './resilience.ts';

export interface ProviderModelOptions {
  /** `provider/model` as configured. */
  readonly name: string;
  readonly endpoint: Endpoint;
  /** Held by the client alone; never printed, logged or put into an error. */
  readonly apiKey: string;
  /** @default true; some compatible servers stream tool calls badly */
  readonly stream?: boolean;
  /** Used where a request names none. */
  readonly temperature?: number;
  readonly maxOutputTokens?: number;
  /** Shared by all models of one endpoint. */
  readonly breaker?: CircuitBreaker;
  readonly policy?: RetryPolicy;
  readonly timing?: Timing;
}

/**
 * A model behind OpenAI's chat completions, or anything that speaks them. Replies are streamed and put together; a stream
 * cut in the middle yields nothing. Retries are ours (`resilience.ts`), the SDK's are off.
 */
export function createOpenAiModel(options: ProviderModelOptions): Model {
  const { name, endpoint, apiKey } = options;
  const policy = options.policy ?? RETRY_POLICY;
  const timing = options.timing ?? SYSTEM_TIMING;
  const breaker = options.breaker ?? new CircuitBreaker();
  const stream = options.stream ?? true;
  const client = new OpenAI({
    apiKey,
    baseURL: endpoint.baseUrl,
    organization: null,
    project: null,
    maxRetries: 0,
    timeout: policy.attemptTimeoutMs,
    logLevel: 'off',
    // A redirect could carry the key to another host.
    fetchOptions: { redirect: 'manual' },
  });

  const attempt = async (request: ModelRequest, signal: AbortSignal): Promise<Omit<ModelReply, 'attempts'>> => {
    const maxOutputTokens = request.maxOutputTokens ?? options.maxOutputTokens;
    const temperature = request.temperature ?? options.temperature;
    const body = {
      model: endpoint.modelId,
      ...openAiBody(request),
      ...(temperature === undefined ? {} : { temperature }),
      // Compatible servers know the older name; OpenAI's reasoning models refuse it.
      ...(maxOutputTokens === undefined
        ? {}
        : endpoint.provider === 'openai'
          ? { max_completion_tokens: maxOutputTokens }
          : { max_tokens: maxOutputTokens }),
    };
    const reply = new OpenAiReply();
    if (!stream) {
      reply.add(await client.chat.completions.create({ ...body, stream: false }, { signal }));
      return reply.finish();
    }
    const chunks = await client.chat.completions.create(
      { ...body, stream: true, stream_options: { include_usage: true } },
      { signal },
    );
    for await (const chunk of chunks) reply.add(chunk);
    // The SDK ends an aborted stream as if it were over.
    signal.throwIfAborted();
    return reply.finish();
  };

  return {
    name,
    identity: name,
    scripted: false,
    async complete(request) {
      const { value, attempts } = await withRetries({
        model: name,
        policy,
        timing,
        breaker,
        signal: request.signal,
        attempt: (signal) => attempt(request, signal),
        classify: (error) => classifyFailure(error, endpoint, apiKey),
      });
      return { ...value, attempts };
    },
  };
}
