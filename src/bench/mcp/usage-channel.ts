/** What a process of the benchmark has used so far. */
export interface Usage {
  /** Of all threads, milliseconds. */
  readonly cpuMs: number;
  /** In use after everything that can be collected was; only where the collector is within reach (`--expose-gc`), else 0. */
  readonly heapBytes: number;
}

/** What its parent asks: `cpu` alone, or `heap` too, which takes a while. */
export type UsageQuestion = 'cpu' | 'heap';

/**
 * Answers the parent's questions over the channel that it was started with, and ends the process when the parent is gone. Without a channel
 * it does nothing: no server that people start has this door.
 */
export function answerUsage(): void {
  if (process.send === undefined) return;
  process.on('message', (question) => {
    void usage(question === 'heap').then((answer) => process.send?.(answer));
  });
  process.once('disconnect', () => process.exit());
  process.channel?.unref();
}

async function usage(withHeap: boolean): Promise<Usage> {
  const { user, system } = process.cpuUsage();
  return { cpuMs: (user + system) / 1000, heapBytes: withHeap ? await heapBytes() : 0 };
}

/** What finalizers and closed sockets let go of takes a turn of the event loop. */
async function heapBytes(): Promise<number> {
  if (globalThis.gc === undefined) return 0;
  for (let round = 0; round < 4; round += 1) {
    globalThis.gc();
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  globalThis.gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
