import type { TrustWeights } from '../space/strength.ts';
import type { ContentPolicy } from './policies/content.ts';
import type { EnvelopeSettings } from './policies/envelope.ts';

/** How the guard of one space is set: the same for every agent. Absent parts are off. */
export interface GuardSettings {
  readonly trust: TrustWeights;
  readonly envelope?: EnvelopeSettings;
  /** In order; observations only. */
  readonly content?: readonly ContentPolicy[];
  /** Equal refusals of one agent beyond `after` in a window of `windowMs` leave one record with their number. */
  readonly folding: { readonly after: number; readonly windowMs: number };
}

/** @see protocol rule S15 */
export const FOLDING = { after: 32, windowMs: 60_000 } as const;
