import { z } from 'zod';

/** Shapes of what participants' tools give, as output schemas; the values are those of `participant.ts`, checked by the compiler. */

const count = z.int().min(0);

export const fileShape = z.object({
  path: z.string(),
  bytes: count,
  sha256: z.string(),
  kind: z.enum(['own', 'evaluation', 'strategy']),
  editable: z.boolean(),
  peer: z.object({ agent: z.string(), generation: count }).exactOptional(),
});

/** What every command that edits gives. */
export const editShape = { text: z.string(), wrote: z.array(fileShape) };

/** Text of one file, and where it stands. */
export const textShape = {
  path: z.string(),
  text: z.string().describe('The text of the file; its first characters when it was clipped.'),
  sha256: z.string(),
  bytes: count,
  clipped: z.boolean(),
  files: z.array(z.string()).describe('Paths of the files beside it, itself included.'),
};

export const submitShape = {
  ok: z.literal(true),
  generation: count,
  status: z.enum(['accepted', 'rejected', 'failed', 'copy']),
  score: z.number().nullable(),
  best: z.number().nullable(),
  published: z.boolean(),
  reason: z.string().exactOptional(),
  evaluation: z.string(),
  adopted: z.array(z.object({ peer: z.string(), peerGeneration: count, reuse: z.number() })),
};

export const standingShape = {
  agent: z.string(),
  run: z
    .object({
      id: z.string(),
      experiment: z.string(),
      task: z.string(),
      round: count,
      generations: count,
      phase: z.enum(['starting', 'open', 'evaluating', 'waiting', 'over', 'stopped']),
      closesAt: z.number().nullable().describe('Epoch milliseconds; null: never.'),
      waitingFor: z.array(z.string()),
    })
    .nullable(),
  best: z.object({ generation: count, score: z.number().nullable() }).nullable(),
  published: z.object({ generation: count }).nullable(),
  peers: z.array(
    z.object({ agent: z.string(), generation: count, score: z.number(), model: z.string().exactOptional() }),
  ),
  budget: z.object({
    roundsLeft: z.number().nullable(),
    toolCallsLeft: z.number().nullable(),
    wallMinutesLeft: z.number().nullable(),
  }),
  toolCalls: count,
  denials: count,
  readsObserved: z.boolean(),
};

/** Argument that is the text of a file or a command: an unpaired surrogate has no bytes to store. */
export const wellFormed = z.string().refine((text) => text.isWellFormed(), 'contains an unpaired surrogate');
