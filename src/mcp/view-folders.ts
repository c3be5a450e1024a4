import type { FileEntry, Participant } from './participant.ts';

/** A peer's published program as a folder of the view. */
export interface StrategyFolder {
  readonly peer: string;
  readonly generation: number;
  readonly folder: string;
  /** Sorted by path. */
  readonly files: readonly FileEntry[];
}

/** The disclosed evaluation of one generation as a folder of the view. */
export interface EvaluationFolder {
  readonly generation: number;
  readonly folder: string;
  readonly files: readonly FileEntry[];
}

/** Strategies that the agent sees, sorted by peer; of each peer the newest generation. */
export function strategyFolders(participant: Participant): readonly StrategyFolder[] {
  const byPeer = new Map<string, FileEntry[]>();
  for (const file of participant.files()) {
    if (file.peer === undefined) continue;
    const files = byPeer.get(file.peer.agent) ?? [];
    if ((files[0]?.peer?.generation ?? 0) > file.peer.generation) continue;
    if ((files[0]?.peer?.generation ?? Infinity) < file.peer.generation) files.length = 0;
    files.push(file);
    byPeer.set(file.peer.agent, files);
  }
  return [...byPeer]
    .map(([peer, files]) => ({
      peer,
      generation: files[0]?.peer?.generation ?? 0,
      folder: folderOf(files[0]?.path ?? ''),
      files,
    }))
    .sort((a, b) => (a.peer < b.peer ? -1 : 1));
}

/** Evaluations that the agent sees, newest first. */
export function evaluationFolders(participant: Participant): readonly EvaluationFolder[] {
  const byFolder = new Map<string, FileEntry[]>();
  for (const file of participant.files()) {
    if (file.kind !== 'evaluation') continue;
    const folder = folderOf(file.path);
    const files = byFolder.get(folder) ?? [];
    files.push(file);
    byFolder.set(folder, files);
  }
  return [...byFolder]
    .map(([folder, files]) => ({ generation: Number(/gen_(\d+)$/.exec(folder)?.[1] ?? 0), folder, files }))
    .sort((a, b) => b.generation - a.generation);
}

/** The two components that name a strategy or an evaluation: `strategies/b_gen3`, `evals/gen_2`. */
function folderOf(path: string): string {
  return path.split('/').slice(0, 2).join('/');
}

/** A file's path inside its folder. */
export function pathInside(folder: string, path: string): string {
  return path.slice(folder.length + 1);
}
