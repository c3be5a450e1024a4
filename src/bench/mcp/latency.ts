import { rounded } from '../space/measure.ts';
import { PROGRAM, programOf, stepLine } from './program.ts';
import type { SdkClient } from './sdk-clients.ts';
import { type Spread, spreadOf } from './spread.ts';

/** One way in, one client, one call after the other: from the call to its answer. */
export interface WayReport {
  /** Of each operation. */
  readonly calls: number;
  /** The SDK's own server over the same transport, which gives back a text as long as the file. */
  readonly floorMs: Spread;
  readonly viewMs: Spread;
  readonly editMs: Spread;
  /** Of the medians, to the floor's. */
  readonly viewRatio: number;
  readonly editRatio: number;
}

/** Turns that the three operations take, so that whatever else the machine does hits all of them. */
const TURNS = 10;
const WARM_UP = 50;

/** Measures `view` and `str_replace` of one file beside the floor, in turns. */
export async function measureWay(client: SdkClient, floor: SdkClient, calls: number): Promise<WayReport> {
  let step = 0;
  await client.call('create', { path: PROGRAM, file_text: programOf(step) });
  const text = programOf(step);
  const operations = {
    floor: () => floor.call('echo', { text }),
    view: () => client.call('view', { path: PROGRAM }),
    edit: () => {
      step += 1;
      return client.call('str_replace', { path: PROGRAM, old_str: stepLine(step - 1), new_str: stepLine(step) });
    },
  };
  const times = { floor: [] as number[], view: [] as number[], edit: [] as number[] };
  for (const name of ['floor', 'view', 'edit'] as const)
    for (let n = 0; n < Math.min(WARM_UP, calls); n += 1) await operations[name]();
  for (let turn = 0; turn < TURNS; turn += 1) {
    for (const name of ['floor', 'view', 'edit'] as const) {
      for (let n = turn; n < calls; n += TURNS) {
        const from = performance.now();
        await operations[name]();
        times[name].push(performance.now() - from);
      }
    }
  }
  const [floorMs, viewMs, editMs] = [spreadOf(times.floor), spreadOf(times.view), spreadOf(times.edit)];
  const ratio = ({ median }: Spread): number => rounded(median / floorMs.median);
  return { calls, floorMs, viewMs, editMs, viewRatio: ratio(viewMs), editRatio: ratio(editMs) };
}
