import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defineScope } from '../space/scope.ts';
import { agentName, observationOf, scopeName, warningOf, actionOf, intentOf, needOf } from '../space/test-marks.ts';
import { matchesPattern, type WatchPattern } from '../space/watch.ts';
import type { Mark } from '../space/marks.ts';
import { MARK_KINDS } from '../space/marks.ts';
import { type Grant, rightsFor } from './grants.ts';
import type { Manifest, ManifestOutput } from './manifest.ts';
import { describeProblem, type Problem, validatePipeline } from './pipeline.ts';
import { cyclesIn } from './pipeline-cycles.ts';

const RAW = scopeName('raw');
const CLEAN = scopeName('clean');
const ALERTS = scopeName('alerts');
const DEFINITIONS = [
  defineScope({ name: RAW, observationTopics: ['*'] }),
  defineScope({ name: CLEAN, observationTopics: ['heat', 'noise'] }),
  defineScope({ name: ALERTS, visibility: 'classified', warningTopics: ['*'] }),
];

const observes = (scope: Grant['read'][number], topic?: string): ManifestOutput => ({
  kind: 'observation',
  scope,
  ...(topic === undefined ? {} : { topic }),
});
const manifest = (name: string, inputs: readonly WatchPattern[], outputs: readonly ManifestOutput[]): Manifest => ({
  agent: agentName(name),
  inputs,
  outputs,
});
const grant = (name: string, write: Grant['write'], read: Grant['read'] = []): Grant => ({
  agent: agentName(name),
  read,
  write,
});

const SENSOR = manifest('sensor', [], [observes(RAW, 'heat')]);
const FILTER = manifest('filter', [{ scope: RAW, topic: 'heat' }], [observes(CLEAN, 'heat')]);
const ALERTER = manifest(
  'alerter',
  [{ under: CLEAN, kind: 'observation' }],
  [{ kind: 'warning', scope: ALERTS, topic: 'fire' }],
);
const MANIFESTS = [SENSOR, FILTER, ALERTER];
const GRANTS = [
  grant('sensor', [{ kind: 'observation', scope: RAW }]),
  grant('filter', [{ kind: 'observation', scope: CLEAN, topics: ['heat'] }]),
  grant('alerter', [{ kind: 'warning', scope: ALERTS }]),
];

