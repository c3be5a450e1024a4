import type { Grant } from '../guard/grants.ts';
import type { ScopeDefinition } from '../space/scope.ts';
import { defineScope, parseAgentName, parseScopeName } from '../space/scope.ts';
import type { ExperimentConfig } from './config.ts';
import { RUNNER, STRATEGIES, evaluationScope, ownScope } from './run-context.ts';
import type { RunPlan } from './run-plan.ts';

/**
 * The scopes of a run. All are classified: who has no right to one does not learn that it has anything in it. Sharing is a
 * matter of grants alone.
 */
export function scopesOf(plan: RunPlan): ScopeDefinition[] {
  const roots = [parseScopeName('agents'), parseScopeName('evaluations'), STRATEGIES];
  const own = plan.agents.flatMap(({ name }) => [ownScope(name), evaluationScope(name)]);
  return [...roots, ...own].map((name) => defineScope({ name, visibility: 'classified', observationTopics: ['*'] }));
}

/**
 * Who may do what in a run: an agent writes observations about its own files and nothing else, and reads its own scope, its
 * own evaluations, and (where the arm shares) `strategies`. The runner alone writes evaluations and strategies.
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
  const agents = plan.agents.map(
    ({ name }): Grant => ({
      agent: parseAgentName(name),
      read: [ownScope(name), evaluationScope(name), ...(plan.sharing ? [STRATEGIES] : [])],
      write: [{ kind: 'observation', scope: ownScope(name) }],
      edit: {
        scope: ownScope(name),
        editable: config.editable,
        required: ['task_agent.ts', 'meta_agent.ts'],
        maxFileBytes: config.maxFileBytes,
      },
    }),
  );
  return [runner, ...agents];
}
