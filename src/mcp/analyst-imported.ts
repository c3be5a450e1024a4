import { sha256 } from '../trace/blob-store.ts';
import { readCalls } from '../trace/importers/calls.ts';
import type { LoadedAgent, LoadedGeneration, LoadedRun } from '../trace/loaded-run.ts';
import type { CandidateStatus, EdgeRow, TraceTables } from '../trace/schema.ts';
import type { AnyRow } from './analyst-results.ts';
import { withoutHostPaths } from './host-paths.ts';

/** Tables that can be told from every run that was imported, and its call log. Nothing of the other kinds is on record. */
export const IMPORTED_TABLES = ['runs', 'candidates', 'evaluations', 'edges', 'calls'] as const;
export type ImportedTable = (typeof IMPORTED_TABLES)[number];

export function isImportedTable(table: keyof TraceTables): table is ImportedTable {
  return (IMPORTED_TABLES as readonly string[]).includes(table);
}

/** Calls of one log that are kept in memory. */
const MAX_CALLS = 200_000;
const ERROR_CHARS = 1_000;

/** Name of a program's file where its source has none. */
export const MAIN_NAME = 'program';

/** The texts of a program by path, the main program under its own name. */
export function sourcesOf({ code, mainFile, files }: LoadedGeneration): Readonly<Record<string, string>> {
  return { ...files, ...(code !== undefined && { [mainFile ?? MAIN_NAME]: code }) };
}

/** What became of a program, as far as an imported run tells; null: it was scored, and whether it was kept is not known. */
export function importedStatus({ copy, valid }: LoadedGeneration): CandidateStatus | null {
  return copy === true ? 'copy' : valid ? null : 'failed';
}

/** Who was made from whom, by the programs' parents. */
export function parentEdges({ agents }: LoadedRun): readonly EdgeRow[] {
  return agents.flatMap(({ generations }) =>
    generations.flatMap(({ id, parents }) => parents.map((from) => ({ from, to: id, kind: 'parent' as const }))),
  );
}

/** Rows of one of our tables as an imported run would have them; fields that its source does not tell are missing. */
export async function importedRows(run: LoadedRun, table: ImportedTable): Promise<readonly AnyRow[]> {
  const programs = run.agents.flatMap((agent) => agent.generations.map((one) => [agent, one] as const));
  switch (table) {
    case 'runs':
      return [runRow(run)];
    case 'candidates':
      return programs.map(([agent, one]) => candidateRow(agent, one));
    case 'evaluations':
      return programs.flatMap(([agent, one]) => evaluationRows(agent, one));
    case 'edges':
      return parentEdges(run).map((edge) => ({ ...edge }));
    case 'calls':
      return callRows(run);
  }
}

async function callRows(run: LoadedRun): Promise<readonly AnyRow[]> {
  const rows: AnyRow[] = [];
  for await (const { agent, generation, number, model, tokens, usd, error, tools } of readCalls(run)) {
    rows.push({
      id: `${agent}/${generation}/${number}`,
      agent,
      generation,
      ...(model !== undefined && { model: withoutHostPaths(model) }),
      ...(tokens !== undefined && { tokens }),
      ...(usd !== undefined && { usd }),
      ...(tools !== undefined && { toolCalls: tools.length }),
      ...(error !== undefined && { error: withoutHostPaths(error.slice(0, ERROR_CHARS)) }),
    });
    if (rows.length === MAX_CALLS) break;
  }
  return rows;
}

function runRow({ id, task, seed, arm, agents }: LoadedRun): AnyRow {
  return {
    id,
    ...(task !== undefined && { task }),
    ...(seed !== undefined && { seed }),
    ...(arm !== undefined && { arm }),
    agents: agents.map(({ name, model, scripted }) => ({
      name,
      ...(model !== undefined && { model }),
      ...(scripted !== undefined && { scripted }),
    })),
  };
}

function candidateRow({ name }: LoadedAgent, one: LoadedGeneration): AnyRow {
  const sources = Object.entries(sourcesOf(one)).map(([path, text]) => [path, sha256(text)] as const);
  return {
    id: one.id,
    agent: name,
    generation: one.generation,
    parents: one.parents,
    status: importedStatus(one),
    sources: Object.fromEntries(sources),
    ...(one.published !== undefined && { published: one.published }),
    ...(one.cause !== undefined && { reason: one.cause }),
  };
}

function evaluationRows({ name }: LoadedAgent, { id, generation, valid, scores }: LoadedGeneration): readonly AnyRow[] {
  return Object.entries(scores).flatMap(([split, score]) =>
    score === undefined ? [] : [{ candidate: id, agent: name, generation, split, valid, score }],
  );
}
