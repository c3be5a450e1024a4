import { html, type Markup } from './html.ts';
import type { AgentLook } from './palette.ts';

/** How an agent looks on the page, by its name. */
export type LookOf = (name: string) => AgentLook;

/** An agent's mark and name. */
export function agentKey(name: string, lookOf: LookOf): Markup {
  const { colour, shape } = lookOf(name);
  return html`<span class="key a${colour}"><svg viewBox="-5 -5 10 10" aria-hidden="true"><path d="${shape}"/></svg><span>${name}</span></span>`;
}
