import type { Idea } from './persona.ts';
import type { Declaration, Program } from './program-text.ts';
import { numberOf, withDeclaration } from './program-text.ts';
import { scanCode } from './scan-code.ts';

/** Whole numbers are how often or how many: above these another step costs more time than it brings. */
const SMALL_COUNT = 24;
const LARGE_COUNT = 4000;

const FACTORS = [1.5, 0.6, 1.15, 0.87] as const;

/** Sets a named number of the program, when it has one and the value is another. */
export function tune(name: string, factor: number, words: string, limit: number): Idea {
  return {
    key: `tune:${name}*${factor}`,
    words,
    apply(program) {
      const declaration = program.find(name);
      const value = declaration === undefined ? undefined : numberOf(declaration);
      if (declaration === undefined || value === undefined) return undefined;
      const next = scaled(value, factor);
      if (next === value || Math.abs(next) > limit) return undefined;
      return withDeclaration(program.text, name, withNumber(declaration.text, next));
    },
  };
}

/**
 * Every other value worth trying for the numbers written in a program: its named ones first, then those inside its
 * functions. Numbers of two digits and more that the instruction mentions are facts, not choices, and are left alone.
 */
export function nudgesOf(program: Program, instruction: string): readonly Idea[] {
  const fixed = new Set(
    [...instruction.matchAll(/(?<![\w.])\d[\d_]+(?![\w.]*\d)/g)].map((match) => Number(match[0].replaceAll('_', ''))),
  );
  const named = program.declarations.flatMap((one) => {
    const value = numberOf(one);
    return value === undefined || fixed.has(value) ? [] : FACTORS.flatMap((factor) => nudgeNamed(one, value, factor));
  });
  const inside = program.declarations.flatMap((one) => {
    if (one.kind !== 'function' && numberOf(one) !== undefined) return [];
    return literalsOf(one).flatMap(({ at, text }) => {
      const value = Number(text);
      if (fixed.has(value) || [0, 1, 2].includes(value)) return [];
      return FACTORS.flatMap((factor) => nudgeLiteral(one, at, text, factor));
    });
  });
  return [...named, ...inside];
}

function nudgeNamed(declaration: Declaration, value: number, factor: number): readonly Idea[] {
  const next = scaled(value, factor);
  if (next === value || tooLarge(next)) return [];
  const words = `another value for ${declaration.name}: ${next} instead of ${value}`;
  const apply = (program: Program) =>
    withDeclaration(program.text, declaration.name, withNumber(declaration.text, next));
  return [{ key: `nudge:${declaration.name}=${next}`, words, apply }];
}

function nudgeLiteral(declaration: Declaration, at: number, text: string, factor: number): readonly Idea[] {
  const next = scaled(Number(text), factor);
  if (next === Number(text) || tooLarge(next)) return [];
  const words = `another number in ${declaration.name}: ${next} instead of ${text}`;
  const changed = declaration.text.slice(0, at) + String(next) + declaration.text.slice(at + text.length);
  const apply = (program: Program) => withDeclaration(program.text, declaration.name, changed);
  return [{ key: `nudge:${declaration.name}.${at}=${next}`, words, apply }];
}

/** Whole numbers stay whole and move by at least one; others are rounded to four significant digits. */
function scaled(value: number, factor: number): number {
  if (!Number.isInteger(value)) return Number((value * factor).toPrecision(4));
  const next = Math.round(value * factor);
  return next === value ? value + (factor > 1 ? 1 : -1) : next;
}

function tooLarge(value: number): boolean {
  return Number.isInteger(value) && (value > LARGE_COUNT || value < 1 || (value > SMALL_COUNT && value < 100));
}

function withNumber(text: string, value: number): string {
  return text.replace(
    /(=\s*)-?\d[\d_]*(?:\.\d+)?(?:e-?\d+)?(\s*;?)$/i,
    (_, before: string, after: string) => before + String(value) + after,
  );
}

function literalsOf(declaration: Declaration): readonly { readonly at: number; readonly text: string }[] {
  const found: { at: number; text: string }[] = [];
  let past = -1;
  for (const { at } of scanCode(declaration.text)) {
    if (at < past || /[\w$.]/.test(declaration.text.charAt(at - 1))) continue;
    const match = /^\d[\d_]*(?:\.\d+)?(?:e-?\d+)?(?![\w.])/i.exec(declaration.text.slice(at, at + 40));
    if (match === null) continue;
    found.push({ at, text: match[0].replaceAll('_', '') });
    past = at + match[0].length;
  }
  return found.filter(({ at, text }) => declaration.text.startsWith(text, at));
}
