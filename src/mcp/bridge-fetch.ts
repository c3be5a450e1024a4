import { z } from 'zod';
import { RPC } from './http-answer.ts';

/** For the head of an answer: a server that works sends it at once, whatever it takes to do the rest. */
const HEAD_MS = 30_000;

/** The server took a request and said no, in its own words. */
export class ServerRefusal extends Error {
  override readonly name = 'ServerRefusal';
  readonly code = 'server-refusal';
  readonly status: number;
  /** The session is not there any more; a new one may be opened. */
  readonly sessionLost: boolean;
  readonly data: unknown;

  constructor(status: number, message: string, sessionLost: boolean, data?: unknown) {
    super(message);
    this.status = status;
    this.sessionLost = sessionLost;
    this.data = data;
  }
}

const BODY = z.object({ error: z.object({ code: z.number(), message: z.string(), data: z.unknown().optional() }) });

/**
 * `fetch`, with a limit on the wait for an answer's head; no redirect is followed, and what is refused is thrown.
 *
 * @throws {ServerRefusal} for a status from 400, except the one that says that there is no stream to listen to
 */
export async function bridgeFetch(url: string | URL, init: RequestInit = {}): Promise<Response> {
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(new Error('the server does not answer')), HEAD_MS);
  const signal = init.signal ? AbortSignal.any([init.signal, timeout.signal]) : timeout.signal;
  let response: Response;
  try {
    response = await fetch(url, { ...init, signal, redirect: 'manual' });
  } finally {
    clearTimeout(timer);
  }
  if (response.status < 400 || response.status === 405) return response;
  const text = (await response.text()).slice(0, 10_000);
  const { status } = response;
  const parsed = BODY.safeParse(jsonOf(text));
  if (!parsed.success) throw new ServerRefusal(status, `the server answered with HTTP ${status}`, status === 404);
  const { code, message, data } = parsed.data.error;
  throw new ServerRefusal(status, message, code === RPC.noSession, data);
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The system's word for why a server was not reached (`ECONNREFUSED`, `ENOTFOUND` ...). */
export function whyUnreachable(error: unknown): string | undefined {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && typeof cause.code === 'string' && /^[A-Z]/u.test(cause.code)) return cause.code;
    if (cause instanceof AggregateError && cause.errors[0] !== undefined) return whyUnreachable(cause.errors[0]);
  }
  return undefined;
}