describe('validatePipeline()', () => {
  it('finds nothing wrong with a pipeline that is in order', () => {
    expect(validatePipeline(MANIFESTS, GRANTS, DEFINITIONS)).toEqual([]);
  });

  const problemsOf = (...args: Parameters<typeof validatePipeline>): readonly Problem['code'][] =>
    validatePipeline(...args).map(({ code }) => code);

  it('finds outputs beyond what their agent may write (P54)', () => {
    const nosy = manifest('sensor', [], [observes(RAW, 'heat'), observes(CLEAN, 'heat'), { kind: 'need', scope: RAW }]);
    expect(validatePipeline([nosy], GRANTS, DEFINITIONS)).toEqual([
      { code: 'no-right', agent: 'sensor', output: observes(CLEAN, 'heat') },
      { code: 'no-right', agent: 'sensor', output: { kind: 'need', scope: RAW } },
    ]);
  });

  it.each([
    ['that the right leaves out', observes(CLEAN, 'noise')],
    ['that the scope leaves out', observes(CLEAN, 'smell')],
    ['left open where topics are limited', observes(CLEAN)],
  ])('finds topics %s (P54)', (_, output) => {
    expect(validatePipeline([manifest('filter', [], [output])], GRANTS, DEFINITIONS)).toEqual([
      { code: 'topic-not-allowed', agent: 'filter', output },
    ]);
  });

  it('finds topics that the scope leaves out, whatever the right (P54)', () => {
    const free = grant('filter', [{ kind: 'observation', scope: CLEAN }]);
    const output = observes(CLEAN, 'smell');
    expect(validatePipeline([manifest('filter', [], [output])], [free], DEFINITIONS)).toEqual([
      { code: 'topic-not-allowed', agent: 'filter', output },
    ]);
  });

  it('finds inputs that nobody feeds, unless they come from outside', () => {
    expect(validatePipeline([FILTER, ALERTER], GRANTS, DEFINITIONS)).toEqual([
      { code: 'no-producer', agent: 'filter', input: FILTER.inputs[0] },
    ]);
    expect(validatePipeline([FILTER, ALERTER], GRANTS, DEFINITIONS, [observes(RAW)])).toEqual([]);
    expect(problemsOf([FILTER, ALERTER], GRANTS, DEFINITIONS, [observes(RAW, 'noise')])).toEqual(['no-producer']);
    const choosy = manifest('filter', [{ scope: RAW, agent: agentName('other') }], []);
    expect(problemsOf([SENSOR, choosy], GRANTS, DEFINITIONS)).toEqual(['no-producer']);
  });

  it('takes an output in a scope for one in every scope below it', () => {
    const below = scopeName('raw/kitchen');
    const consumers = [manifest('filter', [{ scope: below }, { under: below }], [])];
    expect(problemsOf([SENSOR, ...consumers], GRANTS, DEFINITIONS)).toEqual([]);
    const kitchen = manifest('sensor', [], [observes(below, 'heat')]);
    const beside = [{ scope: RAW }, { under: scopeName('raw/kitch') }, { under: RAW }];
    expect(validatePipeline([kitchen, manifest('filter', beside, [])], GRANTS, DEFINITIONS)).toMatchObject([
      { code: 'no-producer', input: { scope: RAW } },
      { code: 'no-producer', input: { under: 'raw/kitch' } },
    ]);
  });

  it('finds inputs where the agent may see nothing (P22)', () => {
    const spy = manifest('filter', [{ scope: ALERTS }, { under: ALERTS }], []);
    expect(problemsOf([...MANIFESTS.slice(0, 1), ALERTER, spy], GRANTS, DEFINITIONS, [observes(CLEAN)])).toEqual([
      'unreadable-input',
      'unreadable-input',
    ]);
    const below = [...GRANTS.slice(0, 1), grant('filter', [], [scopeName('alerts/fire')]), ...GRANTS.slice(2)];
    expect(problemsOf([SENSOR, ALERTER, spy], below, DEFINITIONS, [observes(CLEAN)])).toEqual(['unreadable-input']);
  });

  it('finds agents twice, agents without a grant, and scopes that nobody defined', () => {
    const lost = manifest('stranger', [], [observes(scopeName('nowhere'))]);
    expect(validatePipeline([SENSOR, SENSOR, lost], GRANTS, DEFINITIONS)).toEqual([
      { code: 'duplicate-agent', agent: 'sensor' },
      { code: 'undefined-scope', agent: 'stranger', scope: 'nowhere' },
      { code: 'no-grant', agent: 'stranger' },
    ]);
  });

  it('finds agents that feed one another, and one that feeds itself', () => {
    const echo = manifest('filter', [{ scope: RAW }, { scope: CLEAN, topic: 'heat' }], [observes(CLEAN, 'heat')]);
    expect(validatePipeline([SENSOR, echo, ALERTER], GRANTS, DEFINITIONS)).toEqual([
      { code: 'cycle', agents: ['filter'] },
    ]);
    const back = manifest('sensor', [{ scope: CLEAN }], [observes(RAW, 'heat')]);
    expect(validatePipeline([back, FILTER, ALERTER], GRANTS, DEFINITIONS)).toEqual([
      { code: 'cycle', agents: ['sensor', 'filter'] },
    ]);
  });

  it('says the same of the same manifests, and changes none of its arguments (P53)', () => {
    const frozen = deepFreeze([FILTER, SENSOR, ALERTER, SENSOR]);
    const once = validatePipeline(frozen, deepFreeze(GRANTS), deepFreeze(DEFINITIONS));
    expect(validatePipeline(frozen, GRANTS, DEFINITIONS)).toEqual(once);
    expect(validatePipeline(structuredClone(frozen), structuredClone(GRANTS), DEFINITIONS)).toEqual(once);
  });

  it('each problem is a sentence that names the agent', () => {
    const all: readonly Problem[] = [
      ...validatePipeline([SENSOR, SENSOR, manifest('x', [{ scope: RAW, topic: 'z' }], [observes(CLEAN)])], GRANTS, []),
      { code: 'unreadable-input', agent: agentName('x'), input: {} },
      { code: 'no-right', agent: agentName('x'), output: observes(RAW) },
      { code: 'topic-not-allowed', agent: agentName('x'), output: observes(RAW) },
      { code: 'topic-not-allowed', agent: agentName('x'), output: observes(RAW, 'z') },
      { code: 'cycle', agents: [agentName('x')] },
      { code: 'cycle', agents: [agentName('x'), agentName('sensor')] },
    ];
    for (const problem of all) expect(describeProblem(problem)).toMatch(/^(?:x|sensor|x, sensor) .*; /u);
    expect(new Set(all.map(({ code }) => code)).size).toBe(8);
  });

  const names = fc.constantFrom('a', 'a/b', 'ab').map(scopeName);
  const optional = <Value>(value: fc.Arbitrary<Value>): fc.Arbitrary<Value | undefined> =>
    fc.option(value, { nil: undefined, freq: 1 });
  const present = (fields: object): object =>
    Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  const outputs: fc.Arbitrary<ManifestOutput> = fc
    .record({ kind: fc.constantFrom(...MARK_KINDS), scope: names, topic: optional(fc.constantFrom('x', 'y')) })
    .map(({ kind, scope, topic }) =>
      (kind === 'observation' || kind === 'warning') && topic !== undefined ? { kind, scope, topic } : { kind, scope },
    );
  const patterns: fc.Arbitrary<WatchPattern> = fc
    .record({
      scope: optional(names),
      under: optional(names),
      kind: optional(fc.constantFrom(...MARK_KINDS)),
      topic: optional(fc.constantFrom('x', 'y')),
      resource: optional(fc.constantFrom('x')),
    })
    .map(present);

  /** One mark that the output allows, in each scope there is and on each topic. */
  function marksOf(output: ManifestOutput): readonly Mark[] {
    return ['a', 'a/b', 'ab'].map(scopeName).flatMap((scope) =>
      ['x', 'y'].flatMap((name): Mark[] => {
        const fits = scope === output.scope || scope.startsWith(`${output.scope}/`);
        if (!fits || (output.topic !== undefined && output.topic !== name)) return [];
        const all = [
          intentOf('m', { scope, resource: name }),
          actionOf('m', { scope, resource: name }),
          observationOf('m', { scope, topic: name }),
          warningOf('m', { scope, topic: name }),
          needOf('m', { scope }),
        ];
        return all.filter(({ kind }) => kind === output.kind);
      }),
    );
  }

  it('an input has a producer just when some mark its outputs allow matches it (P53, P55)', () => {
    fc.assert(
      fc.property(patterns, outputs, (input, output) => {
        const consumer = manifest('consumer', [input], []);
        const found = problemsOf([consumer], [grant('consumer', [])], DEFINITIONS, [output]).includes('no-producer');
        expect(found).toBe(!marksOf(output).some((mark) => matchesPattern(input, mark)));
      }),
      { numRuns: 500 },
    );
  });

  it('no output passes that its agent has no right to (P54)', () => {
    const rights = fc.record({ kind: fc.constantFrom(...MARK_KINDS), scope: names });
    fc.assert(
      fc.property(fc.array(rights, { maxLength: 3 }), outputs, (write, output) => {
        const own = grant('producer', write);
        const found = problemsOf([manifest('producer', [], [output])], [own], DEFINITIONS).includes('no-right');
        expect(found).toBe(rightsFor(own, output.kind, output.scope).length === 0);
      }),
    );
  });
});

