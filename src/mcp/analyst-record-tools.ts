import { z } from 'zod';
import type { Decision } from '../guard/decision.ts';
import { TRACE_TABLES } from '../trace/schema.ts';
import {
  checkColumn,
  checkCondition,
  columnsOf,
  type Condition,
  holds,
  OPERATORS,
  valueAt,
} from './analyst-columns.ts';
import { stateIn } from './analyst-cursor.ts';
import { orderedStateSchema, orderedSteps } from './analyst-order.ts';
import { PAGE_ARGS, pageOf, pageShape } from './analyst-page.ts';
import type { AnyRow } from './analyst-results.ts';
import { placeSchema, scanPage } from './analyst-scan.ts';
import { AGENT_ARG, analystTool, nameArg, RUN_ARG, SOME_RUN_ARG } from './analyst-tool.ts';

const VERDICTS = ['allow', 'denied', 'conflict', 'blocked'] as const satisfies readonly Decision['verdict'][];

const decisionSchema = z.strictObject({
  id: z.string(),
  agent: z.string(),
  at: z.number().describe('Epoch milliseconds.'),
  epoch: z.string(),
  call: z.string().describe('What was called: write, use, execute ...'),
  verdict: z.string(),
  code: z.string().nullable().describe('Why it was not allowed.'),
  subject: z.unknown().describe('What the call was about.'),
  denial: z.unknown().describe('The refusal with its particulars; null where there is none.'),
  count: z.int().describe('Equal refusals that the row stands for.'),
});

export const listDecisions = analystTool({
  name: 'list_decisions',
  title: 'List decisions of the guard',
  description:
    'What the guard decided in a run, call by call, in the order it did: who asked for what, the verdict, and the code of a refusal.',
  input: {
    run: RUN_ARG,
    agent: AGENT_ARG.describe("Only this agent's calls."),
    verdict: z.enum(VERDICTS).optional().describe('Only this verdict.'),
    code: nameArg('Only refusals with this code.').optional(),
    ...PAGE_ARGS,
  },
  output: pageShape(decisionSchema),
  run: async (results, args, signal) => {
    const state = stateIn('list_decisions', args, placeSchema);
    await results.version(args.run);
    const where = conditionsOf({ agent: args.agent, verdict: args.verdict, code: args.code });
    const pick = (row: AnyRow): z.output<typeof decisionSchema> | undefined => {
      if (!where.every((one) => holds(row, one))) return undefined;
      return decisionSchema.parse({ code: null, denial: null, count: 1, ...row });
    };
    const scan = { table: 'decisions', run: args.run, state, signal, pick } as const;
    return { value: await scanPage(results, { tool: 'list_decisions', args }, scan) };
  },
});

const callSchema = z.strictObject({
  id: z.string().describe('agent/generation/number.'),
  agent: z.string(),
  generation: z.int(),
  provider: z.string().nullable(),
  model: z.string().nullable(),
  scripted: z.boolean().nullable(),
  tokens: z.number().nullable().describe('In and out.'),
  inputTokens: z.number().nullable(),
  outputTokens: z.number().nullable(),
  cachedInputTokens: z.number().nullable(),
  usd: z.number().nullable(),
  ms: z.number().nullable(),
  attempts: z.number().nullable(),
  stopReason: z.string().nullable(),
  toolCalls: z.number().nullable(),
  error: z.string().nullable(),
});
/** Nulls for what a row does not say. */
const UNKNOWN_CALL = Object.fromEntries(Object.keys(callSchema.shape).map((field) => [field, null]));

