import { isMeta } from './disk-names.ts';
import type { RemoteFile } from './mirror-remote.ts';
import { canonicalPath } from './paths.ts';

/** Why a folder cannot show a file; nothing where it can. The space is not trusted to name only what lies inside. */
export function unshowable(file: RemoteFile, maxFileBytes: number): string | undefined {
  const canonical = canonicalPath(file.path);
  if (!canonical.ok || canonical.path !== file.path) return 'is no path of a view and is not shown';
  if (isMeta(file.path)) return 'has a name that the folder needs itself and is not shown';
  if (file.path.split('/').some((name) => name.toLowerCase() === '.git'))
    return 'would be part of a repository and is not shown';
  if (file.bytes > maxFileBytes)
    return `is ${file.bytes} bytes, more than the ${maxFileBytes} that a folder shows, and is not shown`;
  return undefined;
}

/** Every directory that holds one of the paths. */
export function directoriesOf(paths: Iterable<string>): Set<string> {
  const directories = new Set<string>();
  for (const path of paths) {
    for (let slash = path.indexOf('/'); slash > 0; slash = path.indexOf('/', slash + 1))
      directories.add(path.slice(0, slash));
  }
  return directories;
}
