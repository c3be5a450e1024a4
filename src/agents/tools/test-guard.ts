import type { Denial, EditScope, Outcome, ToolUse } from '../../guard/decision.ts';
import { toolUseDenial } from '../../guard/policies/edit-scope.ts';
import { at, treeOf } from '../../materialize/test-marks.ts';
import { Workspace } from '../../materialize/workspace.ts';
import type { RunShell, ShellResult } from '../../sandbox/sandbox.ts';
import { parseScopeName } from '../../space/scope.ts';
import type { ToolCall } from '../model.ts';
import { createToolbox, type ToolRead, type ToolResult, type Use } from './toolbox.ts';

/** The guard's own policy for tool uses, with a record per call and no log behind it. */
export function recordingUse(edit: Partial<EditScope> = {}): {
  readonly use: Use;
  readonly records: (ToolUse & { code?: string })[];
} {
  const scope: EditScope = {
    scope: parseScopeName('agents/a'),
    editable: ['task_agent.ts', 'meta_agent.ts', 'new.ts'],
    required: ['task_agent.ts', 'meta_agent.ts'],
    maxFileBytes: 65_536,
    ...edit,
  };
  const records: (ToolUse & { code?: string })[] = [];
  const use = async (what: ToolUse, refuse?: Denial): Promise<Outcome> => {
    const denial = refuse ?? toolUseDenial(scope, what);
    records.push(denial === undefined ? what : { ...what, code: denial.code });
    return denial === undefined ? { verdict: 'allow' } : { verdict: 'denied', denial };
  };
  return { use, records };
}

/** A shell that answers without running anything. */
export function answeringShell(answer: Partial<ShellResult>): RunShell {
  return async () => ({
    status: 'done',
    exitCode: 0,
    stdout: '',
    stderr: '',
    changed: {},
    reads: [],
    wallMs: 1,
    ...answer,
  });
}

interface Bench {
  readonly workspace: Workspace;
  readonly records: readonly (ToolUse & { code?: string })[];
  readonly reads: readonly ToolRead[];
  readonly failures: readonly unknown[];
  call(name: string, args: ToolCall['arguments'], malformed?: string): Promise<ToolResult>;
  textOf(path: string): string | undefined;
}

export const OWN = { 'task_agent.ts': 'export const x = 1;\n', 'meta_agent.ts': 'export const m = 1;\n' };

/** Agent a with its two files, one evaluation, and what b published. */
export function benchOf(
  options: {
    readonly peer?: Readonly<Record<string, string>>;
    readonly shell?: RunShell;
    readonly limit?: number;
    readonly use?: Use;
    readonly edit?: Partial<EditScope>;
  } = {},
): Bench {
  const workspace = new Workspace(treeOf(OWN, options.peer ?? { 'task_agent.ts': 'export const peer = 1;\n' }));
  const { use, records } = recordingUse(options.edit);
  const reads: ToolRead[] = [];
  const failures: unknown[] = [];
  const toolbox = createToolbox({
    workspace,
    use: options.use ?? use,
    shell: options.shell ?? answeringShell({}),
    toolCallLimit: options.limit ?? 40,
    onRead: (read) => reads.push(read),
    onFailure: (_tool, error) => failures.push(error),
  });
  let calls = 0;
  return {
    workspace,
    records,
    reads,
    failures,
    call(name, args, malformed) {
      calls += 1;
      return toolbox.call({
        id: `call_${calls}`,
        name,
        arguments: args,
        ...(malformed === undefined ? {} : { malformed }),
      });
    },
    textOf: (path) => workspace.read(at(path)),
  };
}
