import Anthropic from '@anthropic-ai/sdk';
import { AnthropicReply, anthropicBody } from './anthropic-wire.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import type { Model, ModelReply, ModelRequest } from './model.ts';
import type { ProviderModelOptions } from './openai-model.ts';
import { classifyFailure } from './provider-failure.ts';
import { RETRY_POLICY, SYSTEM_TIMING, withRetries } from './resilience.ts';

/** This format wants a limit with every request: room for a whole file of code, and known to every current model. */
export const DEFAULT_MAX_OUTPUT_TOKENS = 32_000;

/**
 * A model behind Anthropic's messages. Replies are streamed and put together; a stream cut in the middle yields nothing.
 * The conversation so far is marked for the provider's cache, since every turn of a chat sends it again. Retries are
 * ours (`resilience.ts`), the SDK's are off.
 */
export function createAnthropicModel(options: ProviderModelOptions): Model {
  const { name, endpoint, apiKey } = options;
  const policy = options.policy ?? RETRY_POLICY;
  const timing = options.timing ?? SYSTEM_TIMING;
  const breaker = options.breaker ?? new CircuitBreaker();
  const stream = options.stream ?? true;
  const client = new Anthropic({
    apiKey,
    authToken: null,
    baseURL: endpoint.baseUrl,
    maxRetries: 0,
    timeout: policy.attemptTimeoutMs,
    logLevel: 'off',
    openTelemetry: false,
    // A redirect could carry the key to another host.
    fetchOptions: { redirect: 'manual' },
  });

  const attempt = async (request: ModelRequest, signal: AbortSignal): Promise<Omit<ModelReply, 'attempts'>> => {
    const temperature = request.temperature ?? options.temperature;
    const body = {
      model: endpoint.modelId,
      max_tokens: request.maxOutputTokens ?? options.maxOutputTokens ?? DEFAULT_MAX_OUTPUT_TOKENS,
      ...anthropicBody(request),
      ...(temperature === undefined ? {} : { temperature }),
      cache_control: { type: 'ephemeral' as const },
    };
    const reply = new AnthropicReply();
    if (stream) {
      const events = await client.messages.create({ ...body, stream: true }, { signal });
      for await (const event of events) reply.add(event);
      // The SDK ends an aborted stream as if it were over.
      signal.throwIfAborted();
    } else {
      reply.addMessage(await client.messages.create({ ...body, stream: false }, { signal }));
    }
    return reply.finish(earlierIds(request));
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

function earlierIds(request: ModelRequest): Set<string> {
  return new Set(
    request.messages.flatMap((message) => (message.role === 'assistant' ? message.toolCalls.map(({ id }) => id) : [])),
  );
}
