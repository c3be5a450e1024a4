import type { Persona } from '../persona.ts';
import { plannerCircles } from './planner-circles.ts';
import { plannerPrism } from './planner-prism.ts';
import { plannerSine } from './planner-sine.ts';

/** Knows how to construct good starting points; does not know how to search from them. */
export const planner: Persona = {
  name: 'planner',
  summary: 'knows constructions (orders, layouts, series), not search',
  ideas: { prism_placement: plannerPrism, circle_packing_26: plannerCircles, sine_approx: plannerSine },
  reads: 'editor',
  tunes: false,
};
