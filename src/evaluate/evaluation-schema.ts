import { z } from 'zod';
import type { Json } from '../sandbox/sandbox.ts';
import type { Evaluation } from './task.ts';

const json: z.ZodType<Json> = z.json();
const failure = z.object({ code: z.string(), message: z.string() });

const schema: z.ZodType<Evaluation> = z.object({
  split: z.enum(['train', 'validation', 'test']),
  valid: z.boolean(),
  score: z.number(),
  metrics: z.record(z.string(), z.number()),
  feedback: z.string(),
  stagePassed: z.boolean(),
  better: z.enum(['lower', 'higher']).exactOptional(),
  wallMs: z.number(),
  cases: z.array(
    z.object({
      index: z.int().nonnegative(),
      status: z.enum(['value', 'error', 'timeout', 'memory', 'crash', 'bad-result', 'output-limit', 'not-run']),
      valid: z.boolean(),
      value: z.number(),
      feedback: z.string(),
      wallMs: z.number(),
      input: json,
      output: json.exactOptional(),
      logs: z.array(z.string()),
      error: failure.exactOptional(),
    }),
  ),
});

/** Reads a stored evaluation back. @throws SyntaxError for text that is not JSON, z.ZodError for JSON that is no evaluation */
export function parseEvaluation(text: string): Evaluation {
  return schema.parse(JSON.parse(text));
}
