/** A stream of pseudo-random numbers; every method draws from the same 32-bit state. */
export interface Mulberry32 {
  /** The next draw, an integer in [0, 2^32). */
  u32(): number;
  /** A real in [0, 1): one draw. */
  real(): number;
  /** An integer in [low, high], both included: one draw. */
  int(low: number, high: number): number;
  /** A standard normal number: two draws (the sine half of Box-Muller is thrown away). */
  gaussian(): number;
}

const twoTo32 = 2 ** 32;

/**
 * The generator that all task instances are drawn with: small, seedable, and bit for bit the same in every language.
 * Not for secrets.
 *
 * @param seed - taken modulo 2^32.
 * @example mulberry32(1).u32(); // 2693262067
 * @see https://github.com/bryc/code/blob/master/jshash/PRNGs.md#mulberry32
 */
export function mulberry32(seed: number): Mulberry32 {
  let state = seed >>> 0;
  function u32(): number {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }
  const real = (): number => u32() / twoTo32;
  return {
    u32,
    real,
    int: (low, high) => low + Math.floor((u32() * (high - low + 1)) / twoTo32),
    gaussian: () => {
      const u1 = 1 - real();
      const u2 = real();
      return Math.sqrt(-2 * Math.log(u1)) * Math.cos(2 * Math.PI * u2);
    },
  };
}
