import type { DisposableChild } from './disposable-child.ts';
import { CHILD_LIMITS } from './limits.ts';

/**
 * Looks at a child's resident size while `active()` and calls `over` when it is beyond twice `memoryMb` plus the slack: what lies
 * outside the isolate's heap (resizable buffers, large arrays) escapes the heap limit. Linux only.
 * @returns stops watching
 */
export function watchResident(
  child: DisposableChild,
  memoryMb: number,
  active: () => boolean,
  over: () => void,
): () => void {
  if (process.platform !== 'linux') return () => {};
  const capBytes = (2 * memoryMb + CHILD_LIMITS.residentSlackMb) * 1024 ** 2;
  const timer = setInterval(() => {
    if (!active()) return;
    const bytes = child.residentBytes();
    if (bytes !== undefined && bytes > capBytes) over();
  }, CHILD_LIMITS.residentPollMs).unref();
  return () => clearInterval(timer);
}
