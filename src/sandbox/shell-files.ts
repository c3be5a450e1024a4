import { InMemoryFs } from 'just-bash';

/** Folders the shell itself furnishes; nothing under them is the caller's unless the caller put it there. */
const FURNITURE = /^\/(?:bin|usr|dev|proc)(?:\/|$)/;

/**
 * The tree of one shell command: files in memory, no links of any kind, and a note of every given file whose content was
 * opened. Copying and moving count as opening: the content goes on under another name.
 */
export class ShellFiles extends InMemoryFs {
  readonly #given: ReadonlyMap<string, string>;
  readonly #opened = new Set<string>();
  #recording = true;

  constructor(files: Readonly<Record<string, string>>, maxTotalBytes: number) {
    super({}, { maxTotalBytes });
    this.#given = new Map(Object.entries(files));
    for (const [path, text] of this.#given) this.writeFileSync(path, text);
  }

  /** Given files whose content was opened so far, sorted. */
  get opened(): readonly string[] {
    return [...this.#opened].sort();
  }

  override readFileBuffer(path: string): Promise<Uint8Array> {
    this.#open(path);
    return super.readFileBuffer(path);
  }

  override cp(source: string, target: string, options?: { recursive?: boolean }): Promise<void> {
    this.#openBelow(source);
    return super.cp(source, target, options);
  }

  override mv(source: string, target: string): Promise<void> {
    this.#openBelow(source);
    return super.mv(source, target);
  }

  override symlink(_target: string, path: string): Promise<void> {
    return Promise.reject(new Error(`EACCES: there are no links in this tree, symlink '${path}'`));
  }

  override link(_source: string, path: string): Promise<void> {
    return Promise.reject(new Error(`EACCES: there are no links in this tree, link '${path}'`));
  }

  /**
   * What differs from the given files: new text, or null where a file is gone. Bytes that are not UTF-8 come out as U+FFFD, so
   * that a binary file shows as changed and can be refused, not vanish.
   */
  async changes(): Promise<Record<string, string | null>> {
    this.#recording = false;
    const changed: [string, string | null][] = [];
    const present = new Set<string>();
    for (const path of this.getAllPaths().sort()) {
      if (FURNITURE.test(path) && !this.#given.has(path)) continue;
      if (!(await super.lstat(path)).isFile) continue;
      present.add(path);
      const text = new TextDecoder().decode(await super.readFileBuffer(path));
      if (text !== this.#given.get(path)) changed.push([path, text]);
    }
    for (const path of this.#given.keys()) if (!present.has(path)) changed.push([path, null]);
    return Object.fromEntries(changed);
  }

  #open(path: string): void {
    const whole = this.resolvePath('/', path);
    if (this.#recording && this.#given.has(whole)) this.#opened.add(whole);
  }

  #openBelow(path: string): void {
    const whole = this.resolvePath('/', path);
    for (const given of this.#given.keys()) if (given === whole || given.startsWith(`${whole}/`)) this.#open(given);
  }
}
