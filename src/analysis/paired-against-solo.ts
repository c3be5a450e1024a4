import type { LoadedAgent, LoadedRun } from '../trace/loaded-run.ts';
import { bestOf, scoredGenerations } from './scores.ts';
import { type Arm, type ArmComparison, type ArmUnit, compareArms, type Spending } from './statistics.ts';
import type { BootstrapOptions } from './statistics/bootstrap.ts';
import { mean } from './statistics/median.ts';

interface Member {
  readonly run: LoadedRun;
  readonly agent: LoadedAgent;
}

/**
 * Whether a model does better in company: for every task and model, its best score in each pairing against its best alone. The
 * unit is a run: where two agents of a run have the same model, their mean counts, so that a pair's two tries are not set
 * against one. Histories are cut to the shortest of both arms. Runs without a task count as one task; a solo run is one with a
 * single agent.
 */
export function pairedAgainstSolo(
  runs: readonly LoadedRun[],
  options: BootstrapOptions = {},
): readonly ArmComparison[] {
  const byTaskAndModel = Map.groupBy(
    runs.flatMap((run) => run.agents.map((agent): Member => ({ run, agent }))),
    ({ run, agent }) => JSON.stringify([run.task ?? '', agent.model ?? agent.name]),
  );
  return [...byTaskAndModel.values()].flatMap((members) => {
    const solo = members.filter(({ run }) => run.agents.length === 1);
    const paired = Map.groupBy(
      members.filter(({ run }) => run.agents.length > 1),
      ({ run }) => JSON.stringify([run.pairing, run.arm ?? '']),
    );
    if (solo.length === 0) return [];
    return [...paired.values()].flatMap((company) => {
      const horizon = Math.min(...[...solo, ...company].map(({ agent }) => agent.generations.at(-1)?.generation ?? 0));
      const [one] = company;
      if (!one) return [];
      const model = one.agent.model ?? one.agent.name;
      const where = [one.run.task, one.run.pairing, one.run.arm].filter((part) => part !== undefined).join(', ');
      const a = armOf(`${model} in ${where}`, company, horizon);
      const b = armOf(`${model} alone`, solo, horizon);
      return a.units.length === 0 || b.units.length === 0 ? [] : [compareArms(a, b, options)];
    });
  });
}

function armOf(name: string, members: readonly Member[], horizon: number): Arm {
  const byRun = Map.groupBy(members, ({ run }) => run.id);
  const seen = new Set<string>();
  const units = [...byRun.values()].flatMap((several): ArmUnit[] => {
    const bests = several.flatMap(
      ({ agent }) =>
        bestOf(scoredGenerations(agent).filter(({ program }) => program.generation <= horizon))?.score ?? [],
    );
    const [one] = several;
    if (bests.length === 0 || !one) return [];
    // The same seed may have been run twice: the second time is a unit of its own and has no partner.
    const seed = one.run.seed === undefined ? one.run.id : `seed ${one.run.seed}`;
    const key = seen.has(seed) ? one.run.id : seed;
    seen.add(key);
    return [{ key, value: mean(bests) ?? 0, spent: spentBy(several, horizon) }];
  });
  return { name, units };
}

/** What an agent of the model spent up to the horizon, on average over the run's agents of that model. */
function spentBy(members: readonly Member[], horizon: number): Spending {
  const within = members.map(({ agent }) => agent.generations.filter(({ generation }) => generation <= horizon));
  const total = (amount: 'tokens' | 'usd'): number | undefined => {
    const known = within.flatMap((programs) => programs.flatMap((program) => program[amount] ?? []));
    return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / members.length;
  };
  const [tokens, usd] = [total('tokens'), total('usd')];
  return {
    generations: mean(within.map((programs) => programs.length)) ?? 0,
    ...(tokens === undefined ? {} : { tokens }),
    ...(usd === undefined ? {} : { usd }),
  };
}
