import { createReadStream } from 'node:fs';

const LF = 10;
const CR = 13;

/** One line of a file, without its line end. `text` is null where the bytes are not held; `problem` says why. */
export type FileLine =
  | { readonly number: number; readonly text: string }
  | { readonly number: number; readonly text: null; readonly problem: 'longer than the limit' | 'not UTF-8' };

/** Where reading begins, in bytes; it is moved to the end of every line before that line is given. */
export interface LinePlace {
  at: number;
}

/**
 * Lines of a UTF-8 file, one at a time, holding at most `maxBytes` of a line (and one chunk of the file) in memory: a longer line
 * is passed over. LF and CRLF end a line; a byte order mark is dropped; the last line needs no end.
 *
 * @param place - begin there, which should be the start of a line; lines are numbered from there. @default the start of the file
 * @throws what the file system throws, when the file cannot be opened or read
 */
export async function* readLines(
  path: string,
  maxBytes: number,
  place: LinePlace = { at: 0 },
): AsyncGenerator<FileLine> {
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let parts: Buffer[] = [];
  let held = 0;
  let tooLong = false;
  let number = 0;
  /** Offset of the chunk. */
  let base = place.at;

  const take = (bytes: Buffer): void => {
    if (tooLong || bytes.length === 0) return;
    if (held + bytes.length > maxBytes) {
      tooLong = true;
      parts = [];
      held = 0;
      return;
    }
    parts.push(bytes);
    held += bytes.length;
  };
  const finish = (): FileLine => {
    number++;
    const line = lineOf(decoder, number, tooLong ? undefined : Buffer.concat(parts, held));
    parts = [];
    held = 0;
    tooLong = false;
    return line;
  };

  for await (const chunk of createReadStream(path, { start: base }) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, from)) {
      take(chunk.subarray(from, end));
      from = end + 1;
      place.at = base + from;
      yield finish();
    }
    take(chunk.subarray(from));
    base += chunk.length;
  }
  if (held > 0 || tooLong) {
    place.at = base;
    yield finish();
  }
}

function lineOf(decoder: InstanceType<typeof TextDecoder>, number: number, bytes: Buffer | undefined): FileLine {
  if (!bytes) return { number, text: null, problem: 'longer than the limit' };
  const end = bytes.at(-1) === CR ? bytes.length - 1 : bytes.length;
  try {
    const text = decoder.decode(bytes.subarray(0, end));
    return { number, text: number === 1 && text.startsWith('\ufeff') ? text.slice(1) : text };
  } catch {
    return { number, text: null, problem: 'not UTF-8' };
  }
}
