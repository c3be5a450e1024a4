import type { Json } from '../../space/marks.ts';
import type { Conversation } from './conversation.ts';

/** One reply of a scripted participant; without calls it ends the chat. */
export interface Turn {
  readonly text: string;
  readonly calls: readonly {
    readonly name: string;
    readonly arguments: Json;
    /** Raw text instead of arguments, as a model that writes broken JSON would send it. */
    readonly malformed?: string;
  }[];
}

/** Works out the next reply from the conversation so far, and from nothing else. */
export type Behaviour = (conversation: Conversation) => Turn;
