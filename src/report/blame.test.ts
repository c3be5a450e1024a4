import { describe, expect, it } from 'vitest';
import type { Blame } from '../analysis/blame.ts';
import { blameHtml } from './blame-html.ts';
import { blameText } from './blame-text.ts';

const BLAME: Blame = {
  run: 'pair/seed1',
  agent: 'a',
  program: 'p',
  generation: 3,
  file: 'task_agent.py',
  counted: 3,
  shares: { own: 1 / 3, peer: 2 / 3, initial: 0, common: 0 },
  authors: [
    { agent: 'b<i>', generation: 2, origin: 'peer', lines: 2 },
    { agent: 'a', generation: 3, origin: 'own', lines: 1 },
  ],
  lines: [
    { number: 1, text: 'def f(x, y):', kind: 'code', origin: 'peer', agent: 'b<i>', generation: 2 },
    {
      number: 2,
      text: '\tif x < y and "&": # \u001b[2Jgone',
      kind: 'code',
      origin: 'peer',
      agent: 'b<i>',
      generation: 2,
      renamed: true,
    },
    { number: 3, text: '', kind: 'blank', origin: 'peer', agent: 'b<i>', generation: 2 },
    { number: 4, text: '</td><script>alert(1)</script>', kind: 'code', origin: 'own', agent: 'a', generation: 3 },
  ],
};

describe('blameText()', () => {
  it('puts origin, agent and generation before every line that tells, and the shares below', () => {
    const lines = blameText(BLAME).split('\n');
    expect(lines[0]).toBe('pair/seed1 a/3 task_agent.py');
    expect(lines[1]).toBe('p  b<i>/2 1  def f(x, y):');
    expect(lines[2]).toMatch(/^p~ b<i>\/2 2 {6}if x < y/);
    expect(lines[3]).toMatch(/^ +3$/);
    expect(lines[4]).toMatch(/^o {2}a\/3 {4}4 {2}<\/td>/);
    expect(lines[6]).toBe(
      '3 lines of code that tell where they came from: o own 33.3 %, p peer 66.7 %, i initial 0.0 %, c common 0.0 %; ~ 1 with names changed since',
    );
  });

  it('has colour only where asked for, and passes no control character of the source on', () => {
    expect(blameText(BLAME)).not.toContain('\u001b');
    const coloured = blameText(BLAME, { colour: true });
    expect(coloured).toContain('\u001b[33mp  b<i>/2 1\u001b[0m  def f(x, y):');
    expect(coloured).not.toContain('\u001b[2J');
  });
});

describe('blameHtml()', () => {
  it('escapes everything, needs nothing else, and says the origin in words', () => {
    const html = blameHtml(BLAME);
    expect(html).not.toContain('<script');
    expect(html).not.toContain('<i>');
    expect(html).toContain('&lt;/td&gt;&lt;script&gt;');
    expect(html).toContain('if x &lt; y and &quot;&amp;&quot;');
    expect(html).not.toMatch(/(?:src|href)=/);
    expect(html).toContain("default-src 'none'");
    expect(html).toContain('<td class="what">peer ~</td>');
    expect(html.match(/<tr/g)).toHaveLength(4);
  });
});
