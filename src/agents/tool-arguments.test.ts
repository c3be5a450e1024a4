import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { BoundedText, MAX_ARGUMENT_CHARS, sentArguments, toolCallsOf } from './tool-arguments.ts';

function raw(id: string, text: string) {
  const args = new BoundedText(MAX_ARGUMENT_CHARS);
  args.add(text);
  return { id, name: 'n', arguments: args };
}

test('ids are distinct, order is kept, and no call is lost but exact repeats', () => {
  const wire = fc.record({
    id: fc.constantFrom('', 'a', 'a_2', 'b'),
    text: fc.constantFrom('{}', '{"x":1}', '{"x":2}', '{'),
  });
  fc.assert(
    fc.property(fc.array(wire), (calls) => {
      const made = toolCallsOf(
        calls.map(({ id, text }) => raw(id, text)),
        new Set(['a_2']),
      );
      expect(new Set(made.map(({ id }) => id)).size).toBe(made.length);
      expect(made.every(({ id }) => id !== '' && id !== 'a_2')).toBe(true);
      const firstOf = (id: string) => calls.find((call) => call.id === id);
      const isRepeat = (call: { id: string; text: string }) =>
        call.id !== '' && call !== firstOf(call.id) && call.text === firstOf(call.id)?.text;
      const wanted = calls.filter((call) => !isRepeat(call)).map(({ text }) => text);
      expect(made.map((call) => call.malformed ?? JSON.stringify(call.arguments))).toEqual(wanted);
    }),
  );
});

test('what is sent back is always a JSON object', () => {
  const sent = toolCallsOf([raw('a', '{'), raw('b', '[1]'), raw('c', '{"x":"\\ud800"}'), raw('d', '')]).map(
    sentArguments,
  );
  for (const value of sent) expect(JSON.parse(JSON.stringify(value))).toBeTypeOf('object');
  expect(sent.at(-1)).toEqual({});
});

test('__proto__ in arguments is a field like any other', () => {
  const [call] = toolCallsOf([raw('a', '{"__proto__":{"polluted":true}}')]);
  expect(Object.keys(call?.arguments ?? {})).toEqual(['__proto__']);
  expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
});

test('BoundedText keeps up to its limit and counts to the end', () => {
  const text = new BoundedText(5);
  for (const piece of ['abc', '', 'defg', 'hij']) text.add(piece);
  expect([text.text, text.chars, text.whole]).toEqual(['abcde', 10, false]);
});
