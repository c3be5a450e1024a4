import type { Journal, JournalEntry } from './journal.ts';
import { bestBefore, readJournal, settleLast, undoOf, writeJournal } from './journal.ts';
import { nudgesOf } from './nudge.ts';
import type { Idea, Persona } from './persona.ts';
import type { Program } from './program-text.ts';
import { parseProgram } from './program-text.ts';
import { hashText, randomOf } from './seeded-choice.ts';
import type { Technique } from './techniques.ts';
import { inUse, techniquesOf, updatesOf } from './techniques.ts';

/** A peer's published program as it was read. */
export interface PeerProgram {
  readonly peer: string;
  readonly generation: number;
  readonly score: number | undefined;
  readonly text: string;
}

/** Everything a persona decides from; all of it was read in the conversation. */
export interface Situation {
  readonly generation: number;
  readonly own: string;
  /** Own validation scores by generation, as far as they were disclosed. */
  readonly scores: ReadonlyMap<number, number>;
  readonly peers: readonly PeerProgram[];
  /** The task's statement. */
  readonly statement: string;
  /** Stream of this agent's choices. */
  readonly stream: string;
}

/** One generation's improvement: the new program, and what the agent says about it before it edits. */
export interface Improvement {
  readonly key: string;
  readonly text: string;
  readonly say: string;
}

interface Choice {
  readonly key: string;
  readonly words: string;
  readonly say: string;
  readonly code: string;
}

/** Generations after which something of a peer's that did not help may be tried again: the program around it has changed. */
const RETRY_AFTER = 4;

/**
 * What a persona does in this generation, or `undefined` when nothing is left that it knows. First it settles the last
 * change (keep what helped, take back what did not), then makes exactly one change: an idea of its own, or one technique of
 * a peer. It turns to a peer when the peer's program is better than its own best, when its own last change
 * did not help, or when it has no idea left; having taken something that helped, it first adds an idea of its own. Pure.
 */
export function decideImprovement(persona: Persona, task: string, situation: Situation): Improvement | undefined {
  const { generation, scores } = situation;
  const before = readJournal(situation.own);
  let journal = settleLast(before, scores);
  const settled = before.entries.at(-1)?.outcome === undefined ? journal.entries.at(-1) : undefined;
  journal = withLost(persona, task, situation, journal);
  const choice = choose(persona, task, situation, journal, generation);
  if (choice === undefined) return takenBack(before.code, journal);
  const entry: JournalEntry = { generation, key: choice.key, words: choice.words };
  const text = writeJournal({
    code: choice.code,
    entries: [...journal.entries, entry],
    undo: undoOf(journal.code, choice.code),
  });
  const outcome = settled?.outcome === undefined ? '' : `Last change (${settled.key}): ${settled.outcome}. `;
  return { key: choice.key, text, say: outcome + choice.say };
}

/** With nothing new to try, what did not help is still taken back. */
function takenBack(before: string, journal: Journal): Improvement | undefined {
  if (journal.code === before) return undefined;
  const last = journal.entries.at(-1);
  return {
    key: 'take-back',
    text: writeJournal(journal),
    say: `I take ${last?.key ?? 'the last change'} back: ${last?.outcome ?? ''}.`,
  };
}

/**
 * Adds the generations that left no entry in the journal: their change did not survive (the program could not run and was
 * rolled back, journal and all). What it was is worked out again, as it was chosen then, so that it is not tried for ever.
 */
function withLost(persona: Persona, task: string, situation: Situation, settled: Journal): Journal {
  let journal = settled;
  const first = (journal.entries.at(-1)?.generation ?? 0) + 1;
  for (let generation = first; generation < situation.generation; generation += 1) {
    const score = situation.scores.get(generation);
    if (score === undefined || score === bestBefore(situation.scores, generation)) continue;
    // A peer's program of that generation or a later one was not there to be seen.
    const peers = situation.peers.filter((peer) => peer.generation < generation);
    const lost = choose(persona, task, { ...situation, peers }, journal, generation);
    if (lost === undefined) continue;
    const entry = { generation, key: lost.key, words: lost.words, outcome: `lost ${score.toFixed(4)}` };
    journal = { ...journal, entries: [...journal.entries, entry] };
  }
  return journal;
}

