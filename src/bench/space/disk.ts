import { closeSync, fsyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';

/** How often per second this disk makes an appended page of 4 KiB durable, one after the other, measured for `ms`. */
export function measureFsyncs(folder: string, ms: number): number {
  const file = join(folder, 'fsync-probe');
  const fd = openSync(file, 'w');
  try {
    const page = Buffer.alloc(4096, 1);
    const from = performance.now();
    let count = 0;
    do {
      writeSync(fd, page);
      fsyncSync(fd);
      count += 1;
    } while (performance.now() - from < ms);
    return (count * 1000) / (performance.now() - from);
  } finally {
    closeSync(fd);
    rmSync(file, { force: true });
  }
}
