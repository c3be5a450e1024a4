import { requestSha256 } from './canonical.ts';
import { ModelError } from './model.ts';
import type { Model, ModelReply, ModelRequest, Recording } from './model.ts';

/** One call of a recording: what was asked (by hash) and what came of it. */
export type RecordedCall =
  | { readonly requestSha256: string; readonly reply: ModelReply }
  | { readonly requestSha256: string; readonly error: ModelError };

export interface ReplayOptions {
  /** In the order they were made. */
  readonly calls: readonly RecordedCall[];
  /** The recorded model's name: what marks name. */
  readonly identity: string;
  readonly scripted: boolean;
  /** `replay/<file>`; @default the identity (a resumed run goes on under its own model's name) */
  readonly name?: string;
  /** What to do when the recording is at its end: fail, or go on with a live model. @default 'error' */
  readonly onMiss?: 'error' | Model;
  /** What the recorded run was made with, as far as it is known. */
  readonly recordedWith?: Pick<Recording, 'seed' | 'task'>;
}

/** A replay, and how far it got. */
export interface ReplayModel extends Model {
  /** Recorded calls not yet asked for. */
  readonly remaining: number;
  readonly recording: Recording;
}

/**
 * Answers with recorded replies, in order, after checking that each request is the one that was recorded: a replay
 * either repeats its run or says where the two part. Recorded failures fail again. With a live model as `onMiss` it goes
 * on from the recording's end, which is how a killed run resumes.
 *
 * `complete` throws ModelError `replay-mismatch` naming the call (from 1); the recording is not consumed by a mismatch.
 */
export function createReplay(options: ReplayOptions): ReplayModel {
  const { calls, identity, scripted } = options;
  const name = options.name ?? identity;
  const onMiss = options.onMiss ?? 'error';
  let next = 0;
  return {
    name,
    identity,
    scripted,
    get remaining() {
      return Math.max(0, calls.length - next);
    },
    recording: {
      ...options.recordedWith,
      skip: (count) => {
        next += count;
      },
    },
    async complete(request: ModelRequest): Promise<ModelReply> {
      if (request.signal?.aborted) throw new ModelError('aborted', name, `${name}: the call was aborted`, 0);
      const call = calls[next];
      if (call === undefined) {
        if (onMiss !== 'error') return onMiss.complete(request);
        throw new ModelError(
          'replay-mismatch',
          name,
          `${name}: call ${next + 1} was asked for, but the recording ends after ${calls.length}. ` +
            'The run differs from the recorded one (config, seed, task or code): replay it with what it was recorded with, or record it anew.',
          0,
        );
      }
      const seen = requestSha256(request);
      if (seen !== call.requestSha256) {
        throw new ModelError(
          'replay-mismatch',
          name,
          `${name}: call ${next + 1} of ${calls.length} asks something else than the recorded one did ` +
            `(request ${seen.slice(0, 12)}, recorded ${call.requestSha256.slice(0, 12)}). ` +
            'Its messages or tools changed since: replay it with the config, seed, task and hivemark version of its run.json, or record it anew.',
          0,
        );
      }
      next += 1;
      if ('error' in call) throw call.error;
      return call.reply;
    },
  };
}