function choose(
  persona: Persona,
  task: string,
  situation: Situation,
  journal: Journal,
  generation: number,
): Choice | undefined {
  const program = parseProgram(journal.code);
  const random = randomOf(hashText(`${situation.stream}/${generation}/${journal.code}`));
  const last = journal.entries.at(-1);
  const stuck = /^(?:dropped|lost)/.test(last?.outcome ?? '');
  const own = ownChoice(persona, task, program, journal, situation.statement, random);
  // What was just taken over is built upon before more is taken.
  if (own !== undefined && !stuck && last?.key.startsWith('take:') === true) return own;
  for (const peer of situation.peers.toSorted((a, b) => (b.score ?? 0) - (a.score ?? 0))) {
    const ahead = (peer.score ?? 0) > (bestBefore(situation.scores, generation) ?? 0) + 1e-9;
    const taken = takeFrom(peer, program, journal, generation, ahead);
    if (taken === undefined) continue;
    if (ahead) return spoken(taken, peer, situation, generation, 'Its program is ahead of mine.');
    if (stuck) return spoken(taken, peer, situation, generation, 'My own last change did not help.');
    if (own === undefined) return spoken(taken, peer, situation, generation, 'I have no idea of my own left.');
  }
  return own;
}

function ownChoice(
  persona: Persona,
  task: string,
  program: Program,
  journal: Journal,
  statement: string,
  random: () => number,
): Choice | undefined {
  const tried = new Set(journal.entries.map(({ key }) => key));
  const applicable = (ideas: readonly Idea[], most: number) => {
    const found: { readonly idea: Idea; readonly code: string }[] = [];
    for (const idea of ideas) {
      if (found.length >= most) break;
      const code = tried.has(idea.key) ? undefined : idea.apply(program);
      if (code !== undefined && code !== program.text) found.push({ idea, code });
    }
    return found;
  };
  const ideas = persona.ideas[task];
  const next = applicable(ideas ?? [], 2);
  const known = next[random() < 0.7 ? 0 : next.length - 1];
  const mayNudge = known === undefined && (ideas === undefined || persona.tunes);
  const nudges = mayNudge ? applicable(nudgesOf(inUse(program), statement), 12) : [];
  const found = known ?? nudges[Math.floor(random() * nudges.length)];
  if (found === undefined) return undefined;
  const { key, words } = found.idea;
  return { key, words, say: `My own idea this time: ${words}.`, code: found.code };
}

interface Taken {
  readonly key: string;
  readonly technique: Technique;
}

/** The first thing in the peer's pipeline that the own program lacks; when there is none and it is ahead, what it does otherwise. */
function takeFrom(
  peer: PeerProgram,
  program: Program,
  journal: Journal,
  generation: number,
  ahead: boolean,
): Taken | undefined {
  const theirs = inUse(parseProgram(readJournal(peer.text).code));
  const fresh = (techniques: readonly Technique[], keyOf: (one: Technique) => string) =>
    techniques
      .map((technique) => ({ key: keyOf(technique), technique }))
      .filter(({ key }) => mayTry(journal.entries, key, generation));
  const novel = fresh(techniquesOf(program, theirs), ({ name }) => `take:${name}@${peer.peer}`);
  if (novel[0] !== undefined) return novel[0];
  if (!ahead) return undefined;
  return fresh(updatesOf(inUse(program), theirs), ({ name, copied }) => {
    const value = hashText(copied.map(({ text }) => text).join('\n')).toString(36);
    return `take:${name}@${peer.peer}#${value}`;
  })[0];
}

function mayTry(entries: readonly JournalEntry[], key: string, generation: number): boolean {
  const times = entries.filter((entry) => entry.key === key);
  const last = times.at(-1);
  return last === undefined || (times.length < 2 && generation - last.generation >= RETRY_AFTER);
}

function spoken(taken: Taken, peer: PeerProgram, situation: Situation, generation: number, why: string): Choice {
  const { name, copied, place, code } = taken.technique;
  const best = bestBefore(situation.scores, generation);
  const names = copied.map((one) => one.name).join(', ');
  const comment = copied.find((one) => one.name === name)?.comment ?? '';
  const said = comment.replaceAll(/^\s*(?:\/\*\*?|\*\/|\/\/|\*)\s?|\s*\*\/\s*$/gm, '').trim();
  const figures = `${peer.peer} generation ${peer.generation} scores ${figure(peer.score)} in validation, mine at best ${figure(best)}.`;
  return {
    key: taken.key,
    words: `${name} from ${peer.peer} generation ${peer.generation}, ${place}`,
    say:
      `${figures} ${why} What it has and mine lacks is ${name}${said === '' ? '' : ` ("${said.split('\n')[0] ?? ''}")`}. ` +
      `I take it over as it stands from ${peer.peer} generation ${peer.generation} (${names || name}), ${place}.`,
    code,
  };
}

function figure(score: number | undefined): string {
  return score === undefined ? 'an unknown score' : score.toFixed(4);
}
