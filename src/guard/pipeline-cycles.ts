/**
 * The groups of nodes in which each reaches every other along `leadsTo`, those of one node that does not lead to itself left out.
 * Members and groups in the order of `nodes`. Recursion is kept on the heap: a long chain overflows no stack.
 *
 * @see R. Tarjan, "Depth-first search and linear graph algorithms" (1972)
 */
export function cyclesIn<Node>(
  nodes: readonly Node[],
  leadsTo: (from: Node, to: Node) => boolean,
): readonly (readonly Node[])[] {
  const next = nodes.map((from) => nodes.flatMap((to, at) => (leadsTo(from, to) ? [at] : [])));
  const order = new Map<number, number>();
  const lowest = new Map<number, number>();
  const open = new Set<number>();
  const entered: number[] = [];
  const groups: number[][] = [];

  const lower = (node: number, to: number): void => {
    lowest.set(node, Math.min(lowest.get(node) ?? Infinity, to));
  };
  const enter = (node: number): Frame => {
    lowest.set(node, order.size);
    order.set(node, order.size);
    open.add(node);
    entered.push(node);
    return { node, edge: 0 };
  };
  const leave = (node: number): void => {
    if (lowest.get(node) !== order.get(node)) return;
    const members = entered.splice(entered.lastIndexOf(node));
    for (const member of members) open.delete(member);
    if (members.length > 1 || next[node]?.includes(node) === true) groups.push(members.sort((a, b) => a - b));
  };

  for (const start of nodes.keys()) {
    if (order.has(start)) continue;
    const path = [enter(start)];
    for (let frame = path.at(-1); frame !== undefined; frame = path.at(-1)) {
      const target = next[frame.node]?.[frame.edge];
      frame.edge += 1;
      if (target === undefined) {
        path.pop();
        leave(frame.node);
        const above = path.at(-1);
        if (above !== undefined) lower(above.node, lowest.get(frame.node) ?? Infinity);
      } else if (!order.has(target)) path.push(enter(target));
      else if (open.has(target)) lower(frame.node, order.get(target) ?? Infinity);
    }
  }
  return groups
    .sort((a, b) => (a[0] ?? 0) - (b[0] ?? 0))
    .map((members) => members.flatMap((at) => nodes.slice(at, at + 1)));
}

interface Frame {
  readonly node: number;
  edge: number;
}
