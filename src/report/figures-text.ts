/** A score as people read it. */
export function scoreText(score: number | null | undefined): string {
  return score === null || score === undefined ? '-' : score.toFixed(Math.abs(score) >= 100 ? 1 : 4);
}

/** What an adoption did to the score, signed; `-` where it is not known. */
export function signedText(before: number | null, after: number | null): string {
  if (before === null || after === null) return '-';
  const difference = after - before;
  if (difference === 0) return '0';
  const sign = difference > 0 ? '+' : '−';
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

/** A name in little room; the whole one is in the tables. */
export function shortened(name: string, most: number): string {
  const signs = Array.from(name);
  return signs.length <= most ? name : `${signs.slice(0, most - 1).join('')}…`;
}
