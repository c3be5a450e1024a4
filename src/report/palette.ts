/**
 * Okabe and Ito's colours, told apart by colour-blind eyes, in the order in which agents get them; yellow is left out, for it
 * does not show on white. Colour means the same on the whole page: who wrote it.
 *
 * @see https://jfly.uni-koeln.de/color/
 */
export const AGENT_COLOURS = ['#0072b2', '#d55e00', '#009e73', '#cc79a7', '#000000', '#e69f00', '#56b4e9'] as const;

/** Code that was there at the start, and code that several wrote without seeing it of each other: nobody's colour. */
export const INITIAL_COLOUR = '#c9ccd1';
export const COMMON_COLOUR = '#8a9099';

/** Never by colour alone: agents have a mark of their own too. Paths around 0, 0, about 9 units wide. */
const SHAPES = [
  'M-4,0a4,4 0 1,0 8,0a4,4 0 1,0 -8,0z',
  'M-3.6,-3.6h7.2v7.2h-7.2z',
  'M0,-4.8L4.6,3.4H-4.6z',
  'M0,-5L5,0L0,5L-5,0z',
  'M0,4.8L4.6,-3.4H-4.6z',
  'M-1.6,-4.4h3.2v2.8h2.8v3.2h-2.8v2.8h-3.2v-2.8h-2.8v-3.2h2.8z',
] as const;

export interface AgentLook {
  /** Number of its colour: class `a0`, `a1` ... on the page. */
  readonly colour: number;
  readonly shape: string;
}

/** How every agent of a page looks; the same name looks the same in every run. */
export function agentLooks(names: readonly string[]): (name: string) => AgentLook {
  const looks = new Map<string, AgentLook>();
  for (const name of names) {
    const n = looks.size;
    if (!looks.has(name))
      looks.set(name, { colour: n % AGENT_COLOURS.length, shape: SHAPES[n % SHAPES.length] ?? SHAPES[0] });
  }
  return (name) => looks.get(name) ?? { colour: 0, shape: SHAPES[0] };
}
