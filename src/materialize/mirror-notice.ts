/**
 * One thing that happened to a folder, as it happens. `path` is of the folder, as somebody else named it: for the eyes of
 * a person only after control characters were taken out.
 */
export type MirrorNotice =
  | { readonly kind: 'sent' | 'deleted' | 'received' | 'removed'; readonly path: string }
  /** Not taken by the space; the person's text stays where it is. */
  | { readonly kind: 'held-back'; readonly path: string; readonly reason: string }
  /** Not taken, and put back as it was; the person's version is at `kept`. */
  | { readonly kind: 'put-back'; readonly path: string; readonly reason: string; readonly kept: string | null }
  /** Changed on both sides: `path` has the space's version now, `copy` the person's. */
  | { readonly kind: 'conflict'; readonly path: string; readonly copy: string }
  /** Something about one file that has to be tried again, or cannot be done. */
  | { readonly kind: 'trouble'; readonly path: string; readonly reason: string }
  | { readonly kind: 'away'; readonly reason: string }
  | { readonly kind: 'back' };
