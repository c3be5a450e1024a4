import { canonicalReply, canonicalRequest, parseReply } from '../agents/canonical.ts';
import { providerOf } from '../agents/model-spec.ts';
import type { Model, ModelReply } from '../agents/model.ts';
import { ModelError } from '../agents/model.ts';
import { sha256 } from '../trace/blob-store.ts';
import type { CallRow } from '../trace/schema.ts';
import { rowOf } from './recorder.ts';
import type { RunContext } from './run-context.ts';

/** What of a run a model's calls are recorded with. */
export interface MeteredContext extends Pick<RunContext, 'blobs' | 'meter' | 'watch' | 'models' | 'usdOf' | 'clock'> {
  readonly state: Pick<RunContext['state'], 'calls'>;
  readonly recorder: Pick<RunContext['recorder'], 'record'>;
}

/**
 * The model of one generation, on record: a reply that an earlier session of the run already got is given again without
 * asking; any other is asked for, and its call row and blobs are on disk before it is returned, so before it has effects.
 * That is what lets a killed round be done again to the same marks.
 *
 * `onReply` sees every reply with its call id, recorded ones included.
 */
export function meteredModel(
  context: MeteredContext,
  agent: string,
  generation: number,
  onReply: (callId: string, reply: ModelReply) => void,
): Model {
  const { state, blobs, meter, watch, recorder } = context;
  const live = context.models.get(agent);
  if (live === undefined) throw new Error(`no model was opened for ${agent}`);
  let n = 0;
  return {
    name: live.name,
    identity: live.identity,
    scripted: live.scripted,
    async complete(request) {
      n += 1;
      const id = `${agent}/${generation}/${n}`;
      const known = state.calls.get(id);
      if (known !== undefined && known.error === undefined) {
        const reply = parseReply(await blobs.read(known.replySha256));
        onReply(id, reply);
        return reply;
      }
      meter.check();
      const requestText = canonicalRequest(request);
      const from = watch.now();
      const row = (
        result: Pick<CallRow, 'replySha256' | 'attempts' | 'stopReason' | 'toolCalls'>,
        reply?: ModelReply,
      ): CallRow => ({
        id,
        agent,
        generation,
        provider: providerOf(live.name),
        model: live.identity,
        scripted: live.scripted,
        requestSha256: sha256(requestText),
        inputTokens: reply?.usage.inputTokens ?? 0,
        outputTokens: reply?.usage.outputTokens ?? 0,
        cachedInputTokens: reply?.usage.cachedInputTokens ?? 0,
        usd: reply === undefined ? 0 : context.usdOf(agent, reply.usage),
        ms: Math.round(watch.now() - from),
        ...result,
      });
      // While the model answers; both are on disk before the call that names them.
      const written = blobs.write(requestText);
      written.catch(() => undefined);
      try {
        const reply = await watch.time(agent, 'model', () => live.complete(request));
        const [replySha256] = await Promise.all([blobs.write(canonicalReply(reply)), written]);
        const call = row(
          { replySha256, attempts: reply.attempts, stopReason: reply.stopReason, toolCalls: reply.toolCalls.length },
          reply,
        );
        await recorder.record([rowOf('calls', id, call)]);
        meter.add({ usd: call.usd, tokens: call.inputTokens + call.outputTokens });
        onReply(id, reply);
        return reply;
      } catch (error) {
        // Nothing goes on behind a call that is over.
        const [request] = await Promise.allSettled([written]);
        if (error instanceof ModelError && error.code !== 'aborted') {
          if (request.status === 'rejected') throw request.reason;
          const failed = { replySha256: '', attempts: error.attempts, stopReason: 'error', toolCalls: 0 };
          // Its own key: the call that is made in its place when the run goes on has the plain one.
          const key = `${id}/failed-${context.clock()}`;
          await recorder.record([
            rowOf('calls', key, { ...row(failed), id: key, error: `${error.code}: ${error.message}` }),
          ]);
        }
        throw error;
      }
    },
  };
}
