/** Why a folder cannot be an agent's view. */
export type FolderProblem =
  | { readonly code: 'folder-not-empty'; readonly entries: readonly string[] }
  | { readonly code: 'folder-taken'; readonly by: string }
  | { readonly code: 'folder-busy'; readonly pid: number }
  | { readonly code: 'folder-unusable'; readonly what: string };

/** The folder could not be opened as an agent's view; nothing in it was touched. */
export class FolderError extends Error {
  override readonly name = 'FolderError';
  readonly code: FolderProblem['code'];
  readonly problem: FolderProblem;

  constructor(dir: string, problem: FolderProblem, options: { readonly cause?: unknown } = {}) {
    super(textOf(dir, problem), options);
    this.code = problem.code;
    this.problem = problem;
  }
}

/** The folder went away, or became another, while it was kept in step. The space is as it was. */
export class FolderGoneError extends Error {
  override readonly name = 'FolderGoneError';
  readonly code = 'folder-gone';

  constructor(dir: string, what: string) {
    super(`the folder ${dir} ${what}; nothing was deleted in the space. Join again to get the files back`);
  }
}

function textOf(dir: string, problem: FolderProblem): string {
  switch (problem.code) {
    case 'folder-not-empty': {
      const named = problem.entries.slice(0, 5).join(', ');
      const more = problem.entries.length > 5 ? ` and ${problem.entries.length - 5} more` : '';
      return `the folder ${dir} is not empty (${named}${more}) and was not made by a join; name a new or an empty folder`;
    }
    case 'folder-taken':
      return `the folder ${dir} was joined as ${problem.by}; name another folder, or join as that`;
    case 'folder-busy':
      return `the folder ${dir} is kept in step by another process (${problem.pid}); end that one first`;
    case 'folder-unusable':
      return `the folder ${dir} ${problem.what}`;
  }
}
