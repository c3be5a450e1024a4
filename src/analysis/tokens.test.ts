import { describe, expect, it } from 'vitest';
import { assert, constantFrom, property, string } from 'fast-check';
import { type CodeLanguage, tokenize } from './tokens.ts';

const textsOf = (code: string, language?: CodeLanguage) => tokenize(code, language).texts.join(' ');

describe('tokenize()', () => {
  it('drops comments and white space', () => {
    const plain = textsOf('const a=b+1;if(a){f()}');
    expect(textsOf('#!/usr/bin/env node\nconst a = b + 1; // one\n/* two\n */ if (a) {\r\n\tf( )\n}')).toBe(plain);
    expect(plain).toBe('const a = b + 1 ; if ( a ) { f ( ) }');
  });

  it('takes operators by the longest match and numbers whole', () => {
    expect(textsOf('a>>>=b??c?.d===1.5e-3-0x1F')).toBe('a >>>= b ?? c ?. d === 1.5e-3 - 0x1F');
  });

  it('splits text into pieces and does not tell quotes apart', () => {
    expect(textsOf(`f('two words', "it's")`)).toBe(`f ( "two "words , "it's )`);
    expect(textsOf("''")).toBe(textsOf('""'));
  });

  it('reads template literals with code inside, nested too', () => {
    expect(textsOf('`a ${f({ x: `b ${c}` })} d`')).toBe('"a ${ f ( { x : "b ${ c " } ) "d');
  });

  it('does not take a quote or a comment mark inside a regular expression for one', () => {
    expect(textsOf(`const r = /["'/*]\\//g; x = a / b / c`)).toBe(`const r = /["'/*]\\//g ; x = a / b / c`);
  });

  it('knows private names from Python comments', () => {
    expect(textsOf('this.#x = 1')).toBe('this . #x = 1');
    expect(textsOf('x = 7 // 2  # half', 'python')).toBe('x = 7 // 2');
  });

  it('reads text in three quotes line by line', () => {
    const { texts, lines } = tokenize('p = """You are\nan agent"""\nq = 1', 'python');
    expect(texts).toEqual(['p', '=', '"You', '"are', '"an', '"agent', 'q', '=', '1']);
    expect(lines).toEqual([1, 1, 1, 1, 2, 2, 3, 3, 3]);
  });

  it('counts LF, CR and CRLF as one line end each', () => {
    expect(tokenize('a\nb\rc\r\nd').lines).toEqual([1, 2, 3, 4]);
  });

  it('ends an open quote at the end of its line', () => {
    expect(textsOf('a = "open\nb = 2')).toBe('a = "open b = 2');
  });

  it('never throws, and keeps the three arrays level', () => {
    const unit = constantFrom(...'ab1 \n\r\'"`/\\*#${}[]().e-é'.split(''));
    assert(
      property(string({ unit }), constantFrom<CodeLanguage>('javascript', 'python'), (code, language) => {
        const { texts, kinds, lines } = tokenize(code, language);
        expect([kinds.length, lines.length]).toEqual([texts.length, texts.length]);
        expect(lines).toEqual(lines.toSorted((a, b) => a - b));
      }),
    );
  });

  it.each(['/[ ', "'", '`${', '"\\', '/*', '/ '])('takes linear time for a flood of %j', (piece) => {
    const started = process.cpuUsage();
    tokenize(piece.repeat(100_000));
    expect(process.cpuUsage(started).user).toBeLessThan(1_000_000);
  });
});
