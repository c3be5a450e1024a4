import type { LoadedAgent, LoadedRun } from '../trace/loaded-run.ts';
import { bestOf, scoredGenerations } from './scores.ts';
import { type ArmComparison, type ArmUnit, compareArms, type Spending } from './statistics.ts';
import type { BootstrapOptions } from './statistics/bootstrap.ts';
import { mean } from './statistics/median.ts';

/** A model's agents in one run. */
interface Unit {
  readonly run: LoadedRun;
  readonly agents: readonly LoadedAgent[];
  /** The last generation that all of them have. */
  readonly last: number;
}

/**
 * Whether a model does better in company: for every task and model, its best score in each pairing against its best alone. The
 * unit is a run: where two agents of a run have the same model, their mean counts, so that a pair's two tries are not set
 * against one. Both arms are looked at up to the same generation, the smaller of what half of each arm's runs reached (`upTo`);
 * a run that broke off before is left out and named. Runs without a task count as one task; a solo run is one with a single agent.
 */
export function pairedAgainstSolo(
  runs: readonly LoadedRun[],
  options: BootstrapOptions = {},
): readonly ArmComparison[] {
  const members = runs.flatMap((run) =>
    run.agents.filter(({ generations }) => generations.length > 0).map((agent) => ({ run, agent })),
  );
  const byTaskAndModel = Map.groupBy(members, ({ run, agent }) => JSON.stringify([run.task ?? '', modelOf(agent)]));
  return [...byTaskAndModel.values()].flatMap((several) => {
    const units = [...Map.groupBy(several, ({ run }) => run)].map(([run, own]) =>
      unitOf(
        run,
        own.map(({ agent }) => agent),
      ),
    );
    const solo = units.filter(({ run }) => run.agents.length === 1);
    const company = units.filter(({ run }) => run.agents.length > 1);
    const pairings = Map.groupBy(company, ({ run }) => JSON.stringify([run.pairing, run.arm ?? '']));
    return [...pairings.values()].flatMap((paired) => compareUnits(paired, solo, options) ?? []);
  });
}

function compareUnits(
  paired: readonly Unit[],
  solo: readonly Unit[],
  options: BootstrapOptions,
): ArmComparison | undefined {
  const [one] = paired;
  const [first] = one?.agents ?? [];
  if (!one || !first || solo.length === 0) return undefined;
  const upTo = Math.min(usualLength(paired), usualLength(solo));
  const [a, b] = [armUnits(paired, upTo), armUnits(solo, upTo)];
  if (a.length === 0 || b.length === 0) return undefined;
  const where = [one.run.task, one.run.pairing, one.run.arm].filter((part) => part !== undefined).join(', ');
  const model = modelOf(first);
  const compared = compareArms(
    { name: `${model} in ${where}`, units: a },
    { name: `${model} alone`, units: b },
    options,
  );
  const tooShort = [...paired, ...solo].filter(({ last }) => last < upTo).map(({ run }) => run.id);
  return { ...compared, leftOut: compared.leftOut + tooShort.length, upTo, tooShort };
}

function modelOf({ model, name }: LoadedAgent): string {
  return model ?? name;
}

function unitOf(run: LoadedRun, agents: readonly LoadedAgent[]): Unit {
  return { run, agents, last: Math.min(...agents.map(({ generations }) => generations.at(-1)?.generation ?? 0)) };
}

/** How far an arm's runs usually got: the upper of the middle values, so that one of two that broke off does not decide. */
function usualLength(units: readonly Unit[]): number {
  const sorted = units.map(({ last }) => last).sort((x, y) => x - y);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function armUnits(units: readonly Unit[], upTo: number): readonly ArmUnit[] {
  const seen = new Set<string>();
  return units.flatMap(({ run, agents, last }): ArmUnit[] => {
    const bests = agents.flatMap(
      (agent) => bestOf(scoredGenerations(agent).filter(({ program }) => program.generation <= upTo))?.score ?? [],
    );
    if (bests.length === 0 || last < upTo) return [];
    // The same seed may have been run twice: the second time is a unit of its own and has no partner.
    const seed = run.seed === undefined ? run.id : `seed ${run.seed}`;
    const key = seen.has(seed) ? run.id : seed;
    seen.add(key);
    return [{ key, value: mean(bests) ?? 0, spent: spentBy(agents, upTo) }];
  });
}

/** What an agent of the model spent up to a generation, on average over the run's agents of that model. */
function spentBy(agents: readonly LoadedAgent[], upTo: number): Spending {
  const within = agents.map(({ generations }) => generations.filter(({ generation }) => generation <= upTo));
  const total = (amount: 'tokens' | 'usd'): number | undefined => {
    const known = within.flatMap((programs) => programs.flatMap((program) => program[amount] ?? []));
    return known.length === 0 ? undefined : known.reduce((sum, value) => sum + value, 0) / agents.length;
  };
  const [tokens, usd] = [total('tokens'), total('usd')];
  return {
    generations: mean(within.map((programs) => programs.length)) ?? 0,
    ...(tokens === undefined ? {} : { tokens }),
    ...(usd === undefined ? {} : { usd }),
  };
}
