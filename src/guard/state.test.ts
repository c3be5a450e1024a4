import { type Arbitrary, array, assert, constant, constantFrom, nat, oneof, property, record } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { GuardState, StagedMap, stateKey } from './state.ts';

type Step =
  | { readonly what: 'set'; readonly key: string; readonly value: number }
  | { readonly what: 'delete'; readonly key: string }
  | { readonly what: 'keep' }
  | { readonly what: 'drop' };

const key = constantFrom('a', 'b', 'c', 'd');
const step: Arbitrary<Step> = oneof(
  { weight: 4, arbitrary: record({ what: constant('set' as const), key, value: nat(9) }) },
  { weight: 3, arbitrary: record({ what: constant('delete' as const), key }) },
  { weight: 1, arbitrary: constant({ what: 'keep' as const }) },
  { weight: 1, arbitrary: constant({ what: 'drop' as const }) },
);

/** The obviously right one: a copy of everything at every keep. Who is gone keeps its place until then. */
class Model {
  #places: [key: string, value: number | undefined][] = [];
  #kept: [key: string, value: number | undefined][] = [];

  take(one: Step): void {
    if (one.what === 'keep') {
      this.#places = this.#places.filter(([, value]) => value !== undefined);
      this.#kept = this.#places.map(([name, value]) => [name, value]);
    } else if (one.what === 'drop') this.#places = this.#kept.map(([name, value]) => [name, value]);
    else {
      const value = one.what === 'set' ? one.value : undefined;
      const place = this.#places.find(([name]) => name === one.key);
      if (place !== undefined) place[1] = value;
      else if (value !== undefined) this.#places.push([one.key, value]);
    }
  }

  entries(): readonly (readonly [string, number])[] {
    return this.#places.flatMap(([name, value]) => (value === undefined ? [] : [[name, value] as const]));
  }
}

describe('a staged map', () => {
  it('keeps and drops what was staged since, and has its entries in the order they were first set', () => {
    assert(
      property(array(step, { maxLength: 40 }), (steps) => {
        const map = new StagedMap<number>();
        const model = new Model();
        for (const one of steps) {
          if (one.what === 'set') map.set(one.key, one.value);
          else if (one.what === 'delete') map.delete(one.key);
          else map[one.what]();
          model.take(one);
          const entries = model.entries();
          expect([...map.entries()]).toEqual(entries);
          for (const name of ['a', 'b', 'c', 'd'])
            expect(map.get(name)).toBe(entries.find(([known]) => known === name)?.[1]);
        }
      }),
      { numRuns: 500 },
    );
  });

  it('may be changed while its entries are gone through', () => {
    const map = new StagedMap<number>();
    for (const name of ['a', 'b', 'c']) map.set(name, 1);
    const seen: string[] = [];
    for (const [name] of map.entries()) {
      seen.push(name);
      map.delete(name);
      map.delete('c');
    }
    expect(seen).toEqual(['a', 'b']);
    expect([...map.entries()]).toEqual([]);
  });
});

describe("the guard's memory", () => {
  const ONE = stateKey<number>('test/one');
  const FAMILY = stateKey<number>('test/family');

  it('keeps and drops all of its maps together, those of a family too, and only what is staged', () => {
    const state = new GuardState();
    state.map(ONE).set('x', 1);
    state.map(FAMILY, 'a').set('x', 2);
    state.map(FAMILY, 'b').set('x', 3);
    state.keep();
    state.map(ONE).set('x', 10);
    state.map(FAMILY, 'a').delete('x');
    state.drop();
    state.map(FAMILY, 'b').set('y', 4);
    state.keep();
    state.drop();
    const all = [state.map(ONE), state.map(FAMILY, 'a'), state.map(FAMILY, 'b')].map((map) => [...map.entries()]);
    expect(all).toEqual([
      [['x', 1]],
      [['x', 2]],
      [
        ['x', 3],
        ['y', 4],
      ],
    ]);
  });

  it('has one map for one name, and none in common for others', () => {
    const state = new GuardState();
    state.map(stateKey<number>('test/one')).set('x', 1);
    expect(state.map(ONE).get('x')).toBe(1);
    expect(state.map(FAMILY).get('x')).toBeUndefined();
    expect(new GuardState().map(ONE).get('x')).toBeUndefined();
  });
});
