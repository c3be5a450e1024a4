import type { PlacedMark } from './mark-index.ts';

/** The end of a list in log order, from the index `next` on. */
export interface Tail {
  readonly list: readonly PlacedMark[];
  readonly next: number;
}

/** The part of `list` after position `seq`, found by bisection. */
export function tailAfter(list: readonly PlacedMark[], seq: number): Tail {
  let low = 0;
  let high = list.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((list[middle]?.seq ?? Infinity) <= seq) low = middle + 1;
    else high = middle;
  }
  return { list, next: low };
}

/** All marks of some tails in log order, taken one at a time: costs what is taken, and the number of tails once. */
export function* mergeTails(tails: readonly Tail[]): Iterable<PlacedMark> {
  const heap: Head[] = [];
  for (const { list, next } of tails) {
    const placed = list[next];
    if (placed !== undefined) heap.push({ list, next, placed });
  }
  for (let i = (heap.length >>> 1) - 1; i >= 0; i -= 1) sink(heap, i);
  for (let first = heap[0]; first !== undefined; first = heap[0]) {
    yield first.placed;
    const placed = first.list[first.next + 1];
    const last = placed === undefined ? heap.pop() : { list: first.list, next: first.next + 1, placed };
    if (heap.length === 0 || last === undefined) return;
    heap[0] = last;
    sink(heap, 0);
  }
}

interface Head extends Tail {
  readonly placed: PlacedMark;
}

/** Puts the head at `at` below all that come before it in the log. */
function sink(heap: Head[], at: number): void {
  const moving = heap[at];
  if (moving === undefined) return;
  for (let hole = at; ; ) {
    let child = 2 * hole + 1;
    const left = heap[child];
    if (left === undefined) return;
    const right = heap[child + 1];
    let least = left;
    if (right !== undefined && right.placed.seq < left.placed.seq) {
      least = right;
      child += 1;
    }
    if (moving.placed.seq <= least.placed.seq) return;
    heap[hole] = least;
    heap[child] = moving;
    hole = child;
  }
}
