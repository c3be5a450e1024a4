import { fc, test as property } from '@fast-check/vitest';
import { expect, test } from 'vitest';
import { fileUri, markUri, parseResourceUri, strategyUri } from './resource-uris.ts';

const path = fc
  .array(
    fc.string({ unit: 'binary', minLength: 1 }).filter((s) => !s.includes('/') && s.isWellFormed()),
    { minLength: 1, maxLength: 4 },
  )
  .map((parts) => parts.join('/'));

property.prop([path])('a URI that was made of a path or an id names it, as any client would spell it', (name) => {
  expect(parseResourceUri(fileUri(name))).toEqual({ kind: 'file', path: name });
  expect(parseResourceUri(markUri(name))).toEqual({ kind: 'mark', id: name });
  expect(parseResourceUri(`hivemark://strategies/bob/${name.split('/').map(encodeURIComponent).join('/')}`)).toEqual({
    kind: 'strategy-file',
    peer: 'bob',
    path: name,
  });
  expect(parseResourceUri(`hivemark://files/${encodeURIComponent(name)}`)).toEqual({ kind: 'file', path: name });
});

property.prop([fc.string({ unit: 'binary', maxLength: 200 })])(
  'anything else is refused, never anything worse',
  (text) => {
    for (const uri of [text, `hivemark://${text}`, `hivemark://strategies/${text}`]) {
      try {
        parseResourceUri(uri);
      } catch (error) {
        expect(error).toMatchObject({ name: 'McpError', code: -32_602 });
      }
    }
  },
);

test('a peer is an agent name', () => {
  expect(parseResourceUri(strategyUri('bob'))).toEqual({ kind: 'strategy', peer: 'bob' });
  for (const peer of ['..', 'Bob', '%2e%2e', 'a b', ''])
    expect(() => parseResourceUri(strategyUri(peer))).toThrow('hivemark://');
});
