/** One repetition, per call. */
export interface Sample {
  readonly cpuMicros: number;
  readonly wallMicros: number;
}

/** CPU (all threads of this process) and wall time per call of `calls` calls. */
export async function sample(calls: number, run: () => Promise<void>): Promise<Sample> {
  const cpuFrom = process.cpuUsage();
  const wallFrom = performance.now();
  await run();
  const wallMicros = (performance.now() - wallFrom) * 1000;
  const cpu = process.cpuUsage(cpuFrom);
  return { cpuMicros: (cpu.user + cpu.system) / calls, wallMicros: wallMicros / calls };
}

export function smallest(values: readonly number[]): number {
  return Math.min(...values);
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** Three significant digits or whole numbers. */
export function rounded(value: number): number {
  return value >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}
