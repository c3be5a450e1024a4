import { relative, sep } from 'node:path';
import { type FSWatcher, watch } from 'chokidar';

export interface FolderWatch {
  /** Nothing at or below the path is watched. */
  readonly isSkipped: (path: string) => boolean;
  /** Something is, was or changed at the path; the empty path is the folder itself. */
  readonly onEvent: (path: string, isDirectory: boolean) => void;
  /** Something happened, whatever came of it. */
  readonly onStir: () => void;
  readonly onError: (problem: string) => void;
}

/** Watches a folder (a path without links) by the system's events; resolves once it does. Links are events, and not followed. */
export async function watchFolder(
  dir: string,
  { isSkipped, onEvent, onStir, onError }: FolderWatch,
): Promise<FSWatcher> {
  const pathOf = (path: string): string => {
    const inside = relative(dir, path);
    return sep === '/' ? inside : inside.replaceAll(sep, '/');
  };
  const watcher = watch(dir, {
    followSymlinks: false,
    // Saves by temporary file and rename are the mirror's business: waiting for them here would cost 100 ms each.
    atomic: false,
    ignoreInitial: true,
    ignorePermissionErrors: true,
    ignored: (path) => isSkipped(pathOf(path)),
  });
  watcher.on('all', (event, path) => onEvent(pathOf(path), event.endsWith('Dir')));
  watcher.on('raw', onStir);
  watcher.on('error', (error) => onError(error instanceof Error ? error.message : 'unknown'));
  await new Promise<void>((resolve) => watcher.once('ready', resolve));
  return watcher;
}
