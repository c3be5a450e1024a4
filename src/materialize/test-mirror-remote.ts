import { mkdtempSync, rmSync } from 'node:fs';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { openDiskMirror } from './disk-mirror.ts';
import type { DiskMirror, MirrorLimits } from './mirror-options.ts';
import { sha256Of } from './disk-folder.ts';
import type { MirrorNotice } from './mirror-notice.ts';
import { type MirrorRemote, type PutAnswer, RemoteAwayError, type RemoteFile } from './mirror-remote.ts';
import { canonicalPath } from './paths.ts';

/** A space in memory: an agent's view with a history, a guard that knows what may be changed, and a wire that can be cut. */
export class MemoryRemote implements MirrorRemote {
  readonly files = new Map<string, string>();
  readonly editable: Set<string>;
  /** Every text that any file ever had. */
  readonly history = new Set<string>();
  readonly puts: { path: string; text: string | null; code: string }[] = [];
  readonly refused: { path: string; problem: string }[] = [];
  readonly #listeners = new Set<() => void>();
  away = false;
  /** Milliseconds that each call takes. */
  latencyMs = 0;
  /** Why a text is not taken, where it is not. */
  judge: (path: string, text: string) => { code: string; message: string } | undefined = () => undefined;

  constructor(files: Readonly<Record<string, string>>, editable: readonly string[]) {
    this.editable = new Set(editable);
    for (const [path, text] of Object.entries(files)) this.#keep(path, text);
  }

  /** Something else changes a file there. */
  write(path: string, text: string | null): void {
    if (text === null) this.files.delete(path);
    else this.#keep(path, text);
    for (const listener of this.#listeners) listener();
  }

  async list(): Promise<readonly RemoteFile[]> {
    await this.#wire();
    return [...this.files].map(([path, text]) => ({
      path,
      sha256: sha256Of(text),
      bytes: Buffer.byteLength(text),
      editable: this.editable.has(path),
      kind: 'own',
    }));
  }

  async read(path: string): Promise<string | undefined> {
    await this.#wire();
    return this.files.get(path);
  }

  async put(path: string, text: string | null, expected: string | null): Promise<PutAnswer> {
    await this.#wire();
    const answer = this.#put(path, text, expected);
    this.puts.push({ path, text, code: answer.ok ? 'ok' : answer.code });
    return answer;
  }

  async refuse(path: string, problem: string): Promise<void> {
    await this.#wire();
    this.refused.push({ path, problem });
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #put(path: string, text: string | null, expected: string | null): PutAnswer {
    if (!canonicalPath(path).ok || !this.editable.has(path)) {
      return { ok: false, code: 'not-editable', message: `refused: "${path}" is not an editable file` };
    }
    const now = this.files.get(path);
    const sha256 = now === undefined ? null : sha256Of(now);
    if (sha256 !== expected) {
      const there = now === undefined || sha256 === null ? null : { sha256, text: now };
      return { ok: false, code: 'conflict', message: 'the file has another text', now: there };
    }
    const problem = text === null ? undefined : this.judge(path, text);
    if (problem !== undefined) return { ok: false, ...problem };
    if (text === null) this.files.delete(path);
    else this.#keep(path, text);
    return { ok: true, sha256: text === null ? null : sha256Of(text) };
  }

  #keep(path: string, text: string): void {
    this.files.set(path, text);
    this.history.add(text);
  }

  async #wire(): Promise<void> {
    if (this.latencyMs > 0) await new Promise((resolve) => setTimeout(resolve, this.latencyMs));
    if (this.away) throw new RemoteAwayError('the space cannot be reached (refused)');
  }
}

/** A real folder in step with a space in memory, taken down with the test. */
export interface TestMirror {
  readonly dir: string;
  readonly mirror: DiskMirror;
  readonly notices: MirrorNotice[];
}

export const IDENTITY = { agent: 'ada', experiment: 'quickstart', run: 'r1' } as const;

export function freshFolder(): string {
  const dir = mkdtempSync(join(tmpdir(), 'hivemark-folder-'));
  onTestFinished(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** What the mirror was not told of stays unseen: no look now and then makes up for it. */
const NO_ROUNDS = { beatsPerScan: Infinity, beatsPerList: Infinity };

/** `onNotice` is called at the very moment. */
export async function mirrorOf(
  remote: MemoryRemote,
  options: {
    readonly dir?: string;
    readonly limits?: Partial<MirrorLimits>;
    readonly onNotice?: (notice: MirrorNotice) => void;
  } = {},
): Promise<TestMirror> {
  const dir = options.dir ?? freshFolder();
  const notices: MirrorNotice[] = [];
  const mirror = await openDiskMirror({
    dir,
    remote,
    identity: IDENTITY,
    onNotice: (notice) => {
      notices.push(notice);
      options.onNotice?.(notice);
    },
    limits: { ...NO_ROUNDS, ...options.limits },
  });
  onTestFinished(() => mirror.close());
  return { dir, mirror, notices };
}

/** Waits until `check` holds; says what it saw last when it does not within `ms`. */
export async function until(check: () => boolean, ms = 20_000): Promise<number> {
  const start = performance.now();
  while (!check()) {
    if (performance.now() - start > ms) throw new Error(`after ${ms} ms this does not hold: ${check.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  return performance.now() - start;
}

/** Files below a folder by path, regular files only. */
export function filesBelow(dir: string, prefix = ''): Map<string, string> {
  const found = new Map<string, string>();
  for (const name of readdirSync(join(dir, prefix))) {
    const path = prefix === '' ? name : `${prefix}/${name}`;
    const stat = statSync(join(dir, path), { throwIfNoEntry: false });
    if (stat?.isDirectory() === true) for (const [p, text] of filesBelow(dir, path)) found.set(p, text);
    else if (stat?.isFile() === true) found.set(path, readFileSync(join(dir, path), 'utf8'));
  }
  return found;
}
