import { randomUUID } from 'node:crypto';
import { DiskFolder } from './disk-folder.ts';
import { MirrorLoop } from './mirror-loop.ts';
import { type DiskMirror, type DiskMirrorOptions, MIRROR_LIMITS } from './mirror-options.ts';
import { claimFolder, FolderLock } from './mirror-state.ts';

/**
 * Opens a folder as an agent's view and keeps the two in step: saves in the folder become changes in the space, changes in
 * the space become files. What the space refuses is put back; nobody's text is lost (see {@link planMirror}, {@link DiskFolder}).
 * Resolves after both sides were compared once; what was edited while nobody watched is sent then.
 *
 * @throws {FolderError} when the folder cannot be used; nothing in it was touched.
 * @throws {RemoteAwayError} when the space cannot be asked at the start.
 */
export async function openDiskMirror(options: DiskMirrorOptions): Promise<DiskMirror> {
  const limits = { ...MIRROR_LIMITS, ...options.limits };
  const now = options.now ?? Date.now;
  const folder = DiskFolder.open(options.dir, limits.maxFileBytes);
  let mirror: MirrorLoop;
  try {
    claimFolder(folder, options.identity);
    mirror = new MirrorLoop(options, limits, now, folder, new FolderLock(folder, randomUUID(), now()));
  } catch (error) {
    folder.close();
    throw error;
  }
  try {
    await mirror.start();
    return mirror;
  } catch (error) {
    await mirror.close();
    throw error;
  }
}
