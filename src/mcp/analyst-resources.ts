import { McpError, type ReadResourceResult, type Resource } from '@modelcontextprotocol/sdk/types.js';
import { bestOf, scoredGenerations } from '../analysis/scores.ts';
import { adoptionsOf, ruleFor } from './analyst-adoptions.ts';
import { agentIn, textIn } from './analyst-candidate.ts';
import { AnalystError, thereAre } from './analyst-error.ts';
import { clip, MAX_ANSWER_BYTES } from './analyst-page.ts';
import type { Results } from './analyst-results.ts';
import { agentsOf, describeRun } from './analyst-run-tools.ts';
import {
  type AnalystTarget,
  FILE_TEMPLATE,
  parseAnalystUri,
  RUN_TEMPLATE,
  RUNS_URI,
  runUri,
  SUMMARY_TEMPLATE,
} from './analyst-uris.ts';
import { badCursor, cursorOf, readCursor } from './paging.ts';
import { cursorParam, type Handler, quoted, RESOURCE_NOT_FOUND, stringParam } from './protocol-handlers.ts';

/** Runs of one page of `resources/list`, and of the resource that lists them. */
const PAGE_RUNS = 200;
/** Adoptions in a summary; list_adoptions has all. */
const SUMMED_ADOPTIONS = 50;
const MAX_URI_CHARS = 8_192;
/** UTF-8 bytes of a file that is given whole. */
const MAX_FILE_BYTES = 1024 * 1024;
const JSON_TYPE = 'application/json';

/** `resources/list`: the list of runs, then every run. */
export function listResources(results: Results): Handler {
  return async (params) => {
    const cursor = cursorParam(params);
    const after = cursor === undefined ? '' : readCursor(cursor);
    if (after === undefined) throw badCursor();
    const runs = (await results.runs()).filter((run) => run > after);
    const page = runs.slice(0, PAGE_RUNS);
    const last = page.at(-1);
    return {
      resources: [...(cursor === undefined ? [ALL_RUNS] : []), ...page.map(runResource)],
      ...(runs.length > page.length && last !== undefined ? { nextCursor: cursorOf(last) } : {}),
    };
  };
}

/** `resources/templates/list`: one page. */
export const listTemplates: Handler = () => Promise.resolve({ resourceTemplates: TEMPLATES });

/** `resources/read`. */
export function readResource(results: Results): Handler {
  return async (params): Promise<ReadResourceResult> => {
    const uri = stringParam(params, 'uri', MAX_URI_CHARS);
    const target = parseAnalystUri(uri);
    try {
      const { mimeType, text } = await contentOf(results, target);
      return { contents: [{ uri, mimeType, text }] };
    } catch (error) {
      if (!(error instanceof AnalystError)) throw error;
      throw new McpError(RESOURCE_NOT_FOUND, error.message, { uri, code: error.code });
    }
  };
}

interface Content {
  readonly mimeType: string;
  readonly text: string;
}

async function contentOf(results: Results, target: AnalystTarget): Promise<Content> {
  switch (target.kind) {
    case 'runs': {
      const runs = await results.runs();
      return json({ runs: runs.slice(0, PAGE_RUNS), total: runs.length });
    }
    case 'run':
      return json(await describeRun(results, target.run));
    case 'summary':
      return json(await summaryOf(results, target.run));
    case 'file':
      return fileContent(results, target);
  }
}

async function summaryOf(results: Results, run: string): Promise<unknown> {
  const { task, seed, arm, status, format } = await results.card(run);
  const open = await results.open(run);
  const rule = ruleFor(open);
  const adoptions = await adoptionsOf(results, open, rule);
  const summary = {
    run,
    format,
    task,
    seed,
    arm,
    status,
    agents: open.agents ?? agentsOf(open),
    rule,
    adoptionCount: adoptions.length,
    adoptions: adoptions.slice(0, SUMMED_ADOPTIONS).map(({ view }) => view),
  };
  return clip(summary, MAX_ANSWER_BYTES / 20).value;
}

async function fileContent(
  results: Results,
  { run, agent: name, generation, file }: Extract<AnalystTarget, { kind: 'file' }>,
): Promise<Content> {
  const open = await results.open(run);
  const agent = agentIn(open, name);
  const matching = agent.generations.filter((one) => one.id === generation || String(one.generation) === generation);
  const best = bestOf(scoredGenerations({ ...agent, generations: matching }))?.program;
  const program = matching.find(({ id }) => id === generation) ?? best ?? matching[0];
  if (program === undefined) {
    const known = agent.generations.map((one) => String(one.generation));
    throw new AnalystError(
      'no-such-candidate',
      `${quoted(name)} has no generation ${quoted(generation)}${thereAre(generation, [...new Set(known)])}`,
    );
  }
  const { text } = textIn(program, file);
  if (Buffer.byteLength(text) > MAX_FILE_BYTES) {
    throw new AnalystError(
      'too-much',
      `${quoted(file)} is larger than ${MAX_FILE_BYTES} bytes; get_candidate gives it in parts`,
    );
  }
  return { mimeType: mimeTypeOf(file), text };
}

function json(value: unknown): Content {
  return { mimeType: JSON_TYPE, text: JSON.stringify(value) };
}

function mimeTypeOf(path: string): string {
  if (path.endsWith('.ts')) return 'text/typescript';
  if (path.endsWith('.py')) return 'text/x-python';
  if (path.endsWith('.json')) return JSON_TYPE;
  return path.endsWith('.md') ? 'text/markdown' : 'text/plain';
}

const ALL_RUNS: Resource = {
  uri: RUNS_URI,
  name: 'runs',
  title: 'All runs',
  description: `Ids of the runs, the first ${PAGE_RUNS} of them; list_runs pages through all.`,
  mimeType: JSON_TYPE,
};

function runResource(run: string): Resource {
  return {
    uri: runUri(run),
    name: run,
    description: 'A run: agents, best programs, config, tables.',
    mimeType: JSON_TYPE,
  };
}

const TEMPLATES = [
  {
    uriTemplate: RUN_TEMPLATE,
    name: 'run',
    title: 'A run',
    description: 'Agents, best programs, config and tables of a run.',
    mimeType: JSON_TYPE,
  },
  {
    uriTemplate: SUMMARY_TEMPLATE,
    name: 'summary',
    title: 'Summary of a run',
    description: 'How each agent did, and who took code from whom.',
    mimeType: JSON_TYPE,
  },
  {
    uriTemplate: FILE_TEMPLATE,
    name: 'candidate-file',
    title: 'A file of a program',
    description: 'The text of one file of the program of one generation (or of the program with that id).',
  },
];
