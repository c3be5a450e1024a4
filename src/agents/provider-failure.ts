import { APIConnectionTimeoutError as AnthropicTimeout, APIError as AnthropicApiError } from '@anthropic-ai/sdk';
import { APIConnectionTimeoutError as OpenAiTimeout, APIError as OpenAiApiError } from 'openai';
import { z } from 'zod';
import type { Failure } from './resilience.ts';
import { retryAfterMs } from './retry-after.ts';

/** Where a request went, for messages a person can act on. Never holds the key. */
export interface Endpoint {
  /** `openai`, `anthropic`, `openai-compatible`. */
  readonly provider: string;
  /** The provider's own name of the model. */
  readonly modelId: string;
  /** Without user, password and query. */
  readonly baseUrl: string;
  /** Name of the environment variable that holds the key. */
  readonly keyEnv: string;
}

/** A stream that ended before the provider said that it was done, or one that makes no sense: nothing of it is used. */
export class BrokenStream extends Error {
  override readonly name = 'BrokenStream';
  readonly code: 'unavailable' | 'bad-reply';
  constructor(code: 'unavailable' | 'bad-reply', message: string) {
    super(message);
    this.code = code;
  }
}

const RETRIED_STATUSES = new Set([408, 409, 425, 429]);
const MAX_DETAIL_CHARS = 300;

/**
 * What an error of either SDK (or of `fetch` below it) means: whether to try again, and what to tell a person. Texts
 * from outside are clipped and cleared of the key.
 */
export function classifyFailure(error: unknown, endpoint: Endpoint, key: string): Failure {
  if (error instanceof BrokenStream) {
    return { code: error.code, message: error.message, retry: true, fault: true };
  }
  if (error instanceof OpenAiTimeout || error instanceof AnthropicTimeout) {
    return { code: 'timeout', message: `${endpoint.baseUrl} did not answer in time`, retry: true, fault: true };
  }
  if (error instanceof OpenAiApiError || error instanceof AnthropicApiError) {
    const status: unknown = error.status;
    const { detail, type } = detailOf(error.error, key);
    if (typeof status === 'number') {
      const headers: unknown = error.headers;
      return statusFailure(status, headers instanceof Headers ? headers : new Headers(), detail, type, endpoint);
    }
    if (type !== '') return streamedFailure(type, detail);
  }
  if (error instanceof SyntaxError || error instanceof z.ZodError) {
    return {
      code: 'bad-reply',
      message: `${endpoint.baseUrl} sent a reply that cannot be read`,
      retry: true,
      fault: true,
    };
  }
  const code = systemCode(error);
  const message = `the connection to ${endpoint.baseUrl} failed${code === undefined ? '' : ` (${code})`}`;
  return { code: 'unavailable', message, retry: true, fault: true };
}

function statusFailure(status: number, headers: Headers, detail: string, type: string, endpoint: Endpoint): Failure {
  const { provider, modelId, baseUrl, keyEnv } = endpoint;
  const said = detail === '' ? '' : `: ${detail}`;
  const refusal = (code: Failure['code'], message: string): Failure => ({ code, message, retry: false, fault: false });
  if (status === 401) {
    return refusal(
      'auth',
      `${baseUrl} refused the key in ${keyEnv} (401). Check that ${keyEnv} holds a current key for it.`,
    );
  }
  if (status === 403) {
    return refusal(
      'auth',
      `the key in ${keyEnv} may not use ${modelId} at ${baseUrl} (403). Ask for access or choose another model.`,
    );
  }
  if (status === 404) {
    const hint = provider === 'openai-compatible' ? ' and the base URL (most end in /v1)' : '';
    return refusal('bad-request', `${baseUrl} knows no model ${modelId} (404). Check the model's name${hint}.`);
  }
  if (status === 402 || type === 'insufficient_quota') {
    return refusal('rate-limited', `the account of the key in ${keyEnv} has no credit left (${status})`);
  }
  const mayRetry = headers.get('x-should-retry') !== 'false';
  if (status === 429) {
    const message = `${baseUrl} is limiting the rate of requests (429)${said}`;
    return { code: 'rate-limited', message, retry: mayRetry, fault: false, retryAfterMs: retryAfterMs(headers) };
  }
  if (status >= 500 || RETRIED_STATUSES.has(status)) {
    const message = `${baseUrl} failed (${status})${said}`;
    return { code: 'unavailable', message, retry: mayRetry, fault: true, retryAfterMs: retryAfterMs(headers) };
  }
  if (status >= 300 && status < 400) {
    return refusal(
      'bad-request',
      `${baseUrl} redirects elsewhere (${status}); redirects are not followed: set the base URL itself.`,
    );
  }
  return refusal('bad-request', `${baseUrl} refused the request for ${modelId} (${status})${said}`);
}

/** An error event inside a stream that began with status 200. */
function streamedFailure(type: string, detail: string): Failure {
  const message = `the provider ended its stream with ${type}${detail === '' ? '' : `: ${detail}`}`;
  if (type === 'rate_limit_error' || type === 'rate_limit_exceeded') {
    return { code: 'rate-limited', message, retry: true, fault: false };
  }
  if (type === 'authentication_error' || type === 'permission_error') {
    return { code: 'auth', message, retry: false, fault: false };
  }
  if (type === 'invalid_request_error') return { code: 'bad-request', message, retry: false, fault: false };
  return { code: 'unavailable', message, retry: true, fault: true };
}

const errorBody = z
  .looseObject({ message: z.unknown(), type: z.unknown(), code: z.unknown(), error: z.unknown() })
  .partial();

/** The provider's own words: `{ message, type, code }` at OpenAI, `{ error: { message, type } }` at Anthropic. */
function detailOf(body: unknown, key: string): { readonly detail: string; readonly type: string } {
  const outer = errorBody.safeParse(body).data ?? {};
  const inner = errorBody.safeParse(outer.error).data ?? outer;
  const text = typeof inner.message === 'string' ? inner.message : '';
  const type = inner.code === 'insufficient_quota' ? inner.code : inner.type;
  return { detail: clean(text, key), type: typeof type === 'string' ? clean(type, key) : '' };
}

function clean(text: string, key: string): string {
  const without = key === '' ? text : text.replaceAll(key, '[key]');
  const printable = without.replace(/[\p{Cc}\s]+/gu, ' ').trim();
  return printable.length <= MAX_DETAIL_CHARS ? printable : `${printable.slice(0, MAX_DETAIL_CHARS).toWellFormed()}...`;
}

/** `ECONNRESET` and the like, from the error or what caused it; nothing else of it is worth a person's time, or safe to print. */
function systemCode(error: unknown): string | undefined {
  for (let current = error, depth = 0; current instanceof Error && depth < 5; current = current.cause, depth += 1) {
    if ('code' in current && typeof current.code === 'string' && /^[A-Z0-9_]{3,40}$/.test(current.code))
      return current.code;
  }
  return undefined;
}
