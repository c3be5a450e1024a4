import { foldName } from './paths.ts';

/** The mirror's own folder inside an agent's folder, and the note it keeps for people. Never sent, never shown in the space. */
export const META_DIRECTORY = '.hivemark';
export const NOTE_FILE = 'HIVEMARK.md';

/** Names that editors and tools give to files that are gone a moment later, or that are their own business. */
const TEMPORARY: readonly RegExp[] = [
  /^\..*\.sw[a-z]$/u, // vim: .name.swp, .swo, .swx
  /^\..*\.swpx$/u,
  /^4913$|^5036$/u, // vim: may a file be made here?
  /~$/u, // vim, emacs, nano, gedit, kate: backups
  /^#.*#$/u, // emacs: auto-save
  /^\.#/u, // emacs: a lock, a symbolic link that leads nowhere
  /^___jb_(?:tmp|old|bak)___|___jb_(?:tmp|old|bak)___$/u, // JetBrains: safe write
  /\.vsctmp$/u, // VS Code: atomic save
  /^\.goutputstream-/u, // GLib: gedit, GNOME
  /\.kate-swp$/u,
  /\.subl[^.]*\.tmp$/u,
  /\.crswap$/u,
  /\.(?:tmp|temp|part|partial)$/u,
  /\.tmp[.-][\w.-]+$/u, // write-file-atomic and its kin: name.tmp.1234.5678
  /^sed[A-Za-z0-9]{6}$/u, // sed -i
  /^\.fuse_hidden|^\.nfs[0-9a-f]+$/u,
  /^\.DS_Store$|^\._|^Thumbs\.db$|^desktop\.ini$/u,
];

/** Folders that tools fill for themselves. */
const TOOL_DIRECTORIES = new Set(['node_modules', '__pycache__']);

/** An editor's or a tool's temporary file, by its last component. */
export function isTemporaryName(path: string): boolean {
  const name = path.slice(path.lastIndexOf('/') + 1);
  return TEMPORARY.some((pattern) => pattern.test(name));
}

/** Is `path` the mirror's own: its folder, what is in it, its note? By fold, as careless file systems compare. */
export function isMeta(path: string): boolean {
  const first = foldName(path.split('/', 1)[0] ?? '');
  return first === foldName(META_DIRECTORY) || (first === foldName(NOTE_FILE) && !path.includes('/'));
}

const CONFLICT = /\.conflict-\d+(?:\.[^./]*)?$/u;

/** A local copy that a conflict left. */
export function isConflictCopy(path: string): boolean {
  return CONFLICT.test(path);
}

/** `task_agent.ts`, 2 -> `task_agent.conflict-2.ts`. The same name for the same two. */
export function conflictCopyOf(path: string, n: number): string {
  const slash = path.lastIndexOf('/') + 1;
  const dot = path.lastIndexOf('.');
  // A name that starts with its only dot has no extension.
  const cut = dot > slash ? dot : path.length;
  return `${path.slice(0, cut)}.conflict-${n}${path.slice(cut)}`;
}

/**
 * What stays the person's own where the view has no such file: the mirror's folder, conflict copies, temporary files, and
 * whatever tools keep beside a program (names that start with a dot, `node_modules`). Neither sent nor touched.
 */
export function isLeftAlone(path: string): boolean {
  if (isMeta(path) || isConflictCopy(path) || isTemporaryName(path)) return true;
  return path.split('/').some((name) => name.startsWith('.') || TOOL_DIRECTORIES.has(name) || isTemporaryName(name));
}