describe('cyclesIn()', () => {
  it('puts together what reaches one another, and nothing else', () => {
    const graphs = fc
      .integer({ min: 1, max: 9 })
      .chain((n) => fc.tuple(fc.constant(n), fc.array(fc.tuple(fc.nat(n - 1), fc.nat(n - 1)), { maxLength: 18 })));
    fc.assert(
      fc.property(graphs, ([n, edges]) => {
        const nodes = Array.from({ length: n }, (_, i) => i);
        const reach = nodes.map((from) => nodes.map((to) => edges.some(([a, b]) => a === from && b === to)));
        for (const via of nodes)
          for (const from of nodes)
            for (const to of nodes)
              if (reach[from]?.[via] === true && reach[via]?.[to] === true) reach[from][to] = true;
        const together = (a: number, b: number): boolean => reach[a]?.[b] === true && reach[b]?.[a] === true;
        const expected = nodes.map((a) => nodes.filter((b) => together(a, b))).filter((group, a) => group[0] === a);
        expect(cyclesIn(nodes, (from, to) => edges.some(([a, b]) => a === from && b === to))).toEqual(expected);
      }),
      { numRuns: 300 },
    );
  });

  it('follows a long chain without overflowing the stack', () => {
    const nodes = Array.from({ length: 3000 }, (_, i) => i);
    expect(cyclesIn(nodes, (from, to) => to === (from + 1) % 3000)).toEqual([nodes]);
  });
});

function deepFreeze<Value>(value: Value): Value {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const member of Object.values(value)) deepFreeze(member);
  }
  return value;
}
