import { z } from 'zod';
import type { TraceTables } from '../trace/schema.ts';
import {
  type AdoptionView,
  adoptionShape,
  adoptionsOf,
  type FoundAdoption,
  LEVELS,
  RULES,
  ruleFor,
} from './analyst-adoptions.ts';
import { stateIn } from './analyst-cursor.ts';
import { AnalystError, thereAre } from './analyst-error.ts';
import { clip, MAX_ANSWER_BYTES, PAGE_ARGS, pageOf, pageShape, type Step } from './analyst-page.ts';
import type { OpenRun, Results } from './analyst-results.ts';
import { AGENT_ARG, analystTool, nameArg, RUN_ARG, SOME_RUN_ARG } from './analyst-tool.ts';
import { quoted } from './protocol-handlers.ts';

const RULE_ARG = z
  .enum(RULES)
  .optional()
  .describe(
    'recorded: what the run put on record, the default where it did. provenance: by shares of new code. visible: by distances, against what the peer had published before; the default for imported runs. published: the same as hyperspace published it, its two defects included.',
  );
const afterAdoption = z.strictObject({ run: z.string(), n: z.int().min(0) });

export const listAdoptions = analystTool({
  name: 'list_adoptions',
  title: 'List adoptions',
  description:
    'Who took code from whom, when, on what evidence and with what effect on the score. get_adoption unfolds the evidence; diagnose with kind adoption says what chance alone would give.',
  input: {
    run: SOME_RUN_ARG,
    agent: AGENT_ARG.describe('Only what this agent took.'),
    peer: AGENT_ARG.describe('Only what was taken from this agent.'),
    level: z.enum(LEVELS).optional().describe('Only with evidence of exactly this level.'),
    rule: RULE_ARG,
    ...PAGE_ARGS,
  },
  output: pageShape(z.strictObject(adoptionShape)),
  run: async (results, args, signal) => {
    const state = stateIn('list_adoptions', args, afterAdoption);
    const runs = args.run === undefined ? await results.runs() : [args.run];
    const unread: string[] = [];
    async function* steps(): AsyncGenerator<Step<AdoptionView, z.output<typeof afterAdoption>>> {
      for (const run of runs) {
        signal.throwIfAborted();
        if (state !== undefined && run < state.run) continue;
        const open = await openOr(results, run, args.run === undefined ? unread : undefined);
        if (open === undefined) continue;
        const adoptions = await adoptionsOf(results, open, args.rule ?? ruleFor(open));
        const from = state?.run === run ? state.n : 0;
        for (const [n, { view }] of adoptions.entries()) {
          if (n >= from && matches(view, args)) yield { row: view, after: { run, n: n + 1 } };
        }
      }
    }
    const page = await pageOf({ tool: 'list_adoptions', args }, steps());
    return { value: { ...page, notes: [...page.notes, ...unread] } };
  },
});

/** A run among many that cannot be read costs that run. */
export async function openOr(
  results: Results,
  run: string,
  unread: string[] | undefined,
): Promise<OpenRun | undefined> {
  try {
    return await results.open(run);
  } catch (error) {
    if (!(error instanceof AnalystError) || unread === undefined) throw error;
    if (unread.length < 20) unread.push(`left out: ${error.message}`);
    return undefined;
  }
}

function matches(
  view: AdoptionView,
  { agent, peer, level }: { agent?: string | undefined; peer?: string | undefined; level?: string | undefined },
): boolean {
  return (
    (agent === undefined || view.agent === agent) &&
    (peer === undefined || view.peer === peer) &&
    (level === undefined || view.level === level)
  );
}

const exposureShape = z.strictObject({
  id: z.string(),
  round: z.int(),
  file: z.string().describe("Path in the agent's view."),
  sha256: z.string(),
});
const readShape = z.strictObject({
  id: z.string(),
  generation: z.int(),
  toolCall: z.int().describe("Number of the tool call within the generation; 0: the meta agent's own ctx.read."),
  tool: z.string(),
  path: z.string(),
  sha256: z.string(),
});

