import { array, assert, asyncProperty, constantFrom } from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { checkContent } from './content-chain.ts';
import type { ContentPolicy, ContentQuestion, ContentVerdict } from './policies/content.ts';
import { content as contentPolicy } from './policies/content.ts';
import type { Facts } from './policies/policy.ts';
import { PartTest } from './parts/test-parts.ts';
import { ratePart } from './parts/rate.ts';

const question: ContentQuestion = { scope: 'lab', topic: 't', content: 'a' };
const says = (name: string, verdict: ContentVerdict): ContentPolicy => ({ name, check: () => verdict });
/** Appends its own name to a text. */
const appends = (name: string): ContentPolicy => ({
  name,
  check: ({ content }) => ({ verdict: 'rewrite', content: typeof content === 'string' ? content + name : content }),
});
const allows = says('allows', { verdict: 'allow' });
const rejects = says('rejects', { verdict: 'reject', problem: 'takes no such thing' });

afterEach(() => void vi.useRealTimers());

describe('the chain of content policies', () => {
  it('asks in order, hands a rewritten content on, and collects flags (P68)', async () => {
    const flags = says('flags', { verdict: 'flag', problem: 'odd' });
    expect(await checkContent([appends('b'), flags, allows, appends('c')], question)).toEqual({
      content: 'abc',
      flags: ['flags'],
    });
  });

  it('ends with the first that rejects: those after it are not asked (P68)', async () => {
    const check = vi.fn<ContentPolicy['check']>(() => ({ verdict: 'allow' }));
    const facts = await checkContent([appends('b'), rejects, { name: 'later', check }], question);
    expect(facts).toEqual({ rejected: { policy: 'rejects', problem: 'takes no such thing' }, flags: [] });
    expect(check).not.toHaveBeenCalled();
  });

  it('has no content to store where nothing was changed', async () => {
    expect(await checkContent([], question)).toEqual({ flags: [] });
    expect(await checkContent([allows, says('same', { verdict: 'rewrite', content: 'a' })], question)).toEqual({
      flags: [],
    });
  });

  it('takes a policy that throws, now or later, for a rejection; the agent learns no more than that', async () => {
    const onFault = vi.fn<(policy: string, fault: unknown) => void>();
    const failing: readonly ContentPolicy['check'][] = [
      () => {
        throw new Error('/secret/path');
      },
      () => Promise.reject(new Error('/secret/path')),
      () => undefined as never,
      () => ({ verdict: 'maybe' }) as never,
      () => null as never,
      () => ({ verdict: 'reject' }) as never,
    ];
    for (const check of failing) {
      expect(await checkContent([{ name: 'p', check }, allows], question, { onFault })).toEqual({
        rejected: { policy: 'p', problem: 'failed' },
        flags: [],
      });
    }
    expect(onFault).toHaveBeenCalledTimes(failing.length);
    expect(onFault.mock.calls[0]).toEqual(['p', new Error('/secret/path')]);
  });

  it('takes a policy that is too slow for a rejection, and does not wait for it', async () => {
    let reject: (error: Error) => void = () => undefined;
    const never = { name: 'slow', check: () => new Promise<ContentVerdict>((_, no) => (reject = no)) };
    vi.useFakeTimers();
    const asked = checkContent([never], question, { timeoutMs: 20 });
    let isOver = false;
    void asked.then(() => (isOver = true));
    await vi.advanceTimersByTimeAsync(19);
    expect(isOver).toBe(false);
    await vi.advanceTimersByTimeAsync(1);
    expect(isOver).toBe(true);
    vi.useRealTimers();
    expect(await asked).toEqual({ rejected: { policy: 'slow', problem: 'took longer than 20 ms' }, flags: [] });
    // What it says afterwards reaches nobody, and does not end the process.
    reject(new Error('too late'));
    await new Promise((resolve) => setTimeout(resolve, 5));
  });

  it('gives each policy its own time', async () => {
    vi.useFakeTimers();
    const slow = {
      name: 's',
      check: () => new Promise<ContentVerdict>((yes) => setTimeout(yes, 30, { verdict: 'allow' })),
    };
    const asked = checkContent([slow, slow, slow], question, { timeoutMs: 50 });
    await vi.advanceTimersByTimeAsync(90);
    expect(await asked).toEqual({ flags: [] });
  });

  it('stores no rewriting that could not have been written: too large, not JSON', async () => {
    const rewrites: readonly unknown[] = ['x'.repeat(70_000), undefined, () => 1, { constructor: 1 }, Number.NaN];
    for (const content of rewrites) {
      const facts = await checkContent([says('p', { verdict: 'rewrite', content } as never)], question);
      expect(facts.rejected?.policy).toBe('p');
      expect(facts.content).toBeUndefined();
    }
  });

  it('freezes what a policy made, so that it cannot change it afterwards (P30)', async () => {
    const made = { list: [1] };
    const { content } = await checkContent([says('p', { verdict: 'rewrite', content: made })], question);
    made.list.push(2);
    expect(content).toEqual({ list: [1] });
    expect(Object.isFrozen(content)).toBe(true);
  });

  it('is what its policies say up to the first rejection, whatever they are (P67, P68)', async () => {
    const kinds = ['allow', 'flag', 'reject', 'rewrite', 'throw'] as const;
    await assert(
      asyncProperty(array(constantFrom(...kinds), { maxLength: 8 }), async (all) => {
        const policies = all.map((kind, i): ContentPolicy => {
          if (kind === 'rewrite') return appends(String(i));
          return {
            name: String(i),
            check: async () => {
              if (kind === 'throw') throw new Error('x');
              return { verdict: kind, problem: 'no' };
            },
          };
        });
        const end = all.findIndex((kind) => kind === 'reject' || kind === 'throw');
        const asked = end < 0 ? all : all.slice(0, end);
        const at = (wanted: string): string[] => asked.flatMap((kind, i) => (kind === wanted ? [String(i)] : []));
        const facts = await checkContent(policies, question);
        expect(facts.flags).toEqual(at('flag'));
        expect(facts.rejected?.policy).toBe(end < 0 ? undefined : String(end));
        expect(facts.content).toBe(end < 0 && at('rewrite').length > 0 ? `a${at('rewrite').join('')}` : undefined);
      }),
    );
  });
});

describe('content policies in a decision', () => {
  const rejected: Facts = { content: { rejected: { policy: 'p', problem: 'no' }, flags: [] } };
  const given = new PartTest(ratePart, contentPolicy);

  it('refuse an observation that was rejected, and nothing else (P67, P69)', () => {
    expect(given.ask({ facts: rejected })).toEqual({
      verdict: 'denied',
      denial: { code: 'content', check: 'content', policy: 'p', problem: 'no' },
    });
    for (const kind of ['intent', 'action', 'warning', 'need'] as const)
      expect(given.ask({ kind, facts: rejected })).toBeUndefined();
    expect(given.ask({ facts: { content: { flags: ['f'] } } })).toBeUndefined();
    expect(given.ask()).toBeUndefined();
  });
});
