import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

/** A device on which every write fails for want of space. */
const FULL = '/dev/full';
const CLI = fileURLToPath(new URL('./cli.ts', import.meta.url));

/** Runs the command line with one of its outputs on a full disk; gives the exit code and what the other one said. */
async function run(args: readonly string[], full: 'stdout' | 'stderr'): Promise<{ code: number | null; text: string }> {
  const device = openSync(FULL, 'w');
  const script = `const { main } = await import(${JSON.stringify(CLI)}); await main(${JSON.stringify(args)});`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', script], {
    stdio: ['ignore', full === 'stdout' ? device : 'pipe', full === 'stderr' ? device : 'pipe'],
    timeout: 30_000,
    killSignal: 'SIGKILL',
  });
  closeSync(device);
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.setEncoding('utf8').on('data', (part: string) => (text += part));
  const code = await new Promise<number | null>((resolve, reject) => child.on('close', resolve).on('error', reject));
  return { code, text };
}

describe.skipIf(!existsSync(FULL))('main() on a full disk', () => {
  it('says in one line that standard output cannot be written, and fails', async () => {
    expect(await run(['analyze'], 'stdout')).toEqual({
      code: 1,
      text: 'hivemark: cannot write to standard output (ENOSPC)\n',
    });
  }, 30_000);

  it('comes to the same end where standard error cannot be written', async () => {
    expect((await run(['analyze'], 'stderr')).code).toBe(0);
    expect((await run(['analyze', 'nonsense', '.'], 'stderr')).code).toBe(2);
    expect((await run(['analyze', 'cycling', '/nowhere-at-all'], 'stderr')).code).toBe(1);
  }, 60_000);
});
