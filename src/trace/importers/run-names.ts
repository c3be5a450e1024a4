import type { LoadedRun } from '../loaded-run.ts';

/** A run and where it really lies: the absolute path of its folder or file. */
export interface PlacedRun {
  readonly run: LoadedRun;
  readonly place: string;
}

/**
 * Runs with ids that are all different: those that several given folders have in common get as many of the folders above them in
 * front as tell them apart (`first/results/pair` and `second/results/pair`). Places must be different.
 */
export function distinctIds(placed: readonly PlacedRun[]): readonly LoadedRun[] {
  const groups = Map.groupBy(placed, ({ run }) => run.id);
  const taken = new Set([...groups].flatMap(([id, { length }]) => (length === 1 ? [id] : [])));
  const ids = new Map<PlacedRun, string>();
  for (const group of groups.values()) {
    if (group.length === 1) continue;
    const depth = Math.max(...group.map(({ place }) => partsOf(place).length));
    for (let length = 2; length <= depth; length++) {
      const names = group.map(({ place }) => partsOf(place).slice(-length).join('/'));
      const apart = new Set(names).size === names.length && !names.some((name) => taken.has(name));
      if (!apart && length < depth) continue;
      for (const [n, one] of group.entries()) {
        ids.set(one, names[n] ?? one.place);
        taken.add(names[n] ?? one.place);
      }
      break;
    }
  }
  return placed.map((one) => ({ ...one.run, id: ids.get(one) ?? one.run.id }));
}

function partsOf(place: string): readonly string[] {
  return place.split(/[/\\]/).filter((part) => part !== '');
}
