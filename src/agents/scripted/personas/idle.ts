import type { Behaviour } from '../turn.ts';

/** Takes part and changes nothing. */
export const idleBehaviour: Behaviour = () => ({ text: 'I leave everything as it is.', calls: [] });
