import { describe, expect, it } from 'vitest';
import { copyJson, UNBOUNDED } from '../space/json-value.ts';
import { MarkIndex, NO_MARKS } from '../space/mark-index.ts';
import { defineScope } from '../space/scope.ts';
import { actionOf, intentOf, markId, markRecord, observationOf, scopeName } from '../space/test-marks.ts';
import { claimKey, claimOf, recallClaim, StagedView } from './staged-view.ts';

const LAB = scopeName('lab');
const OTHER = scopeName('other');

/** A view over an intent `i1` on `r` and an observation `o1`. */
function viewOver(): StagedView {
  const index = new MarkIndex();
  index.apply(markRecord(1, intentOf('i1', { scope: LAB, resource: 'r' })));
  index.apply(markRecord(2, observationOf('o1', { scope: LAB })));
  for (const [i, name] of [LAB, OTHER].entries())
    index.apply({
      seq: 3 + i,
      body: { type: 'define', what: 'scope', value: copyJson(defineScope({ name }), UNBOUNDED) },
    });
  return new StagedView(index);
}

const claimed = (view: StagedView, resource: string): readonly string[] =>
  [...view.claims(LAB, resource)].map(({ id }) => id);

describe('a staged view', () => {
  it('shows what was staged beside what is committed, whatever was asked before', () => {
    const view = viewOver();
    expect(claimed(view, 'r')).toEqual(['i1']);
    expect(view.claims(LAB, 'free')).toBe(NO_MARKS);
    view.add(intentOf('i2', { scope: LAB, resource: 'free' }));
    expect(claimed(view, 'free')).toEqual(['i2']);
    view.add(intentOf('i3', { scope: LAB, resource: 'free' }));
    view.add(actionOf('a1', { scope: LAB, resource: 'r', supersedes: markId('i1') }));
    expect(claimed(view, 'free')).toEqual(['i2', 'i3']);
    expect(claimed(view, 'r')).toEqual(['a1']);
    expect([...view.openIntents(LAB)].map(({ id }) => id)).toEqual(['i2', 'i3']);
    expect(view.byId(markId('i3'))?.id).toBe('i3');
    expect(view.byId(markId('o1'))?.id).toBe('o1');
    expect(view.byId(markId('o2'))).toBeUndefined();
    view.add(observationOf('o2', { scope: LAB }));
    expect(view.byId(markId('o2'))?.id).toBe('o2');
  });

  it('counts as over what was superseded or withdrawn, staged or not', () => {
    const view = viewOver();
    view.add(observationOf('o2', { scope: LAB, supersedes: markId('o1') }));
    expect(view.isSuperseded(markId('o1'))).toBe(true);
    view.add(intentOf('i2', { scope: LAB, resource: 'q' }));
    view.withdraw(markId('i2'));
    expect(claimed(view, 'q')).toEqual([]);
    expect(view.isSuperseded(markId('i2'))).toBe(true);
    view.add(actionOf('failed', { scope: LAB, resource: 'q', failed: true }));
    expect(claimed(view, 'q')).toEqual([]);
  });

  it('has the definition of the scope that is asked for', () => {
    const view = viewOver();
    const names = [LAB, OTHER, LAB, scopeName('none')].map((scope) => view.definitionOf(scope)?.name);
    expect(names).toEqual(['lab', 'other', 'lab', undefined]);
  });
});

describe('the key of a resource', () => {
  it('is that of its scope and name, whatever was asked for before', () => {
    const claim = claimOf(LAB, 'r');
    expect(claimKey(OTHER, 'r')).toBe('other\0r');
    expect(claimKey(OTHER, 'q')).toBe('other\0q');
    recallClaim(claim);
    expect([claimKey(LAB, 'r'), claimKey(OTHER, 'r'), claimKey(LAB, 'q')]).toEqual(['lab\0r', 'other\0r', 'lab\0q']);
  });
});
