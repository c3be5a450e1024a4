import { hash, randomBytes, timingSafeEqual } from 'node:crypto';

/** Makes the secret that lets its holder act as the principal: 256 bits, base64url. Keep it; the space only ever keeps its hash. */
export function newPrincipalToken(): string {
  return `hmp_${randomBytes(32).toString('base64url')}`;
}

/** sha256, hex, of a token. */
export function tokenSha256(token: string): string {
  return hash('sha256', token);
}

/** Whether `token` is the one with this hash; takes the same time wherever they differ. */
export function isToken(token: unknown, sha256: string | undefined): boolean {
  if (typeof token !== 'string' || sha256 === undefined) return false;
  const expected = Buffer.from(sha256, 'hex');
  const given = Buffer.from(tokenSha256(token), 'hex');
  return expected.length === given.length && timingSafeEqual(expected, given);
}