export const getAdoption = analystTool({
  name: 'get_adoption',
  title: 'Unfold an adoption',
  description:
    "The evidence of one adoption: every time the peer's code had been put before the agent, every tool call that opened it, what the agent said then, how much of the new code is the peer's, and the score before and after. diff of the peer's program and the new one shows the code.",
  input: { run: RUN_ARG, adoption: nameArg('Id of the adoption, as list_adoptions gives it.'), rule: RULE_ARG },
  output: {
    ...adoptionShape,
    gain: z.number().nullable().describe('after - before.'),
    candidate: z.string().nullable().describe('Id of the new program.'),
    peerCandidate: z.string().nullable().describe('Id of the program that was taken from.'),
    exposed: z.array(exposureShape),
    opened: z.array(readShape),
    reuseDetail: z
      .strictObject({
        lines: z.number(),
        tokens: z.number(),
        novelLines: z.int(),
        novelTokens: z.int(),
        longestRun: z.int(),
      })
      .nullable()
      .describe(
        "Shares of novel lines and tokens found in the peer's code, how many are novel, longest common run of tokens.",
      ),
    notes: z.array(z.string()),
  },
  run: async (results, { run, adoption, rule }, signal) => {
    const open = await results.open(run);
    const taken = rule ?? ruleFor(open);
    const all = await adoptionsOf(results, open, taken);
    const found = all.find(({ view }) => view.adoption === adoption);
    if (found === undefined) {
      const ids = all.map(({ view }) => view.adoption);
      const what = `the run ${quoted(run)} has no adoption ${quoted(adoption)} by the rule ${taken}`;
      throw new AnalystError('no-such-adoption', `${what}${thereAre(adoption, ids)}; list_adoptions lists them`);
    }
    const { view, row } = found;
    const evidence = row?.evidence;
    const exposed = open.records?.exposures.filter(({ id }) => evidence?.exposures.includes(id)) ?? [];
    const opened = await readsOf(results, open, found, signal);
    const missing = (evidence?.reads.length ?? 0) - opened.length;
    const value = {
      ...view,
      gain: view.before === null || view.after === null ? null : view.after - view.before,
      candidate: idOf(open, view.agent, view.generation),
      peerCandidate: view.peerGeneration === null ? null : idOf(open, view.peer, view.peerGeneration),
      exposed: exposed.map(({ id, round, file, sha256 }) => ({ id, round, file, sha256 })),
      opened,
      reuseDetail: found.reuseDetail ?? null,
      notes: [
        ...(row ? [] : ['nothing but the code is on record for this: it was judged by the rule']),
        ...(missing > 0 ? [`${missing} of the reads are not in the table of reads`] : []),
      ],
    };
    return { value: clip(value, MAX_ANSWER_BYTES / 4).value };
  },
});

function idOf({ run }: OpenRun, agent: string, generation: number): string | null {
  const programs = run.agents.find(({ name }) => name === agent)?.generations;
  return programs?.find((one) => one.generation === generation)?.id ?? null;
}

/** The reads of an adoption, found from where its generation's begin: the table may be large. */
async function readsOf(
  results: Results,
  open: OpenRun,
  { row }: FoundAdoption,
  signal: AbortSignal,
): Promise<z.output<typeof readShape>[]> {
  if (row === undefined || row.evidence.reads.length === 0) return [];
  const wanted = new Set(row.evidence.reads);
  const starts = await results.remember(`reads ${open.run.id}`, open.version, () => startsOf(results, open.run.id));
  // A peer's code may have been opened in an earlier generation.
  const at = Math.min(...[...wanted].map((id) => starts.get(id.split('/').slice(0, 2).join('/')) ?? 0));
  const found: z.output<typeof readShape>[] = [];
  for await (const { row: read } of results.rows(open.run.id, 'reads', { at })) {
    signal.throwIfAborted();
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- rows of a table were checked against its schema
    const { id, generation, toolCall, tool, path, sha256 } = read as unknown as TraceTables['reads'];
    if (!wanted.delete(id)) continue;
    found.push({ id, generation, toolCall, tool, path, sha256 });
    if (wanted.size === 0) break;
  }
  return found;
}

/** Where in the table of reads every agent's every generation begins, by `<agent>/<generation>`. */
async function startsOf(results: Results, run: string): Promise<ReadonlyMap<string, number>> {
  const starts = new Map<string, number>();
  for await (const { row, at } of results.rows(run, 'reads')) {
    const key = `${String(row['agent'])}/${String(row['generation'])}`;
    if (!starts.has(key)) starts.set(key, at);
  }
  return starts;
}
