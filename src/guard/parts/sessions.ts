import type { GuardPart } from '../happened.ts';
import { type GuardMemory, stateKey } from '../state.ts';

const REVOKED = stateKey<true>('sessions/revoked');

/** Whether the principal ended this session (`<run>/<agent>/<epoch>`) for good, in this process or another. */
export function isSessionRevoked(memory: GuardMemory, session: string): boolean {
  return memory.map(REVOKED).get(session) === true;
}

const PRINCIPAL = stateKey<string>('sessions/principal');

const CALLS = stateKey<number>('sessions/principal-calls');

/** How many calls the principal has made. */
export function principalCalls(memory: GuardMemory): number {
  return memory.map(CALLS).get('') ?? 0;
}

/** sha256, hex, of the token that makes its holder the principal; undefined: nobody is. */
export function principalTokenSha256(memory: GuardMemory): string | undefined {
  return memory.map(PRINCIPAL).get('');
}

/** Who the principal is, and the sessions it revoked: both stay so when the space is opened again. */
export const sessionsPart: GuardPart = {
  name: 'sessions',
  fold: (state, happened) => {
    if (happened.type === 'call' && happened.call === 'principal') state.map(CALLS).set('', principalCalls(state) + 1);
    if (happened.type !== 'event') return;
    const { event } = happened;
    if (event.what === 'principal-set') state.map(PRINCIPAL).set('', event.tokenSha256);
    else if (event.what === 'session-ended' && event.revoked)
      state.map(REVOKED).set(`${event.run}/${event.agent}/${event.epoch}`, true);
  },
};
