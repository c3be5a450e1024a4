import type { Persona } from '../persona.ts';
import { tunerCircles } from './tuner-circles.ts';
import { tunerPrism } from './tuner-prism.ts';
import { tunerSine } from './tuner-sine.ts';

/** Knows how to search from a given start and how to turn numbers; does not know good starts. */
export const tuner: Persona = {
  name: 'tuner',
  summary: 'knows search (descent, annealing, restarts) and turning numbers, not constructions',
  ideas: { prism_placement: tunerPrism, circle_packing_26: tunerCircles, sine_approx: tunerSine },
  reads: 'bash',
  tunes: true,
};
