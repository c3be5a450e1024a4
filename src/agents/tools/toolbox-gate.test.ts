import { expect, test } from 'vitest';
import { openGate } from '../../guard/gate.ts';
import { at, treeOf } from '../../materialize/test-marks.ts';
import { Workspace } from '../../materialize/workspace.ts';
import { createMemoryLog } from '../../space/memory-log.ts';
import { parseAgentName, parseScopeName } from '../../space/scope.ts';
import { answeringShell, OWN } from './test-guard.ts';
import { createToolbox } from './toolbox.ts';

// The monitor lives outside what it watches: as many decision records as there were decisions to take, refused ones included.
test('over the real gate every call leaves one decision record, and a shell command one more per changed file', async () => {
  const agent = parseAgentName('a');
  const scope = parseScopeName('agents/a');
  const edit = { scope, editable: ['task_agent.ts'], required: ['task_agent.ts'], maxFileBytes: 1000 };
  const grants = [{ agent, read: [], write: [], edit }];
  const gate = await openGate({ log: createMemoryLog(), run: 'r', clock: () => 1, scopes: [], grants });
  const session = gate.session(agent, 'g1');
  const workspace = new Workspace(treeOf(OWN, { 'task_agent.ts': 'peer' }));
  const shell = answeringShell({
    changed: { '/task_agent.ts': null, '/evals/x': 'x', '/a\u0007': 'x', '/tmp/x': 'x' },
  });
  const use = session.use.bind(session);
  const toolbox = createToolbox({ workspace, use, shell, toolCallLimit: 6 });
  const calls = [
    ['editor', { command: 'view', path: '/' }],
    ['editor', { command: 'create', path: 'task_agent.ts', file_text: 'x'.repeat(1001) }],
    ['editor', { command: 'create', path: '../b/task_agent.ts', file_text: 'x' }],
    ['editor', { command: 'view', path: 'task_agent.ts', agent: 'b' }],
    ['launch', {}],
    ['bash', { command: 'true' }],
    ['editor', { command: 'create', path: 'task_agent.ts', file_text: 'late' }],
  ] as const;
  for (const [name, args] of calls) await toolbox.call({ id: 'c', name, arguments: args });

  const decisions = [];
  for await (const { body } of gate.records()) if (body.type === 'decision') decisions.push(body.decision);
  expect(decisions).toMatchObject([
    { agent: 'a', call: 'use', verdict: 'allow', subject: { tool: 'editor', operation: 'read' } },
    { verdict: 'denied', denial: { code: 'file-too-large' } },
    { verdict: 'denied', denial: { code: 'malformed', field: 'path' } },
    { verdict: 'denied', denial: { code: 'malformed', field: 'agent' } },
    { verdict: 'denied', denial: { code: 'malformed', field: 'name' } },
    { verdict: 'allow', subject: { tool: 'bash', operation: 'run' } },
    { verdict: 'denied', denial: { code: 'required-file', path: 'task_agent.ts' } },
    { verdict: 'denied', denial: { code: 'malformed', field: 'path' } },
    { verdict: 'denied', denial: { code: 'not-editable', path: 'evals/x' } },
    { verdict: 'denied', denial: { code: 'tool-budget', used: 6, limit: 6 } },
  ]);
  expect(workspace.read(at('task_agent.ts'))).toBe(OWN['task_agent.ts']);
  expect(workspace.changes()).toEqual([]);
  await gate.close();
});
