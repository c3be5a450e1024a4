import type { LoadedGeneration, LoadedRun } from '../trace/loaded-run.ts';
import { changesOfEdit, classOf, isCounted, normaliseLine, skeletonOf } from './cycling-lines.ts';
import { type CycleEdit, type CycleEvent, type CyclingMeasure, measureCycling } from './cycling-measure.ts';
import { changedLines, splitLines } from './diff.ts';
import type { Table } from './table.ts';

export interface RunCycling {
  readonly id: string;
  readonly compat: CyclingMeasure;
  readonly strict: CyclingMeasure;
}

/** First removal of a skeleton in its newest iteration so far, and the same of the iteration before that one. */
interface Removal {
  readonly iteration: number;
  readonly line: string;
  readonly before: Removal | undefined;
}

interface Parented {
  readonly child: LoadedGeneration;
  readonly parent: LoadedGeneration;
}

/** Both measures of one run; see `compatCycling` and `strictCycling`. */
export function cycling(run: LoadedRun): RunCycling {
  return { id: run.id, compat: compatCycling(run), strict: strictCycling(run) };
}

/**
 * The share of added lines that bring back a removed line, number for number as the reference (EvoTrace) computes it: one
 * history of removed lines for the whole run, whoever's descendants they are; lines normalised and collapsed to skeletons; an
 * event where a skeleton had been removed in a strictly earlier iteration, its latest removal deciding the class; at most one
 * event per skeleton and child. A line that one branch of the population dropped counts as "brought back" in a branch that
 * never lost it, `//` is taken for a comment in every language, and a moved line is removed and added: `strict` is free of that.
 *
 * @see analysis.md, "Cycling, compat definition"
 */
export function compatCycling(run: LoadedRun): CyclingMeasure {
  const history = new Map<string, Removal>();
  const edits = editsOf(run).map(({ child, parent }): CycleEdit => {
    const changes = changesOfEdit(splitLines(parent.code ?? ''), splitLines(child.code ?? ''));
    const [removed, added] = [changes.removed, changes.added].map((lines) =>
      lines.map(normaliseLine).filter(isCounted),
    );
    const iteration = child.generation;
    for (const line of removed ?? []) {
      const skeleton = skeletonOf(line);
      const last = history.get(skeleton);
      if (last?.iteration !== iteration)
        history.set(skeleton, { iteration, line, before: last && { ...last, before: undefined } });
    }
    const events: CycleEvent[] = [];
    const seen = new Set<string>();
    for (const line of added ?? []) {
      const skeleton = skeletonOf(line);
      if (seen.has(skeleton)) continue;
      const last = history.get(skeleton);
      const latest = last?.iteration === iteration ? last.before : last;
      if (!latest) continue;
      seen.add(skeleton);
      events.push({ kind: classOf(line, latest.line), span: iteration - latest.iteration });
    }
    return { iteration, added: added?.length ?? 0, events };
  });
  return measureCycling(edits);
}

/**
 * The share of added lines that really bring something back: byte-identical to a line that an ancestor of the child had (along
 * selected parents), that its parent does not have, and that was lost in between. Migrants and copies are no edits; moved lines,
 * lines that a stranger's branch lost and lines equal only up to numbers do not count, so every event is `literal`. Lines count
 * as often as they are added; which lines are counted at all (not trivial ones) is as in `compat`.
 */
export function strictCycling(run: LoadedRun): CyclingMeasure {
  const parented = editsOf(run);
  const parentOf = new Map(parented.map(({ child, parent }) => [child.id, parent]));
  const lineSets = new Map<string, ReadonlySet<string>>();
  const linesOf = (program: LoadedGeneration): ReadonlySet<string> => {
    const known = lineSets.get(program.id);
    if (known) return known;
    const lines = new Set(splitLines(program.code ?? ''));
    lineSets.set(program.id, lines);
    return lines;
  };
  const edits = parented
    .filter(({ child }) => child.copy !== true)
    .map(({ child, parent }): CycleEdit => {
      const { added } = changedLines(splitLines(parent.code ?? ''), splitLines(child.code ?? ''));
      const counted = added.filter((line) => isCounted(normaliseLine(line)));
      const open = new Map<string, number>();
      for (const line of counted) if (!linesOf(parent).has(line)) open.set(line, (open.get(line) ?? 0) + 1);
      const events: CycleEvent[] = [];
      const walked = new Set([child.id, parent.id]);
      let younger = parent;
      for (let older = parentOf.get(parent.id); older && open.size > 0 && !walked.has(older.id); ) {
        walked.add(older.id);
        for (const [line, times] of open) {
          if (!linesOf(older).has(line)) continue;
          const span = child.generation - younger.generation;
          for (let n = 0; n < times; n++) events.push({ kind: 'literal', span });
          open.delete(line);
        }
        younger = older;
        older = parentOf.get(older.id);
      }
      return { iteration: child.generation, added: counted.length, events };
    });
  return measureCycling(edits);
}

export function cyclingTable(runs: readonly RunCycling[]): Table {
  const rows = runs.flatMap(({ id, compat, strict }) =>
    (
      [
        ['compat', compat],
        ['strict', strict],
      ] as const
    ).map(([rule, m]) => [
      id,
      rule,
      m.edits,
      m.addedLines,
      m.events,
      m.share.any,
      m.share.literal,
      m.share.tuning,
      m.share.trivial,
      m.medianPerEdit.any,
      m.span?.median ?? null,
      m.span?.max ?? null,
      m.slope.any,
    ]),
  );
  return {
    columns: [
      'run',
      'rule',
      'edits',
      'added lines',
      'events',
      'share',
      'literal',
      'tuning',
      'trivial',
      'median per edit',
      'median span',
      'longest span',
      'slope per iteration',
    ],
    rows,
    notes: [
      'Share of added lines that bring back a removed line. compat: as EvoTrace counts, against every removal earlier in the run, equal up to numbers. strict: byte-identical, lost and regained on one line of descent.',
      'Shares are of counted added lines: blank, trivial, numeric-only and very short lines are in neither number.',
    ],
  };
}

/** Programs with code whose selected parent is in the run with code, by ascending generation, ties in the order of the source. */
function editsOf(run: LoadedRun): readonly Parented[] {
  const programs = run.agents.flatMap((agent) => agent.generations).filter(({ code }) => code !== undefined);
  const byId = new Map(programs.map((program) => [program.id, program]));
  return programs
    .flatMap((child): Parented[] => {
      const [selected] = child.parents;
      const parent = selected === undefined ? undefined : byId.get(selected);
      return parent ? [{ child, parent }] : [];
    })
    .sort((a, b) => a.child.generation - b.child.generation);
}
