import type { AgentName, MarkKind, ScopeName } from '../space/marks.ts';
import { accessOf } from '../space/query.ts';
import { allowsTopic, covers, resolveScope, type ScopeDefinition } from '../space/scope.ts';
import type { WatchPattern } from '../space/watch.ts';
import { type Grant, rightsFor } from './grants.ts';
import type { Manifest, ManifestOutput } from './manifest.ts';
import { cyclesIn } from './pipeline-cycles.ts';

/** What is wrong with a pipeline; fields as data, {@link describeProblem} makes a sentence of it. */
export type Problem =
  | { readonly code: 'duplicate-agent'; readonly agent: AgentName }
  | { readonly code: 'no-grant'; readonly agent: AgentName }
  /** Nobody defined the scope of an input or output, nor one above it. */
  | { readonly code: 'undefined-scope'; readonly agent: AgentName; readonly scope: ScopeName }
  | { readonly code: 'no-right'; readonly agent: AgentName; readonly output: ManifestOutput }
  /** The kind may be written there, the topic (or, where none is named, any topic whatever) may not. */
  | { readonly code: 'topic-not-allowed'; readonly agent: AgentName; readonly output: ManifestOutput }
  /** It listens where it may see nothing. */
  | { readonly code: 'unreadable-input'; readonly agent: AgentName; readonly input: WatchPattern }
  | { readonly code: 'no-producer'; readonly agent: AgentName; readonly input: WatchPattern }
  /** Each is fed by another of them, or by itself. */
  | { readonly code: 'cycle'; readonly agents: readonly AgentName[] };

/**
 * Everything that is wrong with a pipeline, in the order of its manifests, cycles last; empty when nothing is. Pure: what it says depends
 * on nothing but its arguments.
 *
 * @param external what comes from outside the pipeline, as the outputs of producers that have no manifest
 */
export function validatePipeline(
  manifests: readonly Manifest[],
  grants: readonly Grant[],
  definitions: readonly ScopeDefinition[],
  external: readonly ManifestOutput[] = [],
): readonly Problem[] {
  const scopes = new Map(definitions.map((definition) => [definition.name, definition]));
  const byAgent = new Map(grants.map((grant) => [grant.agent, grant]));
  const problems: Problem[] = [];
  const seen = new Set<AgentName>();
  for (const manifest of manifests) {
    const { agent } = manifest;
    if (seen.has(agent)) problems.push({ code: 'duplicate-agent', agent });
    seen.add(agent);
    for (const scope of scopesNamed(manifest)) {
      if (resolveScope(scopes, scope) === undefined) problems.push({ code: 'undefined-scope', agent, scope });
    }
    const grant = byAgent.get(agent);
    if (grant === undefined) problems.push({ code: 'no-grant', agent });
    else problems.push(...outputProblems(manifest, grant, scopes), ...inputProblems(manifest, grant, scopes));
    for (const input of manifest.inputs) {
      const fed =
        external.some((output) => feeds(output, input)) || manifests.some((producer) => feedsFrom(producer, input));
      if (!fed) problems.push({ code: 'no-producer', agent, input });
    }
  }
  const feedsManifest = (from: Manifest, to: Manifest): boolean => to.inputs.some((input) => feedsFrom(from, input));
  for (const members of cyclesIn(manifests, feedsManifest))
    problems.push({ code: 'cycle', agents: members.map(({ agent }) => agent) });
  return problems;
}

type Scopes = ReadonlyMap<ScopeName, ScopeDefinition>;

function scopesNamed({ inputs, outputs }: Manifest): ReadonlySet<ScopeName> {
  const named = [...inputs.flatMap(({ scope, under }) => [scope, under]), ...outputs.map(({ scope }) => scope)];
  return new Set(named.filter((scope) => scope !== undefined));
}

