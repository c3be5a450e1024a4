import type { RunContext } from '../../experiment/run-context.ts';

/** What an external agent is told of its run and its task. Markdown. */
export function briefingOf({ plan, config, task }: RunContext, agent: string, editable: readonly string[]): string {
  const { task: t } = task;
  const peers = plan.agents.filter(({ name }) => name !== agent).map(({ name }) => `\`${name}\``);
  const { validation } = config.disclosure;
  return `# You are \`${agent}\` in a run of hivemark

Improve the program \`task_agent.ts\` on the task **${t.name}** over ${config.generations} rounds.${
    peers.length === 0
      ? ' You are alone in it.'
      : ` Beside you ${peers.length === 1 ? 'is' : 'are'} ${peers.join(', ')}, at the same task with a program of their own.${
          plan.sharing
            ? " Each sees the others' best published code under `strategies/` and may take from it what helps; saying so in `reason` when you submit is good form."
            : ' In this arm nobody sees anything of the others.'
        }`
  }

## The task

${t.statement}

## How a round goes

1. Look: your own files, \`evals/gen_<n>/\` (how your past programs did)${plan.sharing ? ', `strategies/<peer>_gen<n>/` (what your peers published)' : ''}.
2. Edit ${editable.map((path) => `\`${path}\``).join(', ')}. Everything else is read-only; whatever is refused leaves the file as it was, and says why.
3. Submit. The program is run on hidden cases in a sandbox; you are told ${validation === 'none' ? 'no score' : 'a validation score'}, and the details you may know are in \`evals/\`. One program counts per round.
4. A strict improvement is published: your peers see it from the next round on. The next round opens once the others are done.

Programs are TypeScript that strips (no enums, no namespaces), ES modules, relative imports between your own files only;
no clock, timers or network. \`export async function forward(input, ctx)\` returns the answer as plain JSON. A file is at most ${config.maxFileBytes} bytes.
`;
}
