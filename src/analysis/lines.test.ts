import { describe, expect, it } from 'vitest';
import { normaliseLines } from './lines.ts';
import { tokenize } from './tokens.ts';

const linesOf = (code: string) => normaliseLines(tokenize(code));

describe('normaliseLines()', () => {
  it('does not see comments, blank lines, indentation and spacing', () => {
    const plain = linesOf('const total = a + b;\nfor (const x of xs) total += x;');
    expect(linesOf('\n  // sum\n\tconst total=a+b; /* of two */\n\n  for(const x of xs)total+=x;\n')).toEqual(plain);
    expect([...plain.lines]).toEqual(['const total = a + b ;', 'for ( const x of xs ) total += x ;']);
  });

  it('sets trivial lines apart and counts them', () => {
    expect(linesOf('if (a) {\n  return a;\n} else {\n}\nconst limit = 9;')).toEqual({
      lines: new Set(['const limit = 9 ;']),
      trivial: 4,
    });
  });

  it('has each line once', () => {
    expect(linesOf('f(a, b, c);\nf(a, b, c);').lines.size).toBe(1);
  });
});
