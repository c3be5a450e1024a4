import { z } from 'zod';

/** Fields of imported rows: one that is missing or of the wrong type is absent, and never costs the row. */
export const maybeText = z.string().optional().catch(undefined);
/** Finite: NaN (null by now) and infinities are no scores. */
export const maybeNumber = z.number().optional().catch(undefined);
export const maybeCount = z.int().nonnegative().optional().catch(undefined);
export const maybeBoolean = z.boolean().optional().catch(undefined);
export const maybeTexts = z.array(z.string()).optional().catch(undefined);
export const maybeRecord = z.record(z.string(), z.unknown()).optional().catch(undefined);

/** A finite number under one of `names`, the first that is there. */
export function numberIn(
  record: Readonly<Record<string, unknown>> | undefined,
  ...names: string[]
): number | undefined {
  for (const name of names) {
    const value = record?.[name];
    if (typeof value === 'number' && Number.isFinite(value)) return value;
  }
  return undefined;
}

/** A text that is not empty under one of `names`. */
export function textIn(record: Readonly<Record<string, unknown>> | undefined, ...names: string[]): string | undefined {
  for (const name of names) {
    const value = record?.[name];
    if (typeof value === 'string' && value !== '') return value;
  }
  return undefined;
}

/** A plain object under `name`. */
export function recordIn(
  record: Readonly<Record<string, unknown>> | undefined,
  name: string,
): Readonly<Record<string, unknown>> | undefined {
  return asRecord(record?.[name]);
}

export function asRecord(value: unknown): Readonly<Record<string, unknown>> | undefined {
  const parsed = maybeRecord.safeParse(value);
  return parsed.success ? parsed.data : undefined;
}

/** Only the fields that are there, as `exactOptionalPropertyTypes` wants them. */
export function present<T extends object>(fields: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  const kept: { [K in keyof T]?: Exclude<T[K], undefined> } = {};
  for (const key in fields) {
    const value = fields[key];
    if (isPresent(value)) kept[key] = value;
  }
  return kept;
}

function isPresent<T>(value: T): value is Exclude<T, undefined> {
  return value !== undefined;
}
