import { MarkIndex } from '../space/mark-index.ts';

type Method = (this: unknown, ...args: unknown[]) => unknown;
type Methods = Record<string | symbol, Method>;

const ITERATORS: readonly object[] = [
  [][Symbol.iterator](),
  new Map().entries(),
  new Set().values(),
  (function* () {})(),
].map((iterator) => prototypeWith(iterator, 'next'));
/** What walks a whole list in one call. */
const WALKS = ['map', 'filter', 'flatMap', 'flat', 'forEach', 'reduce', 'sort', 'slice', 'concat', 'reverse'] as const;
/** What walks a list until it has found something. */
const SEARCHES = ['find', 'findLast', 'findIndex', 'some', 'every', 'includes', 'indexOf'] as const;
const LISTS = ['byScope', 'byTopic', 'byResource', 'byKind', 'invalidators'] as const;

/**
 * How many steps of lists, maps, sets and generators `run` takes, up to and including what it awaits: a measure of what it costs that does
 * not depend on the machine. Whole-list methods count the length of their list, and so do searches: they may be found out to be quicker.
 */
export async function stepsOf(run: () => unknown): Promise<number> {
  let steps = 0;
  const undo: (() => void)[] = [];
  const replace = (owner: object, name: string, made: (original: Method) => Method): void => {
    const methods = owner as Methods;
    const original = methods[name];
    if (original === undefined) throw new Error(`there is no ${name}`);
    const descriptor = Object.getOwnPropertyDescriptor(owner, name);
    Object.defineProperty(owner, name, {
      value: made(original),
      configurable: true,
      writable: true,
      enumerable: false,
    });
    undo.push(() => Object.defineProperty(owner, name, descriptor ?? {}));
  };
  for (const prototype of ITERATORS)
    replace(
      prototype,
      'next',
      (next) =>
        function (...args) {
          steps += 1;
          return next.apply(this, args);
        },
    );
  for (const name of [...WALKS, ...SEARCHES])
    replace(
      Array.prototype,
      name,
      (walk) =>
        function (...args) {
          steps += (this as readonly unknown[]).length;
          return walk.apply(this, args);
        },
    );
  const counted = (list: unknown): unknown =>
    Array.isArray(list)
      ? new Proxy(list, {
          get: (target, key, receiver): unknown => {
            if (typeof key === 'string' && /^\d+$/u.test(key)) steps += 1;
            return Reflect.get(target, key, receiver);
          },
        })
      : list;
  for (const name of LISTS)
    replace(
      MarkIndex.prototype,
      name,
      (listing) =>
        function (...args) {
          return counted(listing.apply(this, args));
        },
    );
  try {
    await run();
    return steps;
  } finally {
    for (const one of undo.reverse()) one();
  }
}

function prototypeWith(object: object, name: string): object {
  let found: unknown = object;
  while (typeof found === 'object' && found !== null && !Object.hasOwn(found, name))
    found = Object.getPrototypeOf(found);
  if (typeof found !== 'object' || found === null) throw new Error(`there is no ${name}`);
  return found;
}
