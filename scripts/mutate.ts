// node scripts/mutate.ts [part of a file name or of the broken text]: breaks a copy of the source one way at a time, and says which breaks no test notices.
import { spawn } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Mutation, MUTATIONS } from './mutations.ts';

const ROOT = join(import.meta.dirname, '..');
/** A test that hangs has noticed. */
const TIMEOUT_MS = 180_000;
/** What the tests of a mutation need of the repository. */
const COPIED = ['src', 'test', 'experiments', 'package.json', 'tsconfig.json', 'vitest.config.ts'];

/** Runs test files in `folder`; whether all passed. */
function pass(folder: string, tests: readonly string[]): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const vitest = join(ROOT, 'node_modules', 'vitest', 'vitest.mjs');
    // A group of its own: a test that hangs is stopped with all that it started.
    const child = spawn(process.execPath, [vitest, 'run', '--bail=1', ...tests], {
      cwd: folder,
      stdio: 'ignore',
      detached: true,
    });
    const stop = (): void => {
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It has ended.
      }
    };
    const timer = setTimeout(stop, TIMEOUT_MS);
    process.once('exit', stop);
    child.once('error', reject);
    child.once('exit', (code) => {
      clearTimeout(timer);
      process.removeListener('exit', stop);
      stop();
      resolve(code === 0);
    });
  });
}

/** The source with the mutation in it. @throws {Error} when there is not exactly one place for it */
function broken(source: string, { file, find, replace }: Mutation): string {
  const pieces = source.split(find);
  if (pieces.length !== 2) throw new Error(`${file} has ${pieces.length - 1} places for: ${find}`);
  return pieces.join(replace);
}

async function main(only: string): Promise<void> {
  const chosen = MUTATIONS.filter(({ file, find }) => `${file}: ${find}`.includes(only));
  const folder = mkdtempSync(join(tmpdir(), 'mutate-'));
  const survivors: Mutation[] = [];
  let equivalent = 0;
  try {
    for (const name of COPIED) cpSync(join(ROOT, name), join(folder, name), { recursive: true });
    symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'), 'junction');
    // All must apply before any is tried, and the tests must pass on what is not broken.
    for (const mutation of chosen) broken(readFileSync(join(folder, mutation.file), 'utf8'), mutation);
    const tests = [...new Set(chosen.flatMap((mutation) => mutation.tests))];
    if (!(await pass(folder, tests))) throw new Error(`the tests do not pass as it is: ${tests.join(' ')}`);
    for (const mutation of chosen) {
      const path = join(folder, mutation.file);
      const source = readFileSync(path, 'utf8');
      writeFileSync(path, broken(source, mutation));
      const survived = await pass(folder, mutation.tests);
      writeFileSync(path, source);
      const isMissed = survived && mutation.equivalent === undefined;
      if (isMissed) survivors.push(mutation);
      if (survived && !isMissed) equivalent += 1;
      const came = isMissed ? 'SURVIVED' : survived ? 'the same' : 'killed  ';
      process.stdout.write(`${came} ${mutation.file}: ${firstLine(mutation.find)}\n`);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  process.stdout.write(
    `${chosen.length - survivors.length - equivalent} of ${chosen.length} killed, ${equivalent} the same as not broken\n`,
  );
  process.exitCode = survivors.length === 0 ? 0 : 1;
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? '';
}

await main(process.argv[2] ?? '');
