import { describe, expect, it } from 'vitest';
import { findRenamed } from './renames.ts';
import { sourceLines } from './source-lines.ts';

const CODE = `def relax(points, step):
    total = 0.0
    for point in points:
        moved = point.x - step * slope_at(point)
        total = total + abs(moved - point.x)
        point.x = moved
    return total / len(points)
`;

/** Lines of `after` that are lines of `before` under other names, where they are not in it as they stand. */
function renamed(after: string, before: string): readonly (readonly [now: string, was: string])[] {
  const source = sourceLines(before, 'python');
  const known = new Set(source.map(({ key }) => key));
  return [...findRenamed(sourceLines(after, 'python'), source, ({ key }) => !known.has(key))];
}

describe('findRenamed()', () => {
  it('pairs every line that holds the new name with the line it was', () => {
    expect(renamed(CODE.replaceAll('moved', 'shifted'), CODE)).toEqual([
      ['shifted = point . x - step * slope_at ( point )', 'moved = point . x - step * slope_at ( point )'],
      ['total = total + abs ( shifted - point . x )', 'total = total + abs ( moved - point . x )'],
      ['point . x = shifted', 'point . x = moved'],
    ]);
  });

  it('finds them where the lines were moved to, among others', () => {
    const after = `import math\n\nclass Other:\n    limit = compute_limit(3)\n${CODE.replaceAll('point', 'node')}`;
    expect(renamed(after, CODE)).toHaveLength(6);
  });

  it('asks that a name stands for one name throughout, in both directions', () => {
    const before = 'a_v = first(b_v, 10, 20)\nb_v = second(a_v, 30, 40)\nc_v = third(a_v, b_v, 50)\n';
    expect(renamed(before.replaceAll('a_v', 'z_v'), before)).toHaveLength(3);
    // One name becomes two, two become one.
    expect(renamed(before.replace('a_v', 'z_v'), before)).toEqual([]);
    expect(renamed(before.replaceAll('a_v', 'b_v'), before)).toEqual([]);
  });

  it('finds nothing in two lines, and nothing where as many names change as agree', () => {
    const [two] = [CODE.split('\n').slice(3, 5).join('\n')];
    expect(renamed(two.replaceAll('moved', 'shifted'), two)).toEqual([]);
    const short = 'a = b + c\nd = e + f\ng = h + i\n';
    const other = 'k = l + m\nn = o + p\nq = r + s\n';
    expect(renamed(short, other)).toEqual([]);
  });

  it('weighs what agrees against what was changed: each name costs as much as half a short line gives', () => {
    const before = 'first_v = run(zero_v, 1)\nsecond_v = run(first_v, 2)\nthird_v = run(second_v, 3)\n';
    expect(renamed(before.replace('zero_v', 'x_v'), before)).toHaveLength(1);
    expect(renamed(before.replace('zero_v', 'x_v').replace('third_v', 'y_v'), before)).toEqual([]);
  });

  it('leaves other numbers, texts and operators alone', () => {
    const changed = CODE.replaceAll('moved', 'shifted').replace('0.0', '1.0').replaceAll(' - ', ' + ');
    expect(renamed(changed, CODE)).toEqual([]);
  });

  it('takes what is everywhere for no evidence of one place, and long inputs in no time', () => {
    const many = Array.from({ length: 4000 }, (_, n) => `value_${n} = convert(value_${n + 1}, scale)`).join('\n');
    const started = process.cpuUsage();
    expect(renamed(many.replaceAll('value', 'other'), many)).toEqual([]);
    expect(process.cpuUsage(started).user / 1e3).toBeLessThan(2000);
  });
});
