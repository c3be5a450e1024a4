import type { Client } from '@modelcontextprotocol/sdk/client/index.js';
import {
  ResourceListChangedNotificationSchema,
  ResourceUpdatedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { beforeEach, describe, expect, test } from 'vitest';
import { participantServer } from './participant-server.ts';
import { MAX_SUBSCRIPTIONS } from './resource-watch.ts';
import { callTool, connectInMemory, until } from './test-mcp-client.ts';
import { openTestSeat, type TestSeat } from './test-seat.ts';

let bench: TestSeat;
let client: Client;
let updated: string[];
let listChanges: number;

beforeEach(async () => {
  bench = await openTestSeat();
  updated = [];
  listChanges = 0;
  ({ client } = await connectInMemory(participantServer(bench.seat)));
  client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => void updated.push(params.uri));
  client.setNotificationHandler(ResourceListChangedNotificationSchema, () => void (listChanges += 1));
});

/** Long enough for whatever was going to be told to have been told. */
const quiet = () => new Promise((resolve) => setTimeout(resolve, 120));

describe('a subscriber hears', () => {
  test('of a new best of a peer, by its index and by its files that are other', async () => {
    await client.subscribeResource({ uri: 'hivemark://strategies/bob' });
    await client.subscribeResource({ uri: 'hivemark://strategies/bob/task_agent.ts' });
    await client.subscribeResource({ uri: 'hivemark://strategies/bob/same.ts' });
    await client.subscribeResource({ uri: 'hivemark://strategies/bea' });
    await bench.publish('bob', 1, { 'task_agent.ts': 'one', 'same.ts': 's' });
    await until(() => updated.length >= 3);
    expect(updated.toSorted()).toEqual([
      'hivemark://strategies/bob',
      'hivemark://strategies/bob/same.ts',
      'hivemark://strategies/bob/task_agent.ts',
    ]);
    updated.length = 0;
    await bench.publish('bob', 4, { 'task_agent.ts': 'four', 'same.ts': 's' });
    await until(() => updated.length >= 2);
    await quiet();
    expect(updated.toSorted()).toEqual(['hivemark://strategies/bob', 'hivemark://strategies/bob/task_agent.ts']);
  });

  test('of an edit, under the URI that it subscribed to, and only of what it subscribed to', async () => {
    await client.subscribeResource({ uri: 'hivemark://files/task%5Fagent.ts' });
    await callTool(client, 'create', { path: 'notes.md', file_text: 'x' });
    await callTool(client, 'str_replace', { path: 'task_agent.ts', old_str: 'x = 1', new_str: 'x = 2' });
    await until(() => updated.length > 0);
    await quiet();
    expect(updated).toEqual(['hivemark://files/task%5Fagent.ts']);
  });

  test('of marks and standing', async () => {
    await client.subscribeResource({ uri: 'hivemark://marks' });
    await client.subscribeResource({ uri: 'hivemark://standing' });
    await bench.note('t', 'c');
    await until(() => updated.includes('hivemark://marks'));
    expect(updated).not.toContain('hivemark://standing');
    await callTool(client, 'submit');
    await until(() => updated.includes('hivemark://standing'));
  });

  test('of the answer to a need', async () => {
    const { structuredContent } = await callTool(client, 'write_need', { question: 'May I?' });
    const { id } = (structuredContent as { mark: { id: string } }).mark;
    await client.subscribeResource({ uri: `hivemark://marks/${id}` });
    await bench.note('something else', 1);
    await quiet();
    expect(updated).toEqual([]);
    await bench.resolve(id);
    await until(() => updated.length > 0);
    expect(updated).toEqual([`hivemark://marks/${id}`]);
  });

  test('nothing more once it has unsubscribed', async () => {
    const uri = 'hivemark://marks';
    await client.subscribeResource({ uri });
    await bench.note('one', 1);
    await until(() => updated.length === 1);
    await client.unsubscribeResource({ uri });
    await bench.note('two', 2);
    await quiet();
    expect(updated).toEqual([uri]);
  });
});

test('a burst is told once', async () => {
  await client.subscribeResource({ uri: 'hivemark://marks' });
  const from = performance.now();
  // One after the other: marks that are written together are one commit anyway.
  for (let i = 0; i < 200; i += 1) await bench.note(`t${i}`, i);
  const tookMs = performance.now() - from;
  await until(() => updated.length > 0);
  await quiet();
  // Once for as long as changes are gathered (35 ms, of which 20 are the watch's), however long the burst was.
  expect(updated.length).toBeLessThanOrEqual(3 + tookMs / 20);
});

test('the list is told to be different when files come or go, not when one is edited', async () => {
  await callTool(client, 'str_replace', { path: 'task_agent.ts', old_str: 'x = 1', new_str: 'x = 2' });
  await quiet();
  expect(listChanges).toBe(0);
  await callTool(client, 'create', { path: 'notes.md', file_text: 'x' });
  await until(() => listChanges === 1);
});

describe('subscriptions are bounded', () => {
  test('a connection may have so many, and those it has go on', async () => {
    for (let i = 0; i < MAX_SUBSCRIPTIONS; i += 1) await client.subscribeResource({ uri: `hivemark://files/f${i}` });
    await expect(client.subscribeResource({ uri: 'hivemark://marks' })).rejects.toMatchObject({
      code: -32_600,
      message: expect.stringContaining('unsubscribe'),
    });
    await client.subscribeResource({ uri: 'hivemark://files/f3' });
    await client.unsubscribeResource({ uri: 'hivemark://files/f3' });
    await client.subscribeResource({ uri: 'hivemark://marks' });
  });

  test.each([
    'x',
    'hivemark://',
    'hivemark://secrets',
    'file:///etc/passwd',
  ])('%s cannot be subscribed to', async (uri) => {
    await expect(client.subscribeResource({ uri })).rejects.toMatchObject({ code: -32_602 });
  });
});

describe('when the connection ends', () => {
  test('nothing of it is held by the seat', async () => {
    await client.subscribeResource({ uri: 'hivemark://marks' });
    expect(bench.listeners()).toBe(1);
    await client.close();
    await until(() => bench.listeners() === 0);
  });

  test('the seat is let go of even when somebody took over onclose', async () => {
    const server = participantServer(bench.seat);
    await client.close();
    const { client: other } = await connectInMemory(server);
    // oxlint-disable-next-line unicorn/prefer-add-event-listener -- the SDK's server is no event target
    server.server.onclose = () => undefined;
    await until(() => bench.listeners() === 1);
    await other.close();
    expect(bench.listeners()).toBe(1);
    await bench.note('t', 1);
    await until(() => bench.listeners() === 0);
  });

  test('the others that share the seat go on', async () => {
    const { client: other } = await connectInMemory(participantServer(bench.seat));
    await client.subscribeResource({ uri: 'hivemark://marks' });
    await other.subscribeResource({ uri: 'hivemark://marks' });
    await other.close();
    await bench.note('t', 1);
    await until(() => updated.length === 1);
    expect(bench.listeners()).toBe(1);
  });
});
