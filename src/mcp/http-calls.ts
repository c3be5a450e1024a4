import type { RequestId } from '@modelcontextprotocol/sdk/types.js';
import { type Refusal, RPC } from './http-answer.ts';
import type { AnswerStream } from './http-stream.ts';

/** What answers the requests of one POST. */
export interface Reply {
  /** Not answered yet. */
  readonly pending: Set<RequestId>;
  readonly ids: readonly RequestId[];
  readonly resumable: boolean;
  /** The SDK's name for it, once it has one. */
  streamId?: string;
  /** The connection it goes out on now. */
  stream?: AnswerStream | undefined;
  /** Since when there has been none. */
  detachedAt?: number | undefined;
}

/** A request that is not answered yet. */
export interface Call {
  readonly method: string;
  readonly startedAt: number;
  readonly reply: Reply;
}

/** Why these requests cannot be taken besides those under way: an id is in use, or they would be too many. */
export function callsProblem(
  underWay: ReadonlyMap<RequestId, Call>,
  requests: readonly { readonly id: RequestId }[],
  max: number,
): Refusal | undefined {
  const seen = new Set<RequestId>();
  for (const { id } of requests) {
    if (seen.has(id) || underWay.has(id))
      return {
        status: 400,
        code: RPC.invalid,
        message: `a request with the id ${JSON.stringify(id)} is under way in this session`,
        reason: 'duplicate-id',
      };
    seen.add(id);
  }
  if (requests.length === 0 || underWay.size + requests.length <= max) return undefined;
  return {
    status: 429,
    code: RPC.busy,
    message: `${underWay.size} calls are under way in this session, ${max} may be; wait for one to end`,
    reason: 'calls',
    retryAfterMs: 1000,
    ...(requests.length === 1 ? { id: requests[0]?.id } : {}),
  };
}
