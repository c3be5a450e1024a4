import { type Refusal, RPC } from './http-answer.ts';

export const NOT_FOUND: Refusal = {
  status: 404,
  code: RPC.refused,
  message: 'nothing is served at this path',
  reason: 'path',
};
export const NO_SESSION: Refusal = {
  status: 404,
  code: RPC.noSession,
  message: 'there is no such session; it may have ended: initialize a new one',
  reason: 'no-session',
};
export const NEEDS_SESSION: Refusal = {
  status: 400,
  code: RPC.refused,
  message: 'an Mcp-Session-Id header is needed; without one only a single initialize request is taken',
  reason: 'needs-session',
};
export const CLOSING: Refusal = {
  status: 503,
  code: RPC.busy,
  message: 'this server is closing',
  reason: 'closing',
  retryAfterMs: 2000,
  headers: { Connection: 'close' },
};

export function notAllowed(allowed: string): Refusal {
  const message = `this method is not allowed here; ${allowed} may be used`;
  return { status: 405, code: RPC.refused, message, reason: 'method', headers: { Allow: allowed } };
}

export function tooMany(retryAfterMs: number): Refusal {
  return { status: 429, code: RPC.busy, message: 'too many requests in this session', reason: 'rate', retryAfterMs };
}

const TOKEN_PROBLEMS = {
  missing: 'a token is needed (Authorization: Bearer ...); hivemark token <agent> makes one',
  unknown: 'the token is unknown here; hivemark token <agent> makes one',
  expired: 'the token has expired; hivemark token <agent> makes a new one',
  revoked: 'the token was revoked; hivemark token <agent> makes a new one',
} as const;

/** No token, or one that speaks for nobody. @see https://www.rfc-editor.org/rfc/rfc6750#section-3 */
export function unauthorized(problem: keyof typeof TOKEN_PROBLEMS): Refusal {
  const message = TOKEN_PROBLEMS[problem];
  const error = problem === 'missing' ? '' : `, error="invalid_token", error_description="${message}"`;
  const headers = { 'WWW-Authenticate': `Bearer realm="hivemark"${error}` };
  return { status: 401, code: RPC.refused, message, reason: `token-${problem}`, headers };
}
