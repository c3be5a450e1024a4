import { createHash } from 'node:crypto';

/** Numbers in [0, 1) that depend on the label alone. */
export function seededRandom(label: string): () => number {
  let n = 0;
  return () => {
    n += 1;
    return createHash('sha256').update(`${label}/${n}`).digest().readUInt32BE(0) / 2 ** 32;
  };
}