export const listCalls = analystTool({
  name: 'list_calls',
  title: 'List model calls',
  description:
    'The model calls of a run in the order they were made: tokens, US dollars, milliseconds, attempts. What was said is not shown.',
  input: {
    run: RUN_ARG,
    agent: AGENT_ARG.describe("Only this agent's calls."),
    model: nameArg('Only calls of this model.').optional(),
    ...PAGE_ARGS,
  },
  output: pageShape(callSchema),
  run: async (results, args, signal) => {
    const state = stateIn('list_calls', args, placeSchema);
    await results.version(args.run);
    const where = conditionsOf({ agent: args.agent, model: args.model });
    const pick = (row: AnyRow): z.output<typeof callSchema> | undefined => {
      if (!where.every((one) => holds(row, one))) return undefined;
      const { requestSha256: _, replySha256: __, ...shown } = row;
      const { inputTokens, outputTokens } = row;
      const isCounted = typeof inputTokens === 'number' && typeof outputTokens === 'number';
      return callSchema.parse({ ...UNKNOWN_CALL, ...(isCounted && { tokens: inputTokens + outputTokens }), ...shown });
    };
    const scan = { table: 'calls', run: args.run, state, signal, pick } as const;
    return { value: await scanPage(results, { tool: 'list_calls', args }, scan) };
  },
});

const scalar = z.union([z.string().max(4_096), z.number(), z.boolean(), z.null()]);
const COLUMN_ARG = z.string().min(1).max(200);

export const query = analystTool({
  name: 'query',
  title: 'Query a table',
  description: `Rows of one of the trace tables, filtered: all conditions must hold. Columns: ${TRACE_TABLES.map((table) => `${table}(${columnsOf(table).join(', ')})`).join('; ')}. A column may go into what it holds: evidence.level, metrics.error, subject.tool. Imported runs have runs, candidates, evaluations, edges and, where they were logged, calls.`,
  input: {
    table: z.enum(TRACE_TABLES),
    run: SOME_RUN_ARG,
    where: z
      .array(
        z.strictObject({
          column: COLUMN_ARG,
          op: z
            .enum(OPERATORS)
            .describe('contains: a text in a text, or a value in a list. in: one of a list of values.'),
          value: z.union([scalar, z.array(scalar).max(200)]).describe('null is what is missing.'),
        }),
      )
      .max(16)
      .default([]),
    columns: z.array(COLUMN_ARG).min(1).max(40).optional().describe('Only these. Left out: all.'),
    order_by: z
      .strictObject({ column: COLUMN_ARG, direction: z.enum(['asc', 'desc']).default('asc') })
      .optional()
      .describe('Left out: as they were written. Sorting reads the whole table.'),
    ...PAGE_ARGS,
  },
  output: pageShape(z.record(z.string(), z.unknown()).describe('run, and the columns that were asked for.')),
  run: async (results, args, signal) => {
    const { table, run, where, columns, order_by: order } = args;
    for (const condition of where) checkCondition(table, condition);
    for (const column of columns ?? []) checkColumn(table, column);
    if (order) checkColumn(table, order.column);
    if (run !== undefined) await results.version(run);
    const pick = (row: AnyRow, of: string): Record<string, unknown> | undefined => {
      if (!where.every((one) => holds(row, one))) return undefined;
      const shown = columns?.map((column) => [column, valueAt(row, column) ?? null] as const);
      return { run: of, ...(shown ? Object.fromEntries(shown) : row) };
    };
    if (order === undefined) {
      const state = stateIn('query', args, placeSchema);
      return { value: await scanPage(results, { tool: 'query', args }, { table, run, state, signal, pick }) };
    }
    const state = stateIn('query', args, orderedStateSchema);
    const question = JSON.stringify([table, run ?? null, where, order]);
    const by = { column: order.column, descending: order.direction === 'desc' };
    const steps = orderedSteps(results, { question, table, run, order: by, state, signal, pick });
    return { value: await pageOf({ tool: 'query', args }, steps) };
  },
});

function conditionsOf(wanted: Readonly<Record<string, string | undefined>>): readonly Condition[] {
  return Object.entries(wanted).flatMap(([column, value]) =>
    value === undefined ? [] : [{ column, op: 'eq', value }],
  );
}
