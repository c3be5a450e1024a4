/**
 * One file as three places have it: sha256 of its text, null where there is none. `base` is what the folder and the space agreed
 * on last; what differs from it has been changed since.
 */
export interface ThreeWays {
  readonly base: string | null;
  readonly here: string | null;
  readonly there: string | null;
  /** The space says that the file may be changed; of a file that is not there, true: it decides when it is asked. */
  readonly editable: boolean;
}

/**
 * What to do about one file.
 *
 * `none`: all agree. `settle`: both sides agree, note it. `send`: offer the space what is here, if it still has `base`. `take`: bring
 * here what is there. `conflict`: both changed, differently: keep what is here as a copy beside, then `take`.
 */
export type MirrorAction = 'none' | 'settle' | 'send' | 'take' | 'conflict';

/**
 * Decides for one file, purely. The space's version keeps the name: what a file of the folder holds is what a submission
 * would score, always; a person's other version lies beside it, and nobody's text is dropped.
 *
 * A deletion here loses against a change there: the deleted text is the older one, and it is on record. A change here of a
 * file that may not be changed is sent all the same: the guard refuses it, and so it is on record; no conflict copy is made.
 */
export function planMirror({ base, here, there, editable }: ThreeWays): MirrorAction {
  if (here === there) return base === here ? 'none' : 'settle';
  if (here === base) return 'take';
  if (!editable) return 'send';
  if (there === base) return 'send';
  return here === null ? 'take' : 'conflict';
}
