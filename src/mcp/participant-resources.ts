import { McpError, type ReadResourceResult, type Resource } from '@modelcontextprotocol/sdk/types.js';
import { markPage } from './mark-pages.ts';
import { FIELD_CHARS, markJson } from './marks-json.ts';
import { badCursor, cursorOf, readCursor } from './paging.ts';
import type { FileEntry, Participant } from './participant.ts';
import { cursorParam, type Handler, RESOURCE_NOT_FOUND, stringParam } from './protocol-handlers.ts';
import { fileUri, MARKS_URI, MAX_URI_CHARS, parseResourceUri, STANDING_URI, strategyUri } from './resource-uris.ts';
import type { ResourceTarget } from './resource-uris.ts';
import { strategyFolders } from './view-folders.ts';

/** Files of one page of `resources/list`. */
const PAGE_FILES = 200;
/** Marks of the resource that lists the newest. */
const NEWEST_MARKS = 50;
/** What reads by way of a resource are called on record. */
const TOOL = 'resources/read';
const JSON_TYPE = 'application/json';

const FILE_DESCRIPTIONS: Readonly<Record<FileEntry['kind'], string>> = {
  own: 'A file of your own program.',
  evaluation: 'Part of a disclosed evaluation of one of your programs.',
  strategy: "A file of a peer's published best program. Reading it is on record.",
};

/** `resources/list`: what there always is, a resource per peer that has published, then every file of the view. */
export function listResources(participant: Participant): Handler {
  return (params) => {
    const cursor = cursorParam(params);
    const after = cursor === undefined ? '' : readCursor(cursor);
    if (after === undefined) throw badCursor();
    const files = participant.files().filter(({ path }) => path > after);
    const page = files.slice(0, PAGE_FILES);
    const last = page.at(-1);
    const first = cursor === undefined ? [...ALWAYS, ...strategyFolders(participant).map(strategyResource)] : [];
    return Promise.resolve({
      resources: [...first, ...page.map(fileResource)],
      ...(files.length > page.length && last !== undefined ? { nextCursor: cursorOf(last.path) } : {}),
    });
  };
}

/** `resources/read`. Text of files is given whole, in one block: the guard bounds how large a file gets. */
export function readResource(participant: Participant): Handler {
  return async (params): Promise<ReadResourceResult> => {
    let uri: string;
    let target: ResourceTarget;
    try {
      uri = stringParam(params, 'uri', MAX_URI_CHARS);
      target = parseResourceUri(uri);
    } catch (error) {
      await participant.refuse(TOOL, 'the URI is not that of a resource');
      throw error;
    }
    const { mimeType, text } = await contentOf(participant, uri, target);
    return { contents: [{ uri, mimeType, text }] };
  };
}

async function contentOf(
  participant: Participant,
  uri: string,
  target: ResourceTarget,
): Promise<{ readonly mimeType: string; readonly text: string }> {
  switch (target.kind) {
    case 'file':
      return fileContent(participant, uri, target.path);
    case 'strategy-file': {
      const folder = strategyFolders(participant).find(({ peer }) => peer === target.peer)?.folder;
      // Nothing is there under the peer's own name: a peer that has not published is refused like any path that is not there.
      return fileContent(participant, uri, `${folder ?? `strategies/${target.peer}`}/${target.path}`);
    }
    case 'strategy': {
      const strategy = strategyFolders(participant).find(({ peer }) => peer === target.peer);
      if (strategy === undefined) throw await notFound(participant, uri);
      const known = participant.standing().peers.find(({ agent }) => agent === target.peer);
      return json({ ...strategy, score: known?.score ?? null, model: known?.model ?? null });
    }
    case 'mark': {
      const mark = participant.mark(target.id);
      if (mark === undefined) throw await notFound(participant, uri);
      return json(markJson(mark));
    }
    case 'marks': {
      const page = markPage(participant, {}, NEWEST_MARKS, undefined);
      return json({ marks: (page?.marks ?? []).map((mark) => markJson(mark, FIELD_CHARS.listed)) });
    }
    case 'standing':
      return json(participant.standing());
  }
}

async function fileContent(
  participant: Participant,
  uri: string,
  path: string,
): Promise<{ readonly mimeType: string; readonly text: string }> {
  const read = await participant.read(path, TOOL);
  if (read.ok) return { mimeType: mimeTypeOf(read.file.path), text: read.text };
  throw new McpError(RESOURCE_NOT_FOUND, read.message, { uri, code: read.code });
}

async function notFound(participant: Participant, uri: string): Promise<McpError> {
  await participant.refuse(TOOL, 'there is no such resource');
  return new McpError(RESOURCE_NOT_FOUND, 'there is no such resource that you may see', { uri });
}

function json(value: unknown): { readonly mimeType: string; readonly text: string } {
  return { mimeType: JSON_TYPE, text: JSON.stringify(value) };
}

const ALWAYS: readonly Resource[] = [
  {
    uri: STANDING_URI,
    name: 'standing',
    title: 'Your standing and budget',
    description: 'Round and phase of the run, your best, what peers have published, what is left of your budget.',
    mimeType: JSON_TYPE,
  },
  {
    uri: MARKS_URI,
    name: 'marks',
    title: 'The newest marks',
    description: `The ${NEWEST_MARKS} newest marks that you may see, newest first.`,
    mimeType: JSON_TYPE,
  },
];

function strategyResource({ peer }: { readonly peer: string }): Resource {
  return {
    uri: strategyUri(peer),
    name: `strategies/${peer}`,
    description: "What a peer's published best program is. Subscribe to hear of a new best.",
    mimeType: JSON_TYPE,
  };
}

function fileResource({ path, bytes, kind }: FileEntry): Resource {
  return {
    uri: fileUri(path),
    name: path,
    description: FILE_DESCRIPTIONS[kind],
    mimeType: mimeTypeOf(path),
    size: bytes,
  };
}

function mimeTypeOf(path: string): string {
  if (path.endsWith('.ts')) return 'text/typescript';
  if (path.endsWith('.json')) return JSON_TYPE;
  return path.endsWith('.md') ? 'text/markdown' : 'text/plain';
}

/** `resources/templates/list`: one page. */
export const listTemplates: Handler = () => Promise.resolve({ resourceTemplates: TEMPLATES });

/** Templates by URI, each with the names that `completion/complete` may ask for. */
const TEMPLATES = [
  {
    uriTemplate: 'hivemark://files/{+path}',
    name: 'file',
    title: 'A file of your view',
    description: 'Text of one file: your own, of an evaluation, or of a strategy.',
  },
  {
    uriTemplate: 'hivemark://strategies/{peer}',
    name: 'strategy',
    title: "A peer's published best",
    description: 'What it is and which files it has.',
    mimeType: JSON_TYPE,
  },
  {
    uriTemplate: 'hivemark://strategies/{peer}/{+path}',
    name: 'strategy-file',
    title: "A file of a peer's published best",
    description: 'Its text in the newest program that the peer has published.',
  },
  {
    uriTemplate: 'hivemark://marks/{+id}',
    name: 'mark',
    title: 'A mark',
    description: 'One mark that you may see.',
    mimeType: JSON_TYPE,
  },
];
