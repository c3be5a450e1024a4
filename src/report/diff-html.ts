import { counted } from './figures-text.ts';
import { html, type Markup } from './html.ts';
import type { DiffBlock, DiffKind, ThreeWayDiff } from './three-way-diff.ts';

/** Who is who in a diff. */
export interface DiffSides {
  readonly own: string;
  readonly peer: string;
  readonly after: string;
  /** Colour classes of the adopter and of the peer. */
  readonly ownClass: string;
  readonly peerClass: string;
}

/** Unchanged lines shown before and after a change; longer stretches are folded. */
const CONTEXT = 3;
/** Lines of a program that is not the new one, shown before they are folded. */
const BRIEF = 8;

const WORDS: Readonly<Record<DiffKind, string>> = {
  both: 'in all three',
  kept: 'kept',
  taken: 'taken',
  new: 'new',
  dropped: 'dropped',
  left: 'not taken',
};

/**
 * The new program beside its two sources: every stretch of lines once, with where it stands in the own program before, in the
 * peer's and in the new one. `brief` leaves out what did not change, for pages with many adoptions.
 */
export function diffHtml({ blocks }: ThreeWayDiff, sides: DiffSides, brief: boolean): Markup {
  return html`<div class="scroll diff" role="group" tabindex="0" aria-label="Three-way diff: ${sides.own}, ${sides.peer}, ${sides.after}"><table><thead><tr><th scope="col">lines</th><th scope="col" class="n ${sides.ownClass}">${sides.own}</th><th scope="col" class="n ${sides.peerClass}">${sides.peer}</th><th scope="col" class="n ${sides.ownClass}">${sides.after}</th><th scope="col">code</th></tr></thead><tbody>${blocks.map(
    (block, n) => blockRow(block, sides, brief, [changes(blocks[n - 1]), changes(blocks[n + 1])]),
  )}</tbody></table></div>`;
}

/** Whether the blocks before and after are changes: only towards them is there context to show. */
type Beside = readonly [before: boolean, after: boolean];

function changes(block: DiffBlock | undefined): boolean {
  return block !== undefined && block.kind !== 'both' && block.kind !== 'kept';
}

function blockRow(block: DiffBlock, sides: DiffSides, brief: boolean, beside: Beside): Markup {
  const { kind, lines, own, peer, after } = block;
  const colour = kind === 'taken' || kind === 'left' ? sides.peerClass : sides.ownClass;
  return html`<tr class="k-${kind} ${colour}"><th scope="row">${WORDS[kind]}</th>${[
    [own, sides.own] as const,
    [peer, sides.peer] as const,
    [after, sides.after] as const,
  ].map(
    ([from, side]) =>
      html`<td class="n"${from !== undefined && html` data-label="${side}"`}>${from !== undefined && span(from, lines.length)}</td>`,
  )}<td>${codeOf(block, brief, beside)}</td></tr>`;
}

function codeOf({ kind, lines }: DiffBlock, brief: boolean, beside: Beside): Markup {
  if (kind === 'taken' || kind === 'new') return pre(lines);
  if (kind === 'dropped' || kind === 'left') {
    if (lines.length <= BRIEF) return pre(lines);
    return brief ? gap(lines.length) : folded(lines, WORDS[kind]);
  }
  const before = beside[0] ? CONTEXT : 0;
  const behind = beside[1] ? CONTEXT : 0;
  if (lines.length <= before + behind + 2) return pre(lines);
  const middle = lines.slice(before, lines.length - behind);
  return html`${before > 0 && pre(lines.slice(0, before))}${brief ? gap(middle.length) : folded(middle, 'unchanged')}${behind > 0 && pre(lines.slice(lines.length - behind))}`;
}

/** The first line end in a `pre` is not shown. */
function pre(lines: readonly string[]): Markup {
  return html`<pre>\n${lines.join('\n')}</pre>`;
}

function gap(count: number): Markup {
  return html`<span class="gap">… ${counted(count, 'line')} …</span>`;
}

function folded(lines: readonly string[], what: string): Markup {
  return html`<details class="gap"><summary>… ${counted(lines.length, 'line')} ${what} …</summary>${pre(lines)}</details>`;
}

function span(from: number, count: number): string {
  return count === 1 ? String(from) : `${from}–${from + count - 1}`;
}
