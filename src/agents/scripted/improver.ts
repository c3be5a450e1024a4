import type { Json } from '../../space/marks.ts';
import type { Conversation, ListedStrategy } from './conversation.ts';
import { evalsListed, scoresShown, strategiesListed, textShown, valScoreShown, wasAsked } from './conversation.ts';
import { editCalls } from './edit-calls.ts';
import type { PeerProgram, Situation } from './improve.ts';
import { decideImprovement } from './improve.ts';
import type { Persona } from './persona.ts';
import type { Behaviour, Turn } from './turn.ts';

const PROGRAM = 'task_agent.ts';
const LOOK = `find evals strategies -type f | sort; wc -l ${PROGRAM}`;
const SCORES = 'grep -r --include=validation.json score evals';

interface PlannedCall {
  readonly name: string;
  readonly arguments: { readonly [key: string]: Json };
}

/**
 * How a persona goes about a chat: look around, read its own program and scores, open each peer's newest strategy, say what
 * it will do and why, edit, check, and end. Every turn is worked out from the conversation alone; a call that was made
 * is not made again, so that a refusal is an answer and not a loop.
 */
export function improverBehaviour(persona: Persona, task: string, stream: string): Behaviour {
  return (conversation) => {
    for (const step of lookSteps(persona, conversation)) {
      const calls = step.calls.filter((call) => !wasAsked(conversation, call.name, call.arguments));
      if (calls.length > 0) return { text: step.text, calls };
    }
    const edits = conversation.uses.filter(isEdit);
    const created = edits.find((use) => use.arguments['command'] === 'create');
    if (created?.isError === true) return done('The edit was refused; nothing is changed.');
    const refused = edits.some(({ isError }) => isError);
    if (created !== undefined || (edits.length > 0 && !refused)) return afterwards(conversation);
    const own = textShown(conversation, PROGRAM);
    if (own === undefined) return done(`I could not read ${PROGRAM}, so I change nothing.`);
    const improvement = decideImprovement(persona, task, situationOf(persona, conversation, own, stream));
    if (improvement === undefined) return done('I know of nothing more to try; the program stays as it is.');
    const { text, say } = improvement;
    if (!refused) {
      const calls = editCalls(PROGRAM, own, text).map((one) => ({ name: 'editor', arguments: one }));
      return { text: say, calls };
    }
    const whole = { name: 'editor', arguments: { command: 'create', path: PROGRAM, file_text: text } };
    return { text: 'An edit was refused, so I write the file as a whole.', calls: [whole] };
  };
}

function afterwards(conversation: Conversation): Turn {
  const check = bash(`tail -n 4 ${PROGRAM}`);
  if (!wasAsked(conversation, check.name, check.arguments))
    return { text: 'A last look at what I wrote.', calls: [check] };
  return done('Done: one change, as said above.');
}

function lookSteps(
  persona: Persona,
  conversation: Conversation,
): readonly { text: string; calls: readonly PlannedCall[] }[] {
  const peers = strategiesListed(conversation);
  const scored = evalsListed(conversation).size > 0;
  const shown = textShown(conversation, PROGRAM)?.trimEnd().split('\n').length ?? 0;
  const total = Number(conversation.uses.map(({ text }) => /(\d+) task_agent\.ts/.exec(text)?.[1]).find(Boolean) ?? 0);
  const rest = shown > 0 && shown < total ? [view(PROGRAM, [shown + 1, total])] : [];
  return [
    { text: 'First I look at what is there.', calls: [bash(LOOK)] },
    {
      text: 'My own program, and how its generations scored.',
      calls: [view(PROGRAM), ...(scored ? [bash(SCORES)] : [])],
    },
    // Once it has edited, what was shown is no longer what is there.
    { text: 'The rest of it.', calls: hasEdited(conversation) ? [] : rest },
    {
      text: `What ${peers.map(({ peer }) => peer).join(' and ')} published.`,
      calls: peers.flatMap((peer) => [bash(`cat ${peer.folder}/metadata.json`), opens(persona, peer)]),
    },
  ];
}

function situationOf(persona: Persona, conversation: Conversation, own: string, stream: string): Situation {
  const evals = evalsListed(conversation);
  const peers = strategiesListed(conversation).flatMap(({ peer, generation, folder }): PeerProgram[] => {
    const text = textShown(conversation, `${folder}/${PROGRAM}`);
    return text === undefined ? [] : [{ peer, generation, score: valScoreShown(conversation, folder), text }];
  });
  return {
    generation: Math.max(0, ...evals) + 1,
    own,
    scores: scoresShown(conversation),
    peers,
    statement: conversation.instruction,
    stream: `${stream}/${persona.name}`,
  };
}

function isEdit(use: { readonly name: string; readonly arguments: { readonly [key: string]: Json } }): boolean {
  return use.name === 'editor' && use.arguments['command'] !== 'view';
}

function hasEdited(conversation: Conversation): boolean {
  return conversation.uses.some(isEdit);
}

function opens(persona: Persona, { folder }: ListedStrategy): PlannedCall {
  const path = `${folder}/${PROGRAM}`;
  return persona.reads === 'editor' ? view(path) : bash(`cat -n ${path}`);
}

function view(path: string, range?: readonly number[]): PlannedCall {
  return {
    name: 'editor',
    arguments: { command: 'view', path, ...(range === undefined ? {} : { view_range: range }) },
  };
}

function bash(command: string): PlannedCall {
  return { name: 'bash', arguments: { command } };
}

function done(text: string): Turn {
  return { text, calls: [] };
}
