import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { writeFileAtomic } from './atomic-file.ts';

/**
 * Sources, prompts and outputs of a run, by content: `trace/blobs/<aa>/<sha256>`.
 *
 * - Byte-identical: what is read is what was written; text is UTF-8.
 * - `write` is idempotent, safe to call at the same time with the same content, and resolves once the blob is on disk, so that a
 *   log record written afterwards never names a blob that a crash took away. A damaged blob is replaced.
 * - `read` checks the hash. @throws BlobError when the blob is missing, damaged, or the name is no hash.
 */
export interface BlobStore {
  /** @returns the sha256 of the content, 64 lower-case hex digits */
  write(content: string | Uint8Array): Promise<string>;
  read(hash: string): Promise<string>;
  readBytes(hash: string): Promise<Uint8Array>;
}

export type BlobErrorCode = 'blob-missing' | 'blob-damaged' | 'blob-name';

/** A blob cannot be had. */
export class BlobError extends Error {
  override readonly name = 'BlobError';
  readonly code: BlobErrorCode;
  readonly hash: string;
  constructor(code: BlobErrorCode, hash: string, options?: ErrorOptions) {
    super(`${MESSAGES[code]}: ${hash.slice(0, 80)}`, options);
    this.code = code;
    this.hash = hash;
  }
}

const MESSAGES: Readonly<Record<BlobErrorCode, string>> = {
  'blob-missing': 'no blob with this sha256',
  'blob-damaged': 'the blob is not what its sha256 says',
  'blob-name': 'not a sha256',
};

/** sha256 of a text's UTF-8 or of bytes, as 64 lower-case hex digits. */
export function sha256(content: string | Uint8Array): string {
  return createHash('sha256').update(content).digest('hex');
}

/** The blobs of one run folder. */
export function openBlobStore(runDir: string): BlobStore {
  return new FolderBlobStore(join(runDir, 'trace', 'blobs'));
}

class FolderBlobStore implements BlobStore {
  readonly #root: string;
  /** Writes under way or done, by hash: the same content is written once per open store. */
  readonly #writes = new Map<string, Promise<void>>();

  constructor(root: string) {
    this.#root = root;
  }

  async write(content: string | Uint8Array): Promise<string> {
    // Encoded once, so that what is hashed is what is stored, lone surrogates included.
    const bytes = typeof content === 'string' ? Buffer.from(content, 'utf8') : content;
    const hash = sha256(bytes);
    let write = this.#writes.get(hash);
    if (!write) {
      write = this.#store(hash, bytes);
      this.#writes.set(hash, write);
      write.catch(() => this.#writes.delete(hash));
    }
    await write;
    return hash;
  }

  async read(hash: string): Promise<string> {
    return Buffer.from(await this.readBytes(hash)).toString('utf8');
  }

  async readBytes(hash: string): Promise<Uint8Array> {
    let bytes: Buffer;
    try {
      bytes = await readFile(this.#pathOf(hash));
    } catch (error) {
      if (isMissing(error)) throw new BlobError('blob-missing', hash, { cause: error });
      throw error;
    }
    if (sha256(bytes) !== hash) throw new BlobError('blob-damaged', hash);
    return bytes;
  }

  async #store(hash: string, bytes: Uint8Array): Promise<void> {
    try {
      await this.readBytes(hash);
    } catch (error) {
      if (!(error instanceof BlobError)) throw error;
      await writeFileAtomic(this.#pathOf(hash), bytes);
    }
  }

  #pathOf(hash: string): string {
    if (!/^[0-9a-f]{64}$/.test(hash)) throw new BlobError('blob-name', hash);
    return join(this.#root, hash.slice(0, 2), hash);
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