function outputProblems({ agent, outputs }: Manifest, grant: Grant, scopes: Scopes): readonly Problem[] {
  const problems: Problem[] = [];
  for (const output of outputs) {
    const rights = rightsFor(grant, output.kind, output.scope);
    const definition = resolveScope(scopes, output.scope);
    if (rights.length === 0) problems.push({ code: 'no-right', agent, output });
    else if (definition !== undefined && (output.kind === 'observation' || output.kind === 'warning')) {
      // `*` is what a list without limits allows, and an output without a topic claims.
      const topic = output.topic ?? '*';
      const inScope = output.kind === 'observation' ? definition.observationTopics : definition.warningTopics;
      if (
        !allowsTopic(inScope, topic) ||
        !rights.some(({ topics }) => topics === undefined || allowsTopic(topics, topic))
      )
        problems.push({ code: 'topic-not-allowed', agent, output });
    }
  }
  return problems;
}

function inputProblems({ agent, inputs }: Manifest, grant: Grant, scopes: Scopes): readonly Problem[] {
  const view = { definitionOf: (scope: ScopeName) => resolveScope(scopes, scope) };
  const maySee = (scope: ScopeName): boolean => accessOf(view, grant, scope) !== 'none';
  return inputs
    .filter(({ scope, under }) => {
      if (scope !== undefined) return view.definitionOf(scope) !== undefined && !maySee(scope);
      if (under === undefined || view.definitionOf(under) === undefined) return false;
      const below = [...grant.read, ...scopes.keys()].filter((name) => covers(under, name));
      return ![under, ...below].some(maySee);
    })
    .map((input) => ({ code: 'unreadable-input', agent, input }));
}

function feedsFrom({ agent, outputs }: Manifest, input: WatchPattern): boolean {
  return (input.agent === undefined || input.agent === agent) && outputs.some((output) => feeds(output, input));
}

const ABOUT_TOPICS: readonly MarkKind[] = ['observation', 'warning'];
const ABOUT_RESOURCES: readonly MarkKind[] = ['intent', 'action'];

/** Whether some mark that the output allows is one that the input asks for. */
function feeds(output: ManifestOutput, { kind, topic, resource, scope, under }: WatchPattern): boolean {
  if (kind !== undefined && kind !== output.kind) return false;
  if (resource !== undefined && !ABOUT_RESOURCES.includes(output.kind)) return false;
  if (topic !== undefined && !ABOUT_TOPICS.includes(output.kind)) return false;
  if (topic !== undefined && output.topic !== undefined && topic !== output.topic) return false;
  if (scope !== undefined) return covers(output.scope, scope) && (under === undefined || covers(under, scope));
  return under === undefined || covers(under, output.scope) || covers(output.scope, under);
}

/** One problem as a sentence for a person, with the way out. */
export function describeProblem(problem: Problem): string {
  switch (problem.code) {
    case 'duplicate-agent':
      return `${problem.agent} has more than one manifest; keep one`;
    case 'no-grant':
      return `${problem.agent} has no grant; give it one or take its manifest out`;
    case 'undefined-scope':
      return `${problem.agent} names the scope ${problem.scope}, which nobody defined; define it or one above it`;
    case 'no-right':
      return `${problem.agent} may not write ${problem.output.kind} marks in ${problem.output.scope}; grant the right or drop the output`;
    case 'topic-not-allowed':
      return problem.output.topic === undefined
        ? `${problem.agent} may not write ${problem.output.kind} marks of any topic in ${problem.output.scope}; name the topics it writes`
        : `${problem.agent} may not write on ${JSON.stringify(problem.output.topic)} in ${problem.output.scope}; allow the topic there and in its grant`;
    case 'unreadable-input':
      return `${problem.agent} listens to ${patternText(problem.input)}, where it may see nothing; grant it the right to read`;
    case 'no-producer':
      return `${problem.agent} listens to ${patternText(problem.input)}, which nobody writes; add a producer or declare it external`;
    case 'cycle':
      return problem.agents.length === 1
        ? `${problem.agents.join('')} listens to what it writes itself and would run without end; narrow its input`
        : `${problem.agents.join(', ')} feed one another and would run without end; break the cycle`;
  }
}

function patternText(pattern: WatchPattern): string {
  const fields = Object.entries(pattern).map(([field, value]) => `${field} ${JSON.stringify(value)}`);
  return fields.length === 0 ? 'everything' : fields.join(', ');
}
