import type { DiskFolder } from './disk-folder.ts';
import { type MirrorState, readState, type Refusal, type Unsent, writeState } from './mirror-state.ts';

const KEPT_REFUSALS = 50;

/** What a mirror knows of its files, in memory and in `.hivemark/state.json`. */
export class MirrorBook {
  readonly #folder: DiskFolder;
  readonly #bases: Map<string, string>;
  readonly #signatures = new Map<string, string>();
  readonly #unsent = new Map<
    string,
    Unsent & { readonly key: string | undefined; readonly there: string | undefined }
  >();
  /** What was sent over the base with the answer lost on its way: sha256, null for a deletion. */
  readonly #unanswered: Map<string, Set<string | null>>;
  /** Names of copies that conflicts left in the folder. */
  readonly copies = new Set<string>();
  #refusals: Refusal[];
  #note: string | null;
  #dirty = false;

  constructor(folder: DiskFolder) {
    this.#folder = folder;
    const state = readState(folder);
    this.#bases = new Map(Object.entries(state.files));
    this.#unanswered = new Map(Object.entries(state.unanswered).map(([path, sent]) => [path, new Set(sent)]));
    this.#refusals = [...state.refusals];
    this.#note = state.note;
  }

  /** sha256 of what both sides had last. */
  base(path: string): string | undefined {
    return this.#bases.get(path);
  }

  paths(): Iterable<string> {
    return this.#bases.keys();
  }

  /** Both sides have this now (null: neither has the file). */
  agree(path: string, sha256: string | null): void {
    this.#unsent.delete(path);
    if (this.#unanswered.delete(path)) this.#dirty = true;
    if (this.#bases.get(path) === (sha256 ?? undefined)) return;
    if (sha256 === null) this.#bases.delete(path);
    else this.#bases.set(path, sha256);
    this.#dirty = true;
  }

  /**
   * From now on nothing is known of the file's past, on disk too: what is missing then is no deletion, and what is there is
   * nobody's old version. To be called before a file is taken out of the folder, so that a crash in between costs nothing.
   */
  forget(path: string): void {
    this.#signatures.delete(path);
    this.#unsent.delete(path);
    const known = this.#unanswered.delete(path);
    if (!this.#bases.delete(path) && !known) return;
    this.#dirty = true;
    this.save();
  }

  /** This was sent (null: a deletion), and nobody knows whether it arrived. */
  unanswered(path: string, sha256: string | null): void {
    this.#unanswered.set(path, (this.#unanswered.get(path) ?? new Set()).add(sha256));
    this.#dirty = true;
  }

  /** Was `there` sent from here, with its answer lost? Then it is nobody else's change. */
  isOwn(path: string, there: string | null): boolean {
    return this.#unanswered.get(path)?.has(there) === true;
  }

  /** What the file looked like when it was last found in order. */
  signature(path: string): string | undefined {
    return this.#signatures.get(path);
  }

  seen(path: string, signature: string | undefined): void {
    if (signature === undefined) this.#signatures.delete(path);
    else this.#signatures.set(path, signature);
  }

  /**
   * The space does not take the text (`key`; undefined: it is to be offered again) over what it has (`there`).
   * @returns false when that is known already.
   */
  holdBack(unsent: Unsent, key: string | undefined, there: string | undefined): boolean {
    const before = this.#unsent.get(unsent.path);
    this.#unsent.set(unsent.path, { ...unsent, key, there });
    this.#dirty = true;
    return before === undefined || before.key !== key || (key !== undefined && before.reason !== unsent.reason);
  }

  /** Was exactly this refused before, with nothing changed since? */
  isHeldBack(path: string, key: string, there: string | undefined): boolean {
    const unsent = this.#unsent.get(path);
    return unsent?.key === key && unsent.there === there;
  }

  unsent(): readonly Unsent[] {
    return [...this.#unsent.values()].map(({ path, reason, at }) => ({ path, reason, at }));
  }

  refusals(): readonly Refusal[] {
    return this.#refusals;
  }

  record(refusal: Refusal): void {
    this.#refusals = [...this.#refusals.slice(1 - KEPT_REFUSALS), refusal];
    this.#dirty = true;
  }

  get note(): string | null {
    return this.#note;
  }

  noted(sha256: string): void {
    if (this.#note === sha256) return;
    this.#note = sha256;
    this.#dirty = true;
  }

  /** Writes the state, if it is different. */
  save(): void {
    if (!this.#dirty) return;
    const state: MirrorState = {
      files: Object.fromEntries([...this.#bases].sort(([a], [b]) => (a < b ? -1 : 1))),
      refusals: this.#refusals,
      unsent: this.unsent(),
      unanswered: Object.fromEntries([...this.#unanswered].map(([path, sent]) => [path, [...sent]])),
      note: this.#note,
    };
    writeState(this.#folder, state);
    this.#dirty = false;
  }
}
