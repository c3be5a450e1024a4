import { z } from 'zod';
import { AnalystError } from './analyst-error.ts';
import type { Results } from './analyst-results.ts';
import { defineTool, type Denied, type Tool } from './tool.ts';

/** Longest name of anything that is asked for. */
const MAX_NAME = 1_024;

/** A name in an argument: an id that an answer gave, never a path of the host. */
export const nameArg = (what: string) => z.string().min(1).max(MAX_NAME).describe(what);
export const RUN_ARG = nameArg('Id of a run, as list_runs gives it.');
export const SOME_RUN_ARG = nameArg(
  'Id of one run, as list_runs gives it. Left out: all runs, one after the other.',
).optional();
export const AGENT_ARG = nameArg('Name of an agent.').optional();
export const CANDIDATE_ARG = nameArg(
  'Id of a program, as list_candidates gives it (agent/generation in runs of hivemark); or agent/best for its best-scored one.',
);

interface AnalystSpec<Input extends z.ZodRawShape, Output extends z.ZodRawShape> {
  readonly name: string;
  readonly title: string;
  readonly description: string;
  readonly input: Input;
  readonly output: Output;
  run(results: Results, args: z.output<z.ZodObject<Input>>, signal: AbortSignal): Promise<Answer<Output>>;
}

type SpecOf<Input extends z.ZodRawShape, Output extends z.ZodRawShape> = Parameters<
  typeof defineTool<Results, Input, Output>
>[0];
type Answer<Output extends z.ZodRawShape> = Omit<
  Extract<Awaited<ReturnType<SpecOf<z.ZodRawShape, Output>['run']>>, { readonly ok: true }>,
  'ok'
>;

/** A tool over results: it only reads, and says what is wrong with a question as an answer. */
export function analystTool<Input extends z.ZodRawShape, Output extends z.ZodRawShape>(
  spec: AnalystSpec<Input, Output>,
): Tool<Results> {
  return defineTool<Results, Input, Output>({
    ...spec,
    hints: { readOnly: true },
    run: (results, args, context) =>
      orDenied(async () => ({ ok: true, ...(await spec.run(results, args, context.signal)) })),
  });
}

/** A question that cannot be answered is refused in words; whatever else goes wrong is a fault of ours. */
async function orDenied<T>(answer: () => Promise<T>): Promise<T | Denied> {
  try {
    return await answer();
  } catch (error) {
    if (error instanceof AnalystError) return { ok: false, code: error.code, message: error.message };
    throw error;
  }
}
