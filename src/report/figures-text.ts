/** A score as people read it. */
export function scoreText(score: number | null | undefined): string {
  return score === null || score === undefined ? '-' : score.toFixed(Math.abs(score) >= 100 ? 1 : 4);
}

/** What an adoption did to the score, signed; `-` where it is not known. */
export function signedText(before: number | null, after: number | null): string {
  if (before === null || after === null) return '-';
  const difference = after - before;
  const sign = difference > 0 ? '+' : difference < 0 ? '−' : '±';
  return `${sign}${Math.abs(difference).toFixed(Math.abs(difference) >= 100 ? 1 : 4)}`;
}

/** The direction of an effect in one sign, so that it does not hang on colour. */
export function effectSign(before: number | null, after: number | null): string {
  if (before === null || after === null) return '?';
  return after > before ? '▲' : after < before ? '▼' : '=';
}

/** `1 adoption`, `2 adoptions`. */
export function counted(count: number, one: string, several = `${one}s`): string {
  return `${count.toLocaleString('en-US')} ${count === 1 ? one : several}`;
}

export function percent(share: number, digits = 0): string {
  return `${(share * 100).toFixed(digits)} %`;
}
