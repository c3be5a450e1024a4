/** A stretch `[from, to)` of a sequence. */
export interface Stretch {
  readonly from: number;
  readonly to: number;
}

/**
 * Every run of symbols (integers >= 0) that occurs in one sequence, in space and time linear in its length whatever it holds.
 *
 * @see Blumer, Blumer, Haussler, Ehrenfeucht, Chen, Seiferas: The smallest automaton recognizing the subwords of a text. 1985.
 */
export class SuffixAutomaton {
  readonly #length: Int32Array;
  readonly #link: Int32Array;
  /** Edges leaving a state are a linked list over slots of an open-addressing table keyed by (state, symbol). */
  readonly #firstEdge: Int32Array;
  readonly #mask: number;
  readonly #edgeState: Int32Array;
  readonly #edgeSymbol: Int32Array;
  readonly #edgeTarget: Int32Array;
  readonly #nextEdge: Int32Array;
  #states = 1;
  #last = 0;

  constructor(symbols: Int32Array) {
    const states = 2 * symbols.length + 2;
    this.#length = new Int32Array(states);
    this.#link = new Int32Array(states).fill(-1);
    this.#firstEdge = new Int32Array(states).fill(-1);
    const slots = 2 ** Math.ceil(Math.log2(6 * symbols.length + 16));
    this.#mask = slots - 1;
    this.#edgeState = new Int32Array(slots).fill(-1);
    this.#edgeSymbol = new Int32Array(slots);
    this.#edgeTarget = new Int32Array(slots);
    this.#nextEdge = new Int32Array(slots);
    for (const symbol of symbols) this.#extend(symbol);
  }

  /** Length of the longest run inside one of the stretches of `other` that occurs in this sequence too. */
  longestRunIn(other: Int32Array, stretches: readonly Stretch[]): number {
    let longest = 0;
    for (const { from, to } of stretches) {
      let state = 0;
      let length = 0;
      for (let i = from; i < to; i++) {
        const symbol = other[i] ?? -1;
        let slot = this.#find(state, symbol);
        while (slot < 0 && state > 0) {
          state = at(this.#link, state);
          length = at(this.#length, state);
          slot = this.#find(state, symbol);
        }
        if (slot < 0) continue;
        state = at(this.#edgeTarget, slot);
        length++;
        if (length > longest) longest = length;
      }
    }
    return longest;
  }

  #extend(symbol: number): void {
    const state = this.#states++;
    this.#length[state] = at(this.#length, this.#last) + 1;
    let p = this.#last;
    let slot = this.#find(p, symbol);
    while (p >= 0 && slot < 0) {
      this.#setEdge(p, symbol, state);
      p = at(this.#link, p);
      if (p >= 0) slot = this.#find(p, symbol);
    }
    this.#last = state;
    if (p < 0) {
      this.#link[state] = 0;
      return;
    }
    const q = at(this.#edgeTarget, slot);
    if (at(this.#length, p) + 1 === at(this.#length, q)) {
      this.#link[state] = q;
      return;
    }
    const clone = this.#cloneOf(q, at(this.#length, p) + 1);
    while (p >= 0 && slot >= 0 && at(this.#edgeTarget, slot) === q) {
      this.#edgeTarget[slot] = clone;
      p = at(this.#link, p);
      if (p >= 0) slot = this.#find(p, symbol);
    }
    this.#link[q] = clone;
    this.#link[state] = clone;
  }

  #cloneOf(q: number, length: number): number {
    const clone = this.#states++;
    this.#length[clone] = length;
    this.#link[clone] = at(this.#link, q);
    for (let edge = at(this.#firstEdge, q); edge >= 0; edge = at(this.#nextEdge, edge)) {
      this.#setEdge(clone, at(this.#edgeSymbol, edge), at(this.#edgeTarget, edge));
    }
    return clone;
  }

  /** Adds an edge that does not exist yet. */
  #setEdge(state: number, symbol: number, target: number): void {
    let slot = this.#slotOf(state, symbol);
    while (at(this.#edgeState, slot) >= 0) slot = (slot + 1) & this.#mask;
    this.#edgeState[slot] = state;
    this.#edgeSymbol[slot] = symbol;
    this.#edgeTarget[slot] = target;
    this.#nextEdge[slot] = at(this.#firstEdge, state);
    this.#firstEdge[state] = slot;
  }

  /** Slot of the edge, or -1. */
  #find(state: number, symbol: number): number {
    let slot = this.#slotOf(state, symbol);
    for (;;) {
      const owner = at(this.#edgeState, slot);
      if (owner < 0) return -1;
      if (owner === state && at(this.#edgeSymbol, slot) === symbol) return slot;
      slot = (slot + 1) & this.#mask;
    }
  }

  #slotOf(state: number, symbol: number): number {
    let hash = Math.imul(state, 0x9e3779b1) ^ Math.imul(symbol + 1, 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
    return (hash ^ (hash >>> 13)) & this.#mask;
  }
}

/** Element of a typed array at an index that the caller keeps inside its bounds. */
function at(values: Int32Array, index: number): number {
  return values[index] ?? 0;
}
