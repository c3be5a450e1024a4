import { html, type Markup } from './html.ts';

interface Definition {
  readonly term: string;
  readonly says: string;
}

/** What the words and numbers of the page mean. @see design/analysis.md */
const DEFINITIONS: readonly Definition[] = [
  {
    term: 'Generation, validation score',
    says: 'One program of one agent. Scores are of the validation split, as the run recorded them; higher is better. Programs that scored at most 0.01, or are invalid, stand in a strip of their own below the plot, so that they do not flatten the rest.',
  },
  {
    term: 'Published best',
    says: "A program whose validation score is above 0 and above all of the agent's before: what its peers are shown from the next generation on.",
  },
  {
    term: 'Adoption, rule provenance (runs of hivemark)',
    says: "At least a quarter of the novel code of a generation (in none of the agent's own past; comments, blank and trivial lines apart) is found in code of the peer that the agent had been shown. Lines are compared by their tokens, tokens by k-gram fingerprints; the larger share counts.",
  },
  {
    term: 'Evidence',
    says: "A ladder, each step with all before it: similar (the code is like the peer's), exposed (it had been put where the agent could see it), read (a tool call opened it before the first edit), stated (the agent said that it would take from it, in its words nearest before that edit).",
  },
  {
    term: 'Adoption, rules visible and published (imported runs)',
    says: "Distance = 1 − the gestalt ratio of Python's difflib (SequenceMatcher, junk heuristic included), on Unicode code points. share = distance to the peer's program / (distance to the own program before + distance to the peer's). Below 0.4 is an adoption. Rule visible compares with what the peer had published before, and with the last own program that has code. Rule published is hyperspace's, which also looks at the peer's same generation, and never judges a generation after one without code.",
  },
  {
    term: 'Effect',
    says: 'Validation score of the adopting generation less that of the program it was made from (rule provenance) or of the own one before (the other rules). It is what happened, not what the adoption caused: other changes of the same generation are in it.',
  },
  {
    term: 'By chance (placebo test)',
    says: 'The same question asked about programs that the agent cannot have seen: peers of other seeds and other pairs at the same task. p is the share of such comparisons that come as close, with one added to both counts; adjusted is Benjamini-Hochberg over all comparisons of the page. Two agents that converge alone give small distances to strangers too, and so are not taken for adopters.',
  },
  {
    term: 'Origin of lines',
    says: 'Every line of code (comments, blank and trivial lines apart) belongs to whoever first had it: initial (the program all began with), own, peer (in code of a peer that was visible before), or common (several wrote it without seeing it of each other). Lines keep their origin through moves, re-indentation, and renames where enough around them agrees.',
  },
  {
    term: 'Three-way diff',
    says: "The new program line by line against the own one before and the peer's, each by a shortest edit script, white space at line ends apart: taken is in the peer's and not in the own one, kept in the own one only, new in neither. Counts leave out lines without a letter or digit.",
  },
  {
    term: 'Lineage',
    says: 'Each program below the one it was made from (the selected parent). The straight line leads to the best program; filled circles are on it. Dashed arrows are adoptions.',
  },
  {
    term: 'Cost',
    says: 'Best validation score so far against everything spent on generations until then: US dollars where the run has prices, else tokens, else calls of models.',
  },
  {
    term: 'Refusals',
    says: 'What the guard did not let happen, by the code of its decision. A refused write never takes place; the agent is told why in its next view.',
  },
];

export function methodsSection(): Markup {
  return html`<dl class="methods">${DEFINITIONS.map(({ term, says }) => html`<dt>${term}</dt><dd>${says}</dd>`)}</dl>`;
}
