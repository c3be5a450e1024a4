import { z } from 'zod';
import { judgeAdoption } from '../analysis/adoption-diagnostic.ts';
import { ADOPTION_RULES, type AdoptionRule } from '../analysis/adoption-rules.ts';
import { SkipLog } from '../trace/importers/skip-log.ts';
import type { AdoptionRow, ReuseMeasure } from '../trace/schema.ts';
import type { OpenRun, Results } from './analyst-results.ts';

export const LEVELS = ['similar', 'exposed', 'read', 'stated'] as const;

/** `recorded`: what the run itself put on record when it was played. */
export const RULES = ['recorded', ...ADOPTION_RULES] as const;
export type Rule = (typeof RULES)[number];

/** An adoption in a list. */
export const adoptionShape = {
  run: z.string(),
  adoption: z.string().describe('Id, for get_adoption: adopter/generation<peer/generation.'),
  rule: z.enum(RULES).describe('Which rule calls it an adoption.'),
  agent: z.string().describe('Who took.'),
  generation: z.int(),
  peer: z.string().describe('From whom.'),
  peerGeneration: z.int().nullable(),
  level: z
    .enum(LEVELS)
    .nullable()
    .describe(
      "Evidence. similar: only the code is alike; exposed: the peer's code had been put where the agent could see it; read: it opened it before it edited; stated: and said so. Null: nothing is on record.",
    ),
  readsObserved: z
    .boolean()
    .nullable()
    .describe('False: what the agent opened could not be seen, so that no reads say nothing.'),
  exposures: z.int(),
  reads: z.int(),
  statement: z
    .strictObject({ call: z.string(), text: z.string() })
    .nullable()
    .describe("The agent's own words before its first edit after the read."),
  reuse: z
    .number()
    .nullable()
    .describe("Share of the new code (in none of the agent's past) found in the peer's, 0 .. 1."),
  share: z
    .number()
    .nullable()
    .describe(
      "d_peer / (d_own + d_peer) of the published rule: below 0.4 the program is nearer to the peer's than to its own parent.",
    ),
  before: z.number().nullable().describe('Validation score of the parent.'),
  after: z.number().nullable().describe('Validation score of the new program.'),
};

export type AdoptionView = z.output<z.ZodObject<typeof adoptionShape>>;

/** An adoption with what is on record about it, where it is. */
export interface FoundAdoption {
  readonly view: AdoptionView;
  readonly row?: AdoptionRow;
  readonly reuseDetail?: ReuseMeasure;
}

/** The rule that is taken where none is asked for. */
export function ruleFor({ run, records }: OpenRun): Rule {
  if (records !== undefined) return 'recorded';
  return run.format === 'native' ? 'provenance' : 'visible';
}

/** The adoptions of a run in the order of its record (recorded), or by agent, peer and generation. Judging is done once. */
export async function adoptionsOf(results: Results, open: OpenRun, rule: Rule): Promise<readonly FoundAdoption[]> {
  const { run, records, version } = open;
  if (rule === 'recorded') return (records?.adoptions ?? []).map((row) => recorded(run.id, row));
  return results.remember(`adoptions ${rule} ${run.id}`, version, () => judged(open, rule));
}

function recorded(run: string, row: AdoptionRow): FoundAdoption {
  const { id, agent, generation, peer, peerGeneration, evidence, reuse, reuseDetail, share, before, after } = row;
  const { level, exposures, reads, statement, readsObserved = true } = evidence;
  const view = {
    run,
    adoption: id,
    rule: 'recorded' as const,
    agent,
    generation,
    peer,
    peerGeneration,
    level,
    readsObserved,
    exposures: exposures.length,
    reads: reads.length,
    statement: statement ?? null,
    reuse,
    share,
    before,
    after,
  };
  return { view, row, reuseDetail };
}

async function judged({ run, records }: OpenRun, rule: AdoptionRule): Promise<readonly FoundAdoption[]> {
  const found = await judgeAdoption([run], { rule, skips: new SkipLog() });
  return found.judged.judged.flatMap((one) => {
    if (!one.adoption) return [];
    const { agent, peer, generation, version } = one.judgement;
    const { evidence } = one;
    const id = `${generation.id}<${version?.id ?? peer.name}`;
    const row = records?.adoptions.find((known) => known.id === id);
    const view = {
      run: run.id,
      adoption: id,
      rule,
      agent: agent.name,
      generation: generation.generation,
      peer: peer.name,
      peerGeneration: version?.generation ?? null,
      level: evidence?.level ?? null,
      readsObserved: evidence === undefined ? null : (evidence.readsObserved ?? true),
      exposures: evidence?.exposures.length ?? 0,
      reads: evidence?.reads.length ?? 0,
      statement: evidence?.statement ?? null,
      reuse: one.reuse ?? null,
      share: one.share,
      before: one.before,
      after: one.after,
    };
    return [{ view, ...(row && { row, reuseDetail: row.reuseDetail }) }];
  });
}
