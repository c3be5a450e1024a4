import { cutAt } from '../materialize/numbered-lines.ts';
import { canonicalPath, isWithin } from '../materialize/paths.ts';
import type { FileEntry, Participant } from './participant.ts';
import { quoted } from './protocol-handlers.ts';
import type { Denied, Given } from './tool.ts';

/** Characters of a file's text that one answer of a tool carries; the rest is had with `view` and its range. */
export const TEXT_CHARS = 100_000;

/** @see textShape */
export interface FileText {
  readonly path: string;
  readonly text: string;
  readonly sha256: string;
  readonly bytes: number;
  readonly clipped: boolean;
  readonly files: readonly string[];
}

/**
 * Reads one file of a folder of the view, on record as a read by `tool`. What the agent reads is the text alone, one block of it: a note
 * about clipping is a block of its own.
 */
export async function readInside(
  participant: Participant,
  tool: string,
  folder: { readonly folder: string; readonly files: readonly FileEntry[] },
  inner: string,
): Promise<Given<FileText> | Denied> {
  const root = canonicalPath(folder.folder);
  const parsed = canonicalPath(`${folder.folder}/${inner}`);
  if (!parsed.ok || !root.ok || !isWithin(parsed.path, root.path)) {
    const problem = `the path ${quoted(inner)} ${parsed.ok ? `leads out of ${folder.folder}` : parsed.refusal.problem}`;
    await participant.refuse(tool, problem);
    return { ok: false, code: 'malformed', message: problem };
  }
  const read = await participant.read(parsed.path, tool);
  if (!read.ok) return read;
  const { path, sha256, bytes } = read.file;
  const text = cutAt(read.text, TEXT_CHARS);
  const clipped = text.length < read.text.length;
  return {
    ok: true,
    value: { path, text, sha256, bytes, clipped, files: folder.files.map((file) => file.path) },
    text,
    notes: clipped
      ? [
          `[clipped after ${text.length} of ${read.text.length} characters; view ${JSON.stringify(path)} with view_range shows the rest]`,
        ]
      : [],
  };
}
