import { utf8Bytes } from '../../space/json-value.ts';
import type { ContentPolicy } from '../policies/content.ts';

/**
 * Rejects contents that take more than `maxBytes` as JSON text in UTF-8.
 *
 * @throws {RangeError} when `maxBytes` is not a whole number of bytes.
 * @example maxSizePolicy({ maxBytes: 16_384 })
 */
export function maxSizePolicy({
  maxBytes,
  name = 'max-size',
}: {
  readonly maxBytes: number;
  readonly name?: string;
}): ContentPolicy {
  if (!Number.isSafeInteger(maxBytes) || maxBytes < 0)
    throw new RangeError(`${maxBytes} is not a size in bytes: give a whole number, 0 or more`);
  return {
    name,
    check: ({ content }) => {
      const bytes = utf8Bytes(JSON.stringify(content));
      if (bytes <= maxBytes) return { verdict: 'allow' };
      return { verdict: 'reject', problem: `takes no content of more than ${maxBytes} bytes (this has ${bytes})` };
    },
  };
}
