import { hash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { z } from 'zod';
import type { BenchProcess } from './bench-process.ts';
import { PROGRAM, programOf } from './program.ts';
import type { SdkClient } from './sdk-clients.ts';
import { type Spread, spreadOf } from './spread.ts';

/** A folder that `hivemark join` keeps in step: from a save in it to the text in the space, as another client of the agent sees it. */
export interface JoinReport {
  readonly saves: number;
  readonly shownMs: Spread;
}

/** Between two looks, and between two saves: no more than a person makes. */
const LOOK_MS = 4;
const PAUSE_MS = 100;
const LOST_MS = 10_000;

/** @param client of the same agent @param mirror the process of `hivemark join` */
export async function measureJoin(
  dir: string,
  saves: number,
  client: SdkClient,
  mirror: Pick<BenchProcess, 'said'>,
): Promise<JoinReport> {
  await mirror.said(/edit, then run/u);
  const times: number[] = [];
  for (let step = 1; step <= saves; step += 1) {
    const text = programOf(step);
    const from = performance.now();
    await writeFile(join(dir, PROGRAM), text);
    await shown(client, hash('sha256', text));
    times.push(performance.now() - from);
    await sleep(PAUSE_MS);
  }
  return { saves, shownMs: spreadOf(times) };
}

const FILES = z.object({ files: z.array(z.object({ path: z.string(), sha256: z.string() })) });

/** Resolves when the space has the program with this hash. */
async function shown(client: SdkClient, sha256: string): Promise<void> {
  for (const until = performance.now() + LOST_MS; ; ) {
    const { structuredContent } = await client.call('list_files', {});
    const { files } = FILES.parse(structuredContent);
    if (files.some((file) => file.path === PROGRAM && file.sha256 === sha256)) return;
    if (performance.now() > until)
      throw new Error(`a save in a joined folder was not in the space after ${LOST_MS} ms`);
    await sleep(LOOK_MS);
  }
}
