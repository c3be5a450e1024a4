import type { Grant } from '../guard/grants.ts';
import type { ScopeDefinition } from '../space/scope.ts';
import { defineScope, parseAgentName, parseScopeName } from '../space/scope.ts';
import type { ExperimentConfig, External } from './config.ts';
import { RUNNER, STRATEGIES, evaluationScope, notesScope, ownScope } from './run-context.ts';
import type { RunPlan } from './run-plan.ts';

/**
 * The scopes of a run. All are classified: who has no right to one does not learn that it has anything in it. Sharing is a
 * matter of grants alone.
 */
export function scopesOf(plan: RunPlan): ScopeDefinition[] {
  const outside = plan.agents.filter(({ external }) => external !== undefined);
  const roots = [parseScopeName('agents'), parseScopeName('evaluations'), STRATEGIES];
  const own = plan.agents.flatMap(({ name }) => [ownScope(name), evaluationScope(name)]);
  const notes = outside.length === 0 ? [] : [NOTES, ...outside.map(({ name }) => notesScope(name))];
  return [
    ...[...roots, ...own].map((name) => defineScope({ name, visibility: 'classified', observationTopics: ['*'] })),
    ...notes.map((name) =>
      defineScope({ name, visibility: 'classified', observationTopics: ['*'], warningTopics: ['*'] }),
    ),
  ];
}

const NOTES = parseScopeName('notes');
const NOTE_KINDS = ['observation', 'warning', 'need'] as const;
const META_AGENT = 'meta_agent.ts';

/** The files an agent may change. */
export function editableBy(external: External | undefined, config: ExperimentConfig): readonly string[] {
  return external === undefined ? config.editable : config.editable.filter((path) => path !== META_AGENT);
}

/**
 * Who may do what in a run: an agent writes observations about its own files and nothing else, and reads its own scope, its
 * own evaluations, and (where the arm shares) `strategies`. The runner alone writes evaluations and strategies. An agent that is driven
 * from outside has no meta agent, and leaves notes besides, which the others that are driven from outside see where the arm shares.
 */
export function grantsOf(plan: RunPlan, config: ExperimentConfig): Grant[] {
  const runner: Grant = {
    agent: RUNNER,
    read: [parseScopeName('agents'), parseScopeName('evaluations'), STRATEGIES],
    write: [parseScopeName('agents'), parseScopeName('evaluations'), STRATEGIES].map((scope) => ({
      kind: 'observation',
      scope,
    })),
    principal: true,
  };
  const agents = plan.agents.map(({ name, external }): Grant => {
    const own = [ownScope(name), evaluationScope(name), ...(plan.sharing ? [STRATEGIES] : [])];
    const notes = plan.sharing ? NOTES : notesScope(name);
    return {
      agent: parseAgentName(name),
      read: external === undefined ? own : [...own, notes],
      write: [
        { kind: 'observation', scope: ownScope(name) },
        ...(external === undefined ? [] : NOTE_KINDS.map((kind) => ({ kind, scope: notesScope(name) }))),
      ],
      edit: {
        scope: ownScope(name),
        editable: editableBy(external, config),
        required: external === undefined ? ['task_agent.ts', META_AGENT] : ['task_agent.ts'],
        maxFileBytes: config.maxFileBytes,
      },
    };
  });
  return [runner, ...agents];
}
