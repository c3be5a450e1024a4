import { z } from 'zod';
import { MARK_KINDS } from '../space/marks.ts';
import type { Denial } from './decision.ts';
import { agentSchema as agent, scopeSchema as scope, tokenBudgetSchema } from './grants.ts';

/** Needs can always be written. @see protocol rule S9 */
const closable = z
  .enum(MARK_KINDS)
  .refine((kind) => kind !== 'need', 'may be any kind but need, which can always be written');
const restriction = z.strictObject({ agent: agent.exactOptional(), scope, kind: closable.exactOptional() });

// What the principal's calls take. Copies are made, so that what is on record is what holds.
export const RESTRICTION = z.strictObject({ restriction, reason: z.string().max(4096) });
export const RESTORATION = z.strictObject({ restriction });
export const AGENT = z.strictObject({ agent });
export const BUDGET = z.strictObject({ agent, budget: tokenBudgetSchema });
export const SESSION = z.strictObject({ agent, epoch: z.string().min(1).max(200) });

/** Why an input is refused, or its copy. */
export function checkInput<Value>(
  schema: z.ZodType<Value>,
  input: unknown,
): { readonly ok: true; readonly value: Value } | { readonly ok: false; readonly denial: Denial } {
  let parsed: ReturnType<typeof schema.safeParse>;
  try {
    parsed = schema.safeParse(input);
  } catch {
    return {
      ok: false,
      denial: { code: 'malformed', check: 'shape', field: '(arguments)', problem: 'could not be read' },
    };
  }
  if (parsed.success) return { ok: true, value: parsed.data };
  const issue = parsed.error.issues[0];
  return {
    ok: false,
    denial: {
      code: 'malformed',
      check: 'shape',
      field: issue?.path.join('.') ?? '(arguments)',
      problem: issue?.message ?? 'is malformed',
    },
  };
}
