import type { AgentName, MarkKind, Severity, Source } from '../space/marks.ts';

export interface Place {
  readonly scope: string;
  readonly resource: string;
}

/** What an agent hands in; the fields that its kind has. */
export interface ModelDraft {
  readonly kind: MarkKind;
  readonly scope: string;
  readonly resource?: string;
  readonly action?: string;
  readonly confidence?: number;
  readonly failed?: true;
  readonly topic?: string;
  readonly source?: Source;
  readonly severity?: Severity;
  readonly strength?: number;
  readonly supersedes?: string;
  readonly invalidates?: string;
}

export interface ModelMark extends ModelDraft {
  readonly id: string;
  readonly agent: string;
  readonly at: number;
  readonly strength: number;
  /** Superseded or withdrawn. */
  over: boolean;
  /** An intent that nobody may act on until a boundary or the principal says so. */
  readonly waits: boolean;
  readonly counts: boolean;
}

export interface Restriction {
  readonly agent?: string;
  readonly scope: string;
  readonly kind?: MarkKind;
}

export interface ModelSession {
  readonly agent: AgentName;
  readonly epoch: string;
  /** `<agent>/<epoch>` */
  readonly name: string;
  /** Ids given out. */
  marks: number;
  readonly drafts: { readonly id: string; readonly draft: ModelDraft }[];
}

/** A verdict: for a conflict those who may be named as holders, for a denial the check. */
export type Expected =
  | { readonly verdict: 'allow'; readonly id?: string; readonly repeated?: true }
  | { readonly verdict: 'conflict'; readonly holders: readonly string[] }
  /** `intent`: the one that is stored and waits. */
  | {
      readonly verdict: 'blocked';
      readonly reason: 'pending-boundary' | 'awaiting-principal' | 'busy';
      readonly intent?: string;
    }
  | { readonly verdict: 'denied'; readonly check: string };

export type Running = Place & {
  readonly action: string;
  readonly agent: string;
  readonly session: string;
  readonly intent: string;
};
export interface Execution {
  readonly expected: Expected;
  /** Its tool runs. */
  readonly running?: Running;
}

/** The `n`th of a list that is taken to go round. */
export function pick<T>(list: readonly T[], n: number): T {
  const found = list[n % list.length];
  if (found === undefined) throw new Error('nothing to pick from');
  return found;
}
