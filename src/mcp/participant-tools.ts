import type { Participant } from './participant.ts';
import { FILE_TOOLS } from './participant-file-tools.ts';
import { MARK_TOOLS } from './participant-mark-tools.ts';
import { READ_TOOLS } from './participant-read-tools.ts';
import { SUBMIT_TOOL } from './participant-submit-tool.ts';
import type { Tool } from './tool.ts';

/** What an outside agent may call, in the order in which it is listed. */
export const PARTICIPANT_TOOLS: readonly Tool<Participant>[] = [
  ...FILE_TOOLS,
  ...READ_TOOLS,
  SUBMIT_TOOL,
  ...MARK_TOOLS,
];
