import { agentIn } from './analyst-candidate.ts';
import { AnalystError } from './analyst-error.ts';
import { sourcesOf } from './analyst-imported.ts';
import { READ_RUN } from './analyst-prompt.ts';
import type { Results } from './analyst-results.ts';
import { FILE_TEMPLATE, RUN_TEMPLATE, SUMMARY_TEMPLATE } from './analyst-uris.ts';
import {
  chosenIn,
  type Handler,
  invalidParams,
  type Params,
  quoted,
  recordParam,
  stringParam,
} from './protocol-handlers.ts';

/** The most values the protocol lets one completion give. */
const MOST_VALUES = 100;
const MAX_CHARS = 4_096;

/** Variables by what they belong to. Values are offered as they are; who puts them into a URI escapes them. */
const VARIABLES: Readonly<Record<string, readonly string[]>> = {
  [RUN_TEMPLATE]: ['run'],
  [SUMMARY_TEMPLATE]: ['run'],
  [FILE_TEMPLATE]: ['run', 'agent', 'generation', 'file'],
};

/** `completion/complete` for the variables of the resource templates and the prompt's argument. */
export function completeVariables(results: Results): Handler {
  return async (params) => {
    const ref = recordParam(params, 'ref');
    const argument = recordParam(params, 'argument');
    const name = stringParam(argument, 'name', MAX_CHARS);
    const value = stringParam(argument, 'value', MAX_CHARS);
    checkVariable(ref, name);
    const offered = await offeredFor(results, name, chosenIn(params));
    // What was typed may be any part of a run's id: its folders come first.
    const fitting = offered.filter((one) => (name === 'run' ? one.includes(value) : one.startsWith(value)));
    const values = fitting.slice(0, MOST_VALUES);
    return { completion: { values, total: fitting.length, hasMore: fitting.length > values.length } };
  };
}

function checkVariable(ref: Params, name: string): void {
  const isPrompt = ref['type'] === 'ref/prompt';
  const of = stringParam(ref, isPrompt ? 'name' : 'uri', MAX_CHARS);
  const known = isPrompt ? (of === READ_RUN.name ? ['run'] : []) : Object.hasOwn(VARIABLES, of) ? VARIABLES[of] : [];
  if (known?.includes(name)) return;
  throw invalidParams(
    `there is no variable ${quoted(name)} of ${isPrompt ? 'a prompt' : 'a resource template'} ${quoted(of)}`,
  );
}

async function offeredFor(results: Results, name: string, chosen: Params): Promise<readonly string[]> {
  if (name === 'run') return results.runs();
  const { run, agent, generation } = chosen;
  if (typeof run !== 'string') return [];
  try {
    const open = await results.open(run);
    if (name === 'agent') return open.run.agents.map((one) => one.name);
    if (typeof agent !== 'string') return [];
    const { generations } = agentIn(open, agent);
    if (name === 'generation') return [...new Set(generations.map((one) => String(one.generation)))];
    const ofGeneration = generations.filter((one) => generation === undefined || String(one.generation) === generation);
    return [...new Set(ofGeneration.flatMap((one) => Object.keys(sourcesOf(one))))].sort();
  } catch (error) {
    if (error instanceof AnalystError) return [];
    throw error;
  }
}
