import { z } from 'zod';
import { BEST, BlameError, blame as blameOf, ORIGINS, type BlamedLine, type ProgramChoice } from '../analysis/blame.ts';
import type { LoadedRun } from '../trace/loaded-run.ts';
import { agentIn } from './analyst-candidate.ts';
import { stateIn } from './analyst-cursor.ts';
import { AnalystError } from './analyst-error.ts';
import { PAGE_ARGS, pageOf, pageShape, type Step } from './analyst-page.ts';
import { analystTool, nameArg, RUN_ARG } from './analyst-tool.ts';

const lineSchema = z.strictObject({
  number: z.int(),
  text: z.string(),
  kind: z.string().describe('Only lines of kind code count in shares.'),
  origin: z
    .enum(ORIGINS)
    .describe('own; peer: taken from one; initial: from the first program; common: several came to it alone.'),
  agent: z.string().describe('Who first wrote it.'),
  generation: z.int(),
  renamed: z.literal(true).optional().describe('Its names were changed since.'),
  alsoBy: z.strictObject({ agent: z.string(), generation: z.int() }).optional(),
});
type Line = z.output<typeof lineSchema>;
const afterLine = z.strictObject({ n: z.int().min(1) });

/** Most lines of one answer are short: more fit than of other lists. */
const AUTHORS = 50;

export const blame = analystTool({
  name: 'blame',
  title: 'Who wrote each line',
  description:
    'Attributes every line of a program to the agent and generation that first wrote it, with the shares of own, peer, initial and common lines. Follows moves, re-indentation and renames.',
  input: {
    run: RUN_ARG,
    agent: nameArg('Name of the agent.'),
    generation: z
      .union([z.int().min(0), nameArg('Id of a program.')])
      .default(BEST)
      .describe("A generation, the id of a program, or best: the agent's best-scored one."),
    file: nameArg('Path of one of its files. Left out: the main program.').optional(),
    ...PAGE_ARGS,
  },
  output: {
    program: z.string().describe('Id of the program.'),
    agent: z.string(),
    generation: z.int(),
    file: z.string(),
    note: z.string().nullable(),
    counted: z.int().describe('Lines of code that are not trivial: what the shares are of.'),
    shares: z.strictObject({ own: z.number(), peer: z.number(), initial: z.number(), common: z.number() }),
    authors: z.array(
      z.strictObject({ agent: z.string(), generation: z.int(), origin: z.enum(ORIGINS), lines: z.int() }),
    ),
    ...pageShape(lineSchema),
  },
  run: async (results, args) => {
    const state = stateIn('blame', args, afterLine);
    const open = await results.open(args.run);
    const { run, records, version } = open;
    agentIn(open, args.agent);
    const { agent, file } = args;
    const which = choiceOf(run, agent, args.generation);
    const key = `blame ${JSON.stringify([run.id, agent, which, file ?? null])}`;
    const found = await results.remember(key, version, () =>
      Promise.resolve().then(() =>
        orAnalystError(() =>
          blameOf(run, agent, which, { ...(file !== undefined && { file }), ...(records && { records }) }),
        ),
      ),
    );
    function* steps(): Generator<Step<Line, z.output<typeof afterLine>>> {
      for (let n = state?.n ?? 0; n < found.lines.length; n++) {
        const line = found.lines[n];
        if (line) yield { row: lineOf(line), after: { n: n + 1 } };
      }
    }
    const page = await pageOf({ tool: 'blame', args, total: found.lines.length }, steps());
    const { program, generation, note, counted, shares, authors } = found;
    return {
      value: {
        program,
        agent,
        generation,
        file: found.file,
        note: note ?? null,
        counted,
        shares,
        authors: authors.slice(0, AUTHORS),
        ...page,
      },
    };
  },
});

/** A number in words means a generation, unless a program has it for its id and no program is of that generation. */
function choiceOf({ agents }: LoadedRun, agent: string, which: number | string): ProgramChoice {
  if (typeof which === 'number' || !/^\d{1,15}$/u.test(which)) return which;
  const generations = agents.find(({ name }) => name === agent)?.generations ?? [];
  const number = Number(which);
  const isGeneration = generations.some(({ generation }) => generation === number);
  return !isGeneration && generations.some(({ id }) => id === which) ? which : number;
}

function lineOf({ number, text, kind, origin, agent, generation, renamed, alsoBy }: BlamedLine): Line {
  return {
    number,
    text,
    kind,
    origin,
    agent,
    generation,
    ...(renamed && { renamed }),
    ...(alsoBy && { alsoBy: { ...alsoBy } }),
  };
}

function orAnalystError<T>(ask: () => T): T {
  try {
    return ask();
  } catch (error) {
    if (!(error instanceof BlameError)) throw error;
    throw new AnalystError(error.code === 'no-file' ? 'no-such-file' : 'no-such-candidate', error.message, {
      cause: error,
    });
  }
}
