import type { LoadedRun } from '../trace/loaded-run.ts';
import type { AdoptionRecords } from './adoption-records.ts';
import { blameProgram, ORIGINS, type OriginShares } from './blame.ts';
import { LineHistory } from './line-history.ts';
import { hasCode } from './published-bests.ts';
import type { Table } from './table.ts';

/** Where the lines of one program came from. */
export interface GenerationProvenance {
  readonly run: string;
  readonly agent: string;
  readonly generation: number;
  readonly score: number | null;
  /** Lines of code that are not trivial. */
  readonly counted: number;
  readonly shares: OriginShares;
  /** Counted lines that the agent wrote now: in none of its programs before, and nobody's that it could see. */
  readonly newLines: number;
}

/** The origin of every program's lines, by agent and generation: what provenance bars show. Copies are left out. */
export function provenanceShares(run: LoadedRun, records?: AdoptionRecords): readonly GenerationProvenance[] {
  const history = new LineHistory(run, undefined, records);
  return run.agents.flatMap((agent) =>
    agent.generations
      .filter(hasCode)
      .filter(({ copy }) => !copy)
      .map((program) => {
        const { counted, shares, authors } = blameProgram(history, run, agent, program);
        return {
          run: run.id,
          agent: agent.name,
          generation: program.generation,
          score: program.scores.validation ?? null,
          counted,
          shares,
          newLines: authors
            .filter((author) => author.agent === agent.name && author.generation === program.generation)
            .filter(({ origin }) => origin !== 'initial')
            .reduce((sum, { lines }) => sum + lines, 0),
        };
      }),
  );
}

export function provenanceTable(generations: readonly GenerationProvenance[]): Table {
  return {
    columns: ['run', 'agent', 'generation', 'score', 'lines', ...ORIGINS, 'new lines'],
    rows: generations.map((one) => [
      one.run,
      one.agent,
      one.generation,
      one.score,
      one.counted,
      ...ORIGINS.map((origin) => one.shares[origin]),
      one.newLines,
    ]),
    notes: [
      'Shares of the lines of code (comments, blank and trivial lines apart) by where each was first: own, in code of a peer that was visible before (peer), in the initial program, or written by the agent and a peer without having seen it of each other (common).',
      'A line is the same wherever it stands and however it is indented, and when its names were changed if enough around it agrees.',
    ],
  };
}
