import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { escapeHtml, html, trusted, visibleText } from './html.ts';

describe('html', () => {
  it('escapes values and leaves markup alone', () => {
    const inner = html`<b>${'a<b & "c"'}</b>`;
    expect(html`<i title="${"'x'"}">${inner}</i>`.toString()).toBe(
      '<i title="&#39;x&#39;"><b>a&lt;b &amp; &quot;c&quot;</b></i>',
    );
  });

  it('joins lists, shows numbers, and shows nothing for nothing', () => {
    expect(html`${[1, 'two', null, undefined, false, [trusted('<hr>')]]}`.toString()).toBe('1two<hr>');
  });

  it('does not take a string, or an object that looks like markup, for markup', () => {
    const text: string = '<script>';
    expect(html`${text}`.toString()).toBe('&lt;script&gt;');
  });

  test.prop([fc.string({ unit: 'binary' })])('leaves nothing in a value that can begin or end markup', (text) => {
    // oxlint-disable-next-line no-control-regex -- control characters are what must not be there
    expect(escapeHtml(text)).not.toMatch(/[<>"'\u0000-\u0008\u000b-\u001f\u007f-\u009f]/);
    expect(escapeHtml(text).isWellFormed()).toBe(true);
  });
});

describe('visibleText()', () => {
  it('spells out what cannot be seen, and leaves words of any script alone', () => {
    expect(visibleText('a\u0000b\u202Ec\u2066d\u200Be\u001B[31m')).toBe(
      'a[U+0000]b[U+202E]c[U+2066]d[U+200B]e[U+001B][31m',
    );
    expect(visibleText('\tשלום 你好 नमस्ते 👩‍💻\n')).toBe('\tשלום 你好 नमस्ते 👩‍💻\n');
    expect(visibleText('one\r\ntwo\rthree')).toBe('one\ntwo[U+000D]three');
    expect(visibleText('\ud800')).toBe('\ufffd');
  });
});
