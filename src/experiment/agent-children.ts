import type { Parser, Sandbox, ShellSession } from '../sandbox/sandbox.ts';
import type { ScopeName } from '../space/marks.ts';

/**
 * The children of the sandbox that each agent of a run keeps for all its generations, since starting one costs more than most
 * uses: a shell for its commands, and a parser for the files of its scope, whoever writes them. No two agents share one.
 */
export class AgentChildren {
  readonly #sandbox: Sandbox;
  readonly #shells = new Map<string, ShellSession>();
  readonly #parsers = new Map<string, Parser>();

  constructor(sandbox: Sandbox) {
    this.#sandbox = sandbox;
  }

  shell(agent: string): ShellSession {
    return kept(this.#shells, agent, () => this.#sandbox.openShell());
  }

  parser(scope: ScopeName): Parser {
    return kept(this.#parsers, scope, () => this.#sandbox.openParser());
  }

  close(): void {
    for (const child of [...this.#shells.values(), ...this.#parsers.values()]) child.close();
  }
}

function kept<T>(children: Map<string, T>, owner: string, open: () => T): T {
  const child = children.get(owner) ?? open();
  children.set(owner, child);
  return child;
}
