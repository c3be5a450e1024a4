import type { Json, RunProgram, SandboxJob, Verdict } from '../sandbox/sandbox.ts';

/** A `RunProgram` for tests: calls `forward` in this process, on copies, and turns a throw into an `error` verdict. */
export function runInProcess(forward: (input: Json, caseIndex: number) => Json | Promise<Json>): {
  readonly run: RunProgram;
  /** The jobs seen so far. */
  readonly jobs: readonly SandboxJob[];
} {
  const jobs: SandboxJob[] = [];
  let index = 0;
  const run: RunProgram = async (job) => {
    jobs.push(job);
    const verdicts: Verdict[] = [];
    for (const one of job.cases) {
      const caseIndex = index++;
      try {
        let output: Json | undefined;
        for (let step = 0; ; step++) {
          const input = one.next(step, output);
          if (input === undefined) break;
          output = structuredClone(await forward(structuredClone(input), caseIndex));
        }
        verdicts.push({ status: 'value', value: output ?? null, wallMs: 2, logs: [] });
      } catch (error) {
        const message = error instanceof Error ? error.message : 'threw';
        verdicts.push({ status: 'error', error: { code: 'program', message }, wallMs: 2, logs: ['a log line'] });
      }
      if (verdicts.length === job.checkpoint?.after && !job.checkpoint.proceed(verdicts)) break;
    }
    return verdicts;
  };
  return { run, jobs };
}
