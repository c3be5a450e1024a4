import { z } from 'zod';
import type { EdgeRow } from '../trace/schema.ts';
import { candidateIn, candidatesOf, type Candidate, viewOf } from './analyst-candidate.ts';
import { stateIn } from './analyst-cursor.ts';
import { PAGE_ARGS, pageOf, pageShape, type Step } from './analyst-page.ts';
import type { OpenRun } from './analyst-results.ts';
import { analystTool, CANDIDATE_ARG, RUN_ARG } from './analyst-tool.ts';

const kinSchema = z.strictObject({
  candidate: z.string(),
  known: z.boolean().describe('False: only its id is known, the run does not have the program.'),
  agent: z.string().nullable(),
  generation: z.int().nullable(),
  score: z.number().nullable().describe('Validation score.'),
  status: z.string().nullable(),
  steps: z.int().describe('Fewest steps from the program that was asked about; that one itself has 0.'),
  via: z
    .array(z.strictObject({ candidate: z.string(), kind: z.enum(['parent', 'adoption']) }))
    .describe(
      'Programs nearer to the one asked about that it is tied to directly: it was edited into them (ancestors) or made from them (descendants).',
    ),
});
type Kin = z.output<typeof kinSchema>;
const afterKin = z.strictObject({ n: z.int().min(1) });

export const lineage = analystTool({
  name: 'lineage',
  title: 'Ancestors and descendants',
  description:
    'What a program was made from, step by step back to the first ones, or what was made from it: the program itself first, then the nearest. An edge of kind parent is an edit, one of kind adoption is code taken from a peer.',
  input: {
    run: RUN_ARG,
    candidate: CANDIDATE_ARG,
    direction: z.enum(['ancestors', 'descendants']).default('ancestors'),
    adoptions: z.boolean().default(true).describe('Follow adoptions too, not only parents.'),
    ...PAGE_ARGS,
  },
  output: pageShape(kinSchema),
  run: async (results, args) => {
    const state = stateIn('lineage', args, afterKin);
    const open = await results.open(args.run);
    const { program } = candidateIn(open, args.candidate);
    const edges = args.adoptions ? open.edges : open.edges.filter(({ kind }) => kind === 'parent');
    const kin = kinOf(open, program.id, edges, args.direction);
    function* steps(): Generator<Step<Kin, z.output<typeof afterKin>>> {
      for (let n = state?.n ?? 0; n < kin.length; n++) {
        const row = kin[n];
        if (row) yield { row, after: { n: n + 1 } };
      }
    }
    return { value: await pageOf({ tool: 'lineage', args, total: kin.length }, steps()) };
  },
});

/** Breadth first, each program once. */
function kinOf(
  open: OpenRun,
  start: string,
  edges: readonly EdgeRow[],
  direction: 'ancestors' | 'descendants',
): readonly Kin[] {
  const isUp = direction === 'ancestors';
  const next = Map.groupBy(edges, ({ from, to }) => (isUp ? to : from));
  const programs = new Map(candidatesOf(open).map((candidate) => [candidate.program.id, candidate]));
  const found = new Map<string, Kin>([[start, kin(open, programs.get(start), start, 0)]]);
  // A map goes on over what is added to it meanwhile.
  for (const [id, { steps }] of found) {
    for (const { from, to, kind } of next.get(id) ?? []) {
      const other = isUp ? from : to;
      const known = found.get(other) ?? kin(open, programs.get(other), other, steps + 1);
      found.set(other, known);
      if (known.steps > steps && !known.via.some((edge) => edge.candidate === id && edge.kind === kind))
        known.via.push({ candidate: id, kind });
    }
  }
  return [...found.values()];
}

function kin(open: OpenRun, candidate: Candidate | undefined, id: string, steps: number): Kin {
  const view = candidate && viewOf(open, candidate);
  return {
    candidate: id,
    known: view !== undefined,
    agent: view?.agent ?? null,
    generation: view?.generation ?? null,
    score: view?.scores['validation'] ?? null,
    status: view?.status ?? null,
    steps,
    via: [],
  };
}
