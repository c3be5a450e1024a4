import type { Json } from './sandbox.ts';

/**
 * Parses the JSON text of a program's value, once, and refuses what the isolate should never have let through: own keys
 * `__proto__` and `constructor`, nesting beyond `maxDepth`, numbers that are not finite. `undefined` when refused.
 */
export function parseForeignJson(text: string, maxDepth: number): Json | undefined {
  let value: Json;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value === 'number') return Number.isFinite(value) ? value : undefined;
  if (typeof value !== 'object' || value === null) return value;
  const stack: { readonly node: object; readonly depth: number }[] = [{ node: value, depth: 1 }];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const { node, depth } = top;
    if (depth > maxDepth) return undefined;
    if (!Array.isArray(node) && (Object.hasOwn(node, '__proto__') || Object.hasOwn(node, 'constructor')))
      return undefined;
    for (const inner of Object.values(node)) {
      if (typeof inner === 'number' && !Number.isFinite(inner)) return undefined;
      if (typeof inner === 'object' && inner !== null) stack.push({ node: inner, depth: depth + 1 });
    }
  }
  return value;
}
