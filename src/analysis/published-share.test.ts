import { describe, expect, it } from 'vitest';
import { isPublishedAdoption, PUBLISHED_THRESHOLD, publishedDistances, publishedShare } from './published-share.ts';

describe('published share', () => {
  it('is the distance to the peer over both distances', () => {
    expect(publishedShare(0.3, 0.5)).toBe(0.3 / 0.8);
    expect(publishedDistances('abcd', 'abxy', 'abcd')).toEqual({ dOwn: 0.5, dPeer: 0, share: 0 });
  });

  it('is null when the code equals both', () => {
    expect(publishedDistances('same', 'same', 'same').share).toBeNull();
    expect(isPublishedAdoption(null)).toBe(false);
  });

  it('means adoption strictly below the threshold', () => {
    expect(isPublishedAdoption(PUBLISHED_THRESHOLD)).toBe(false);
    expect(isPublishedAdoption(0.3999)).toBe(true);
  });
});
