import { z } from 'zod';
import type { AgentName, MarkKind, ScopeName } from '../space/marks.ts';
import { MARK_KINDS } from '../space/marks.ts';
import { isAgentName, isScopeName } from '../space/scope.ts';
import { type WatchPattern, watchPatternSchema } from '../space/watch.ts';

/** What an agent says it writes: marks of one kind in a scope or below it. */
export interface ManifestOutput {
  readonly kind: MarkKind;
  readonly scope: ScopeName;
  /** Of observations and warnings. @default any topic */
  readonly topic?: string;
}

/** What an agent says of itself, so that a pipeline can be checked before anything runs. */
export interface Manifest {
  readonly agent: AgentName;
  /** What it listens to. */
  readonly inputs: readonly WatchPattern[];
  readonly outputs: readonly ManifestOutput[];
  /** It runs no more often than this, in milliseconds. @default as soon as something comes */
  readonly everyMs?: number;
}

/** A value that is not a manifest, or not a list of them; `field` says where, dotted. */
export class InvalidManifestError extends Error {
  override readonly name = 'InvalidManifestError';
  readonly code = 'invalid-manifest';
  readonly field: string;
  constructor(agent: string | undefined, field: string, problem: string) {
    super(
      `the manifest${agent === undefined ? '' : ` of ${agent}`} is not one: ${field === '' ? 'it' : field} ${problem}`,
    );
    this.field = field;
  }
}

const scope = z.custom<ScopeName>(
  (value) => typeof value === 'string' && isScopeName(value),
  'is not the name of a scope',
);

const outputSchema = z
  .strictObject({ kind: z.enum(MARK_KINDS), scope, topic: z.string().min(1).max(1024).exactOptional() })
  .refine(({ kind, topic }) => topic === undefined || kind === 'observation' || kind === 'warning', {
    path: ['topic'],
    message: 'is for observations and warnings; marks of this kind have none',
  });

const manifestSchema = z.strictObject({
  agent: z.custom<AgentName>(
    (value) => typeof value === 'string' && isAgentName(value),
    'is not the name of an agent: 1 to 64 of a-z 0-9 . _ -, first a letter or digit',
  ),
  inputs: z.array(watchPatternSchema),
  outputs: z.array(outputSchema),
  everyMs: z.number().positive().exactOptional(),
});

/** Reads a manifest from a config. @throws {InvalidManifestError} that names the field, what is wrong and whose manifest it is. */
export function parseManifest(input: unknown): Manifest {
  const parsed = manifestSchema.safeParse(input);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  const at = issue?.path.join('.') ?? '';
  if (issue?.code === 'unrecognized_keys') {
    const unknown = [at, issue.keys[0] ?? ''].filter((part) => part !== '').join('.');
    throw new InvalidManifestError(nameIn(input), unknown, 'is not a field of a manifest');
  }
  throw new InvalidManifestError(nameIn(input), at, issue?.message ?? 'is malformed');
}

function nameIn(input: unknown): string | undefined {
  if (typeof input !== 'object' || input === null || !('agent' in input)) return undefined;
  return typeof input.agent === 'string' ? JSON.stringify(input.agent.slice(0, 80)) : undefined;
}
