import { existsSync, mkdirSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { array, assert, asyncProperty, constantFrom, record } from 'fast-check';
import { expect, test } from 'vitest';
import { filesBelow, MemoryRemote, mirrorOf } from './test-mirror-remote.ts';

const PATHS = ['a.ts', 'b.ts', 'lib/c.ts', 'evals/gen_1/report.md', 'other.txt'] as const;
const EDITABLE = ['a.ts', 'b.ts', 'lib/c.ts'];

const operation = record({
  what: constantFrom('save', 'save', 'safe-save', 'delete', 'rename', 'there', 'there', 'there-delete', 'cut', 'mend'),
  path: constantFrom(...PATHS),
  to: constantFrom(...PATHS),
  pauseMs: constantFrom(0, 0, 1, 5, 20, 60, 120),
});

/**
 * Random saves, renames and deletions in the folder, changes in the space and cuts of the wire, all at once. Whatever a person saved and did
 * not overwrite or delete themselves before it was looked at must be somewhere at the end.
 */
async function play(operations: readonly { what: string; path: string; to: string; pauseMs: number }[]): Promise<void> {
  const remote = new MemoryRemote({ 'a.ts': 'a\n', 'b.ts': 'b\n', 'evals/gen_1/report.md': 'r\n' }, EDITABLE);
  remote.latencyMs = 2;
  const { dir, mirror } = await mirrorOf(remote, {
    limits: {
      deleteAfterMs: 40,
      newAfterMs: 10,
      emptyAfterMs: 20,
      holdMs: 60,
      firstBackoffMs: 5,
      longestBackoffMs: 20,
    },
  });
  const written = new Set<string>();
  let n = 0;
  /** What a person replaces or deletes with their own hands was theirs to lose. */
  const lostByHand = (path: string): void => {
    const file = join(dir, path);
    if (existsSync(file)) written.delete(readFileSync(file, 'utf8'));
  };
  for (const { what, path, to, pauseMs } of operations) {
    const file = join(dir, path);
    n += 1;
    const text = `${path} version ${n}\n`;
    try {
      if (what === 'save' || what === 'safe-save') {
        lostByHand(path);
        mkdirSync(dirname(file), { recursive: true });
        if (what === 'safe-save') {
          writeFileSync(`${file}.tmp`, text);
          renameSync(`${file}.tmp`, file);
        } else if (existsSync(file)) {
          unlinkSync(file);
          writeFileSync(file, text);
        } else writeFileSync(file, text);
        written.add(text);
      } else if (what === 'delete') {
        lostByHand(path);
        unlinkSync(file);
      } else if (what === 'rename') {
        lostByHand(to);
        mkdirSync(dirname(join(dir, to)), { recursive: true });
        renameSync(file, join(dir, to));
      } else if (what === 'there') remote.write(path, `there ${text}`);
      else if (what === 'there-delete') remote.write(path, null);
      else remote.away = what === 'cut';
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
    }
    if (pauseMs > 0) await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
  remote.away = false;
  // Deletions and files that made way settle too.
  await new Promise((resolve) => setTimeout(resolve, 120));
  await mirror.settled();
  const here = filesBelow(dir);
  const shown = [...here].filter(([path]) => !path.startsWith('.hivemark/') && path !== 'HIVEMARK.md');
  const program = new Map(shown.filter(([path]) => !path.includes('.conflict-')));
  expect(Object.fromEntries(program)).toEqual(Object.fromEntries(remote.files));
  await mirror.close();
  const everywhere = [...filesBelow(dir).values(), ...remote.history].join('\u{1}');
  for (const text of written) expect(everywhere).toContain(text);
  expect(mirror.unsent()).toEqual([]);
}

const RUNS = Number(process.env['HIVEMARK_PROPERTY_RUNS'] ?? 25);

test(
  'after any changes on both sides both agree, and every version is somewhere',
  async () => {
    await assert(asyncProperty(array(operation, { minLength: 1, maxLength: 25 }), play), {
      numRuns: RUNS,
      endOnFailure: true,
    });
  },
  5_000 * RUNS,
);
