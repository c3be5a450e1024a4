import { META_DIRECTORY } from './disk-names.ts';
import type { JoinIdentity, Refusal, Unsent } from './mirror-state.ts';

/** Where the agent stands, as far as the note tells it; lines are made by who knows the run. */
export interface NoteStanding {
  /** `round 2 of 5, open`, or what else there is to say. */
  readonly round: string;
  /** `0.812 (generation 3)`. */
  readonly score: string;
  /** Peers' published bests, one line each. */
  readonly peers: readonly string[];
}

/** All that the note in the folder says. */
export interface NoteFacts {
  readonly identity: JoinIdentity;
  readonly standing: NoteStanding | undefined;
  readonly editable: readonly string[];
  readonly unsent: readonly Unsent[];
  /** Paths of copies that conflicts left. */
  readonly conflicts: readonly string[];
  /** Oldest first. */
  readonly refusals: readonly Refusal[];
  /** Since when the space could not be reached; undefined: it can. */
  readonly awaySince: number | undefined;
  /** Other things a person should know, one line each. */
  readonly remarks: readonly string[];
}

const SHOWN_REFUSALS = 20;

/** The text of `HIVEMARK.md`. Names and reasons that come from elsewhere are put in code marks, one line each. */
export function noteText(facts: NoteFacts): string {
  const { identity, standing, editable, unsent, conflicts, refusals, awaySince, remarks } = facts;
  return [
    `# ${identity.agent}'s view`,
    '',
    'This folder is kept in step with a hivemark space. What is in a file here is what is in the space.',
    '',
    `- agent: ${code(identity.agent)}`,
    `- experiment: ${code(identity.experiment)}${identity.run === null ? '' : `, run ${code(identity.run)}`}`,
    ...(standing === undefined ? [] : [`- round: ${plain(standing.round)}`, `- score: ${plain(standing.score)}`]),
    ...(standing?.peers ?? []).map((peer) => `- peer: ${plain(peer)}`),
    `- you may change: ${editable.length === 0 ? 'nothing' : editable.map(code).join(', ')}`,
    '',
    'Run `hivemark submit` in this folder to have the program scored. `hivemark show <path>` prints a file and puts on record that you',
    'read it, which makes it evidence. Your scores are under `evals/`, programs that peers published under `strategies/`; both are read-only.',
    '',
    ...(awaySince === undefined
      ? []
      : [
          '## The space cannot be reached',
          '',
          `Since ${time(awaySince)}. Edits are kept here and sent when it is back.`,
          '',
        ]),
    ...section(
      'Not in the space',
      'These files are as you left them, and the space has another version, which is the one that would be scored:',
      unsent.map((one) => `${code(one.path)}: ${plain(one.reason)} (${time(one.at)})`),
    ),
    ...section(
      'Conflicts',
      "A file was changed here and in the space at the same time. The file has the space's version, the copy has yours. Take over what you want, then delete the copy:",
      conflicts.map(code),
    ),
    ...section(
      'Refused',
      `Changes of files that may not be changed were put back. Your versions are kept in \`${META_DIRECTORY}/set-aside/\`:`,
      refusals
        .slice(-SHOWN_REFUSALS)
        .toReversed()
        .map(
          (one) =>
            `${time(one.at)} ${code(one.path)}: ${plain(one.reason)}${one.kept === null ? '' : ` (${code(one.kept)})`}`,
        ),
    ),
    ...section('Remarks', undefined, remarks.map(plain)),
    'Names that start with a dot, `node_modules`, conflict copies and temporary files of editors are yours: neither sent nor touched. This',
    'note is rewritten whenever something changes.',
    '',
  ].join('\n');
}

function section(title: string, what: string | undefined, lines: readonly string[]): readonly string[] {
  if (lines.length === 0) return [];
  return [`## ${title}`, '', ...(what === undefined ? [] : [what, '']), ...lines.map((line) => `- ${line}`), ''];
}

/** To the second: a note that changes with every millisecond is rewritten for nothing. */
function time(at: number): string {
  return `${new Date(at).toISOString().slice(0, 19)}Z`;
}

function code(name: string): string {
  return `\`${oneLine(name).replaceAll('`', "'")}\``;
}

/** What others wrote may not become a heading, a list or a link of ours. */
function plain(text: string): string {
  return oneLine(text).replaceAll(/[`<>[\]#*_|]/gu, (mark) => `\\${mark}`);
}

function oneLine(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ').trim();
  return line.length > 300 ? `${line.slice(0, 300)}...` : line;
}
