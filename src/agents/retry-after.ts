/** Headers of a response, as far as they are asked here. */
export interface HeaderReader {
  get(name: string): string | null;
}

/**
 * Milliseconds a response asks to wait: `retry-after-ms`, or `Retry-After` in seconds or as an HTTP date. A date is
 * measured against the response's own `Date`, so that this machine's clock may be wrong. Undefined when absent,
 * negative or unreadable.
 *
 * @param fallbackNow epoch milliseconds, used only when the response carries no `Date`
 * @see RFC 9110 section 10.2.3
 */
export function retryAfterMs(headers: HeaderReader, fallbackNow: () => number = Date.now): number | undefined {
  const inMs = seconds(headers.get('retry-after-ms'));
  if (inMs !== undefined) return inMs;
  const value = headers.get('retry-after');
  if (value === null) return undefined;
  const inSeconds = seconds(value);
  if (inSeconds !== undefined) return inSeconds * 1000;
  // Date.parse also takes things that are no dates of HTTP, such as a bare negative number.
  const at = /^[A-Z][a-z]{2,8},? /.test(value) ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(at)) return undefined;
  const sent = Date.parse(headers.get('date') ?? '');
  return Math.max(0, at - (Number.isNaN(sent) ? fallbackNow() : sent));
}

function seconds(value: string | null): number | undefined {
  return value !== null && /^\s*\d+(\.\d+)?\s*$/.test(value) ? Number(value) : undefined;
}
