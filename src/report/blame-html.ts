import { type Blame, type BlamedLine, ORIGINS } from '../analysis/blame.ts';
import type { Origin } from '../analysis/line-history.ts';
import { escapeHtml } from './html.ts';

/** Okabe and Ito's colours: told apart by colour-blind eyes; every line also says its origin in words. */
const COLOURS: Readonly<Record<Origin, string>> = {
  own: '#0072b2',
  peer: '#d55e00',
  initial: '#8a8a8a',
  common: '#009e73',
};

export const BLAME_STYLE = `.blame{border-collapse:collapse;font:13px/1.35 ui-monospace,monospace}.blame td{padding:0 .6rem;white-space:pre;vertical-align:top}\
.blame td.code{width:100%}.blame td.n,.blame td.who{color:#555;text-align:right}.blame tr.quiet td.code{color:#777}\
.bar{display:flex;height:1rem;max-width:40rem;margin:.5rem 0}${ORIGINS.map(
  (origin) => `.o-${origin}{border-left:6px solid ${COLOURS[origin]}}.bar .b-${origin}{background:${COLOURS[origin]}}`,
).join('')}@media print{.bar{print-color-adjust:exact}}`;

/** The blame of one program as a fragment that needs `BLAME_STYLE` only. All text is escaped. */
export function blameFragment(blame: Blame): string {
  const shares = ORIGINS.map((origin) => ({ origin, percent: blame.shares[origin] * 100 }));
  const words = shares.map(({ origin, percent }) => `${origin} ${percent.toFixed(1)} %`).join(', ');
  const bar = shares
    .filter(({ percent }) => percent > 0)
    .map(({ origin, percent }) => `<span class="b-${origin}" style="width:${percent.toFixed(2)}%"></span>`);
  return (
    `<p>${blame.counted} lines of code that tell where they came from: ${words}.</p>` +
    `<div class="bar" role="img" aria-label="${escapeHtml(words)}">${bar.join('')}</div>` +
    `<table class="blame"><tbody>${blame.lines.map(lineRow).join('')}</tbody></table>`
  );
}

function lineRow(line: BlamedLine): string {
  const counts = line.kind === 'code' || line.kind === 'comment';
  const who = counts ? `${escapeHtml(line.agent)}/${line.generation}` : '';
  return (
    `<tr class="o-${line.origin}${line.kind === 'code' ? '' : ' quiet'}" title="${escapeHtml(titleOf(line))}"><td class="who">${who}</td>` +
    `<td class="what">${counts ? line.origin : ''}${line.renamed ? ' ~' : ''}</td><td class="n">${line.number}</td>` +
    `<td class="code">${escapeHtml(line.text)}</td></tr>`
  );
}

function titleOf({ origin, agent, generation, renamed, alsoBy }: BlamedLine): string {
  const first = `${origin}: first in ${agent}, generation ${generation}`;
  const changed = renamed ? ', names changed since' : '';
  return `${first}${changed}${alsoBy ? `; also by ${alsoBy.agent}, generation ${alsoBy.generation}, unseen` : ''}`;
}

/** The blame of one program as a page that opens offline. */
export function blameHtml(blame: Blame): string {
  const title = escapeHtml(`${blame.run}: ${blame.agent}, generation ${blame.generation}, ${blame.file}`);
  return (
    '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">' +
    `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><title>${title}</title>` +
    `<style>body{font:15px/1.45 system-ui,sans-serif;margin:2rem;color:#1a1a1a;background:#fff}.scroll{overflow-x:auto}${BLAME_STYLE}</style></head>` +
    `<body><h1>${title}</h1><div class="scroll">${blameFragment(blame)}</div></body></html>\n`
  );
}
