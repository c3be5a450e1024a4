import { InvalidArgumentError } from 'commander';

/** A parser of an option's argument: a whole number between two bounds, both inclusive. */
export function wholeNumber({
  least,
  most,
}: {
  readonly least: number;
  readonly most: number;
}): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/u.test(text) || value < least || value > most)
      throw new InvalidArgumentError(`give a whole number from ${least} to ${most}`);
    return value;
  };
}
