import { describe, expect, it } from 'vitest';
import { InvalidManifestError, parseManifest } from './manifest.ts';

const filter = {
  agent: 'filter',
  inputs: [{ scope: 'raw', topic: 'temperature' }],
  outputs: [{ kind: 'observation', scope: 'clean', topic: 'temperature' }],
  everyMs: 1000,
};

describe('parseManifest()', () => {
  it('reads what an agent says of itself', () => {
    expect(parseManifest(filter)).toEqual(filter);
    expect(parseManifest({ agent: 'a', inputs: [], outputs: [] })).toEqual({ agent: 'a', inputs: [], outputs: [] });
  });

  it.each([
    ['no object', 'filter', '', 'the manifest is not one: it '],
    [
      'an unknown field',
      { ...filter, every: 5 },
      'every',
      'of "filter" is not one: every is not a field of a manifest',
    ],
    [
      'an unknown field of an output',
      { ...filter, outputs: [{ kind: 'need', scope: 'a', to: 1 }] },
      'outputs.0.to',
      'outputs.0.to is not',
    ],
    [
      'an unknown field of an input',
      { ...filter, inputs: [{}, { topics: 'a' }] },
      'inputs.1.topics',
      'inputs.1.topics',
    ],
    [
      'a name that is none',
      { ...filter, agent: 'The Filter' },
      'agent',
      'of "The Filter" is not one: agent is not the name',
    ],
    ['an interval of no length', { ...filter, everyMs: 0 }, 'everyMs', 'everyMs'],
    ['an interval without end', { ...filter, everyMs: Infinity }, 'everyMs', 'everyMs'],
    [
      'a need with a topic',
      { ...filter, outputs: [{ kind: 'need', scope: 'a', topic: 't' }] },
      'outputs.0.topic',
      'have none',
    ],
    [
      'a scope that is none',
      { ...filter, outputs: [{ kind: 'need', scope: '/a' }] },
      'outputs.0.scope',
      'is not the name of a scope',
    ],
    [
      'an input that no mark can match',
      { ...filter, inputs: [{ kind: 'intent', topic: 't' }] },
      'inputs.0',
      'has none',
    ],
    ['nothing of what it writes', { agent: 'a', inputs: [] }, 'outputs', 'outputs'],
  ])('refuses %s', (_, input, field, message) => {
    let error: unknown;
    try {
      parseManifest(input);
    } catch (caught) {
      error = caught;
    }
    expect(error).toBeInstanceOf(InvalidManifestError);
    expect(error).toMatchObject({ field, message: expect.stringContaining(message) as unknown });
  });
});
