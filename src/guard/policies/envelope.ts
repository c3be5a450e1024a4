import { narrowingOf } from '../parts/envelope.ts';
import { deny, type Policy, touchedBy } from './policy.ts';

/** Bounds of ordinary behaviour. @see protocol, "The guard's order" */
export interface EnvelopeSettings {
  /** Length of a tumbling window. @default 300 000 */
  readonly windowMs: number;
  /** Active windows before anything is judged. @default 10 */
  readonly coldWindows: number;
  /** Spread of a count beyond which it is an anomaly. @default 3.5 */
  readonly sigmas: number;
  /** Change of a kind's share that is a shift. @default 0.5 */
  readonly shareShift: number;
  /** Marks that a window must hold before shares are compared. @default 10 */
  readonly minVolume: number;
  /** Agents on one topic in a window that make a concentration (flagged, not restricted). @default 3 */
  readonly concentration: number;
  /** Anomalies after which an agent is restricted everywhere. @default 3 */
  readonly globalAfter: number;
}

/** The protocol's numbers. */
export const ENVELOPE: EnvelopeSettings = {
  windowMs: 300_000,
  coldWindows: 10,
  sigmas: 3.5,
  shareShift: 0.5,
  minVolume: 10,
  concentration: 3,
  globalAfter: 3,
};

/**
 * Who behaved unlike itself writes only needs, where it did so or everywhere, until the principal resets it. The call that tips the scale
 * is the last that passes. @see protocol rules P40, P41, P43, S9
 */
export const envelope: Policy = (input) => {
  if (input.settings.envelope === undefined) return undefined;
  for (const { kind, scope } of touchedBy(input)) {
    const narrowing = kind === 'need' ? undefined : narrowingOf(input.memory, input.grant.agent, scope);
    if (narrowing === undefined) continue;
    const denial = { code: 'restricted', check: 'envelope' } as const;
    return deny(narrowing === 'everywhere' ? denial : { ...denial, scope: narrowing });
  }
  return undefined;
};
