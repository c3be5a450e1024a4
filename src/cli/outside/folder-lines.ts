import type { MirrorNotice } from '../../materialize/mirror-notice.ts';
import type { NoteStanding } from '../../materialize/mirror-note.ts';
import type { Standing, SubmitAnswer } from '../../mcp/participant.ts';
import { oneLine } from '../space/terminal-text.ts';

/** One thing that happened to a folder, as one line for a terminal. */
export function noticeLine(notice: MirrorNotice): string {
  switch (notice.kind) {
    case 'sent':
      return `${name(notice.path)}: in the space`;
    case 'deleted':
      return `${name(notice.path)}: deleted in the space`;
    case 'received':
      return `${name(notice.path)}: from the space`;
    case 'removed':
      return `${name(notice.path)}: gone from the space, removed here`;
    case 'held-back':
      return `${name(notice.path)}: NOT in the space: ${oneLine(notice.reason, 300)}`;
    case 'put-back': {
      const kept = notice.kept === null ? '' : `; your version is ${name(notice.kept)}`;
      return `${name(notice.path)}: put back: ${oneLine(notice.reason, 300)}${kept}`;
    }
    case 'conflict':
      return `${name(notice.path)}: changed in the space too; your version is ${name(notice.copy)}`;
    case 'trouble':
      return `${name(notice.path)}: ${oneLine(notice.reason, 300)}`;
    case 'away':
      return `${oneLine(notice.reason, 300)}; edits are kept and sent when it is back`;
    case 'back':
      return 'the host is back';
  }
}

/** What the note in the folder says of the run. */
export function noteStanding({ run, best, peers, denials }: Standing): NoteStanding {
  const score = best === null ? 'none yet' : `${scoreText(best.score)} (generation ${best.generation})`;
  return {
    round: run === null ? 'none: there is no run' : `${run.round} of ${run.generations}, ${run.phase} (${run.id})`,
    score: `${score}; refusals on record: ${denials}`,
    peers: peers.map(
      ({ agent, generation, score: theirs, model }) =>
        `${agent}${model === undefined ? '' : ` (${model})`}: ${scoreText(theirs)} (generation ${generation}), in strategies/${agent}_gen${generation}/`,
    ),
  };
}

/** Where a run is, in a few words. */
export function roundLine({ run }: Standing): string {
  if (run === null) return 'no run: edits are kept, nothing is scored';
  const waits = run.waitingFor.length === 0 ? '' : `; waiting for ${run.waitingFor.join(', ')}`;
  return `round ${run.round} of ${run.generations}: ${run.phase}${waits}`;
}

/** The result of a submission. */
export function resultLines(answer: SubmitAnswer): string {
  const { generation, status, score, best, published, reason, evaluation, adopted } = answer;
  const scores =
    score === null ? '' : `, score ${scoreText(score)}${best === null ? '' : ` (best ${scoreText(best)})`}`;
  const lines = [
    `generation ${generation}: ${status}${scores}${published ? ', published' : ''}`,
    ...(reason === undefined ? [] : [`reason: ${oneLine(reason, 1000)}`]),
    `evaluation: ${evaluation}/`,
    ...adopted.map(
      ({ peer, peerGeneration, reuse }) =>
        `taken over: ${peer}, generation ${peerGeneration} (reuse ${reuse.toFixed(2)})`,
    ),
  ];
  return `${lines.join('\n')}\n`;
}

function scoreText(score: number | null): string {
  return score === null ? 'not disclosed' : String(Number(score.toPrecision(6)));
}

function name(path: string): string {
  return oneLine(path, 200);
}
