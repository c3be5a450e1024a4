import type { Participant, SubmitProgress } from './participant.ts';
import { submitShape, wellFormed } from './participant-shapes.ts';
import type { RequestContext } from './protocol-handlers.ts';
import { defineTool, type Tool } from './tool.ts';

/** Characters of the reason that is kept with the adoption evidence. */
const MAX_REASON_CHARS = 2000;

/** The tool that hands a program in. */
export const SUBMIT_TOOL: Tool<Participant> = defineTool({
  name: 'submit',
  title: 'Submit your program for evaluation',
  description:
    "Hands in your program as it is now for this round's evaluation and waits for the result; one submission at a time. Give a progress token to hear how far it is; cancel the request to withdraw it, until it is run on the hidden cases.",
  input: {
    reason: wellFormed
      .max(MAX_REASON_CHARS)
      .exactOptional()
      .describe('What you changed and why, and from whom you took it; kept with the record.'),
  },
  output: submitShape,
  hints: { readOnly: false },
  async run(participant: Participant, { reason }, context) {
    const onProgress = progressOf(context);
    const answer = await participant.submit({
      signal: context.signal,
      ...(reason === undefined ? {} : { reason }),
      ...(onProgress === undefined ? {} : { onProgress }),
    });
    return answer.ok ? { ok: true, value: answer } : answer;
  },
});

/**
 * Tells the client of every step, if it gave a token. Progress must grow with every notification: being queued comes before all of them.
 *
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/utilities/progress
 */
function progressOf(context: RequestContext): ((progress: SubmitProgress) => void) | undefined {
  const progressToken = context._meta?.progressToken;
  if (progressToken === undefined) return undefined;
  let told = -1;
  return (at) => {
    const progress = at.step === 'queued' ? 0 : at.done + 1;
    if (!(progress > told)) return;
    told = progress;
    context
      .sendNotification({
        method: 'notifications/progress',
        params: { progressToken, progress, ...(at.total > 0 ? { total: at.total + 1 } : {}), message: at.step },
      })
      // A client that is gone hears no progress; its call ends by its signal.
      .catch(() => undefined);
  };
}
