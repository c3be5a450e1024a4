import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadTraces } from '../trace/importers/load-traces.ts';
import type { LoadedAgent, LoadedGeneration, LoadedRun } from '../trace/loaded-run.ts';

/** Published archives with known answers; not part of the repository. */
export const SHARED = fileURLToPath(new URL('../../../shared/data/', import.meta.url));
export const HAS_ARCHIVES = existsSync(join(SHARED, 'hyperspace-4runs.tar.xz'));

/** The runs of one published archive, through the importers. */
export async function archivedRuns(name: 'hyperspace-4runs' | 'evolve-traces'): Promise<readonly LoadedRun[]> {
  const folder = mkdtempSync(join(tmpdir(), 'hivemark-archive-'));
  try {
    execFileSync('tar', ['-xJf', join(SHARED, `${name}.tar.xz`), '-C', folder]);
    return (await loadTraces([folder])).runs;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** A program; its parent is the generation before unless the test says otherwise. */
export function program(
  agent: string,
  generation: number,
  fields: Partial<LoadedGeneration> & { readonly score?: number } = {},
): LoadedGeneration {
  const { score, ...rest } = fields;
  return {
    id: `${agent}/${generation}`,
    generation,
    parents: generation === 0 ? [] : [`${agent}/${generation - 1}`],
    language: 'python',
    valid: true,
    scores: score === undefined ? {} : { validation: score },
    ...rest,
  };
}

/** An agent whose generations 0, 1, ... scored this; `null`: no score. */
export function scoring(name: string, scores: readonly (number | null)[]): LoadedAgent {
  return {
    name,
    generations: scores.map((score, generation) =>
      program(name, generation, {
        code: `${name} ${generation}`,
        valid: score !== null,
        ...(score !== null && { score }),
      }),
    ),
  };
}

export function runOf(agents: readonly LoadedAgent[], fields: Partial<LoadedRun> = {}): LoadedRun {
  const names = agents.map(({ name }) => name);
  return { id: 'run', format: 'hyperspace', folder: '/none', pairing: names.join('_vs_'), agents, ...fields };
}
