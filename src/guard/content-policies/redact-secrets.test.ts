import { assert, property, string } from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Json } from '../../space/marks.ts';
import { redactSecretsPolicy, redactText } from './redact-secrets.ts';
import { ask } from './test-ask.ts';

const policy = redactSecretsPolicy();

// Put together here, so that no scanner of this repository takes them for real ones.
const RANDOM = 'q7Rz2Kp9Xv4Lm8Tn3Wd6Yb1Hc5Jf0Gs';
const joined = (...parts: readonly string[]): string => parts.join('');
const PEM = [
  '-----BEGIN ',
  'RSA PRIVATE KEY-----\nMIIEow',
  RANDOM,
  '\n',
  RANDOM,
  '\n-----END RSA PRIVATE',
  ' KEY-----',
].join('');
const JWT = ['eyJhbGciOiJIUzI1NiJ9', 'eyJzdWIiOiIxMjM0NTY3ODkwIn0', 'dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P'].join('.');

const SECRETS: readonly (readonly [kind: string, secret: string])[] = [
  ['anthropic-key', joined('sk-', 'ant-api03-', RANDOM, '_-', RANDOM)],
  ['openai-key', joined('sk-', 'proj-', RANDOM, '_', RANDOM)],
  ['openai-key', joined('sk-', RANDOM, RANDOM)],
  ['aws-key', joined('AK', 'IAIOSFODNN7EXAMPLE')],
  ['aws-key', joined('AS', 'IAIOSFODNN7EXAMPLE')],
  ['github-token', joined('gh', 'p_', RANDOM, 'abcdef')],
  ['github-token', joined('github', '_pat_', RANDOM)],
  ['slack-token', joined('xo', 'xb-123456789012-', RANDOM)],
  ['slack-webhook', joined('hooks.', 'slack.com/services/T00000000/B00000000/', RANDOM)],
  ['google-key', joined('AI', 'za', RANDOM, '_-ab')],
  ['stripe-key', joined('sk', '_live_', RANDOM)],
  ['stripe-key', joined('rk', '_test_', RANDOM)],
  ['stripe-secret', joined('wh', 'sec_', RANDOM)],
  ['jwt', JWT],
  ['private-key', PEM],
];

describe('redactSecretsPolicy()', () => {
  it.each(SECRETS)('redacts a %s wherever it is in a text', (kind, secret) => {
    const mark = `[redacted:${kind}]`;
    expect(redactText(secret)).toBe(mark);
    expect(redactText(`use "${secret}", then\n<${secret}>.`)).toBe(`use "${mark}", then\n<${mark}>.`);
  });

  it('redacts in lists, members and keys, and leaves the rest as it is', async () => {
    const [, secret = ''] = SECRETS[0] ?? [];
    const content = { n: 1, list: [true, null, `a ${secret}`], [secret]: { deep: secret }, kept: 'kept' };
    const mark = '[redacted:anthropic-key]';
    expect(await ask(policy, content)).toEqual({
      verdict: 'rewrite',
      content: { n: 1, list: [true, null, `a ${mark}`], [mark]: { deep: mark }, kept: 'kept' },
    });
  });

  it.each([
    [`api_key = "${RANDOM}"`, 'api_key = "[redacted:assigned-secret]"'],
    [`const apiKey: '${RANDOM}',`, "const apiKey: '[redacted:assigned-secret]',"],
    [`export DB_PASSWORD=${RANDOM}\nnext`, 'export DB_PASSWORD=[redacted:assigned-secret]\nnext'],
    [`{"client_secret":"${RANDOM}=="}`, '{"client_secret":"[redacted:assigned-secret]"}'],
    [`access-token := Bearer ${RANDOM}`, 'access-token := Bearer [redacted:assigned-secret]'],
    [
      `aws_secret_access_key=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY`,
      'aws_secret_access_key=[redacted:assigned-secret]',
    ],
    ['passwd: 9f86d081884c7d659a2feaa0c55ad015', 'passwd: [redacted:assigned-secret]'],
  ])('redacts what is assigned to a secret name and keeps the name: %.20s...', (text, clean) => {
    expect(redactText(text)).toBe(clean);
  });

  it('redacts the member of a secret name, if it looks random', async () => {
    expect(await ask(policy, { 'api-key': RANDOM, apiKeys: [RANDOM], token: [RANDOM, 'short'], name: RANDOM })).toEqual(
      {
        verdict: 'rewrite',
        content: {
          'api-key': '[redacted:assigned-secret]',
          apiKeys: [RANDOM],
          token: ['[redacted:assigned-secret]', 'short'],
          name: RANDOM,
        },
      },
    );
  });

  it.each<[string, Json]>([
    ['prose', 'The secret: patience. A token of thanks; the password is "please".'],
    ['code', 'const apiKey = process.env.OPENAI_API_KEY; const token = lexer.nextTokenFromTheStream();'],
    ['identifiers', 'task-force-one sk-spinner-double-bounce-child risk-adjusted-return-model'],
    ['hashes and ids', { sha256: '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08', id: RANDOM }],
    ['placeholders', 'api_key = "xxxxxxxxxxxxxxxxxxxxxxxx1", token: "<your token here>", secret=${SECRET}'],
    ['public keys and certificates', '-----BEGIN PUBLIC KEY-----\nMIIB\n-----END PUBLIC KEY-----'],
    ['near misses', 'AKIA123, ghp_short, sk-ant-, eyJ.eyJ.x, xoxb-1, AIzaShort, a.b.c'],
    ['no text', [1, null, true, {}]],
  ])('leaves %s alone', async (_, content) => {
    expect(await ask(policy, content)).toEqual({ verdict: 'allow' });
  });

  it('redacts a private key whose end was cut off, to the end of the text', () => {
    expect(redactText(`before\n${PEM.slice(0, 70)}`)).toBe('before\n[redacted:private-key]');
    expect(redactText(`${PEM} and ${PEM}!`)).toBe('[redacted:private-key] and [redacted:private-key]!');
  });

  it('finds a web token among other parts joined by dots', () => {
    const [header = '', claims = '', signature = ''] = JWT.split('.');
    for (const apart of [`${header} ${claims}.${signature}`, `${header}.${claims} ${signature}`])
      expect(redactText(apart)).toBe(apart);
    expect(redactText(`a.b.${JWT}.c token_${JWT}`)).toBe('a.b.[redacted:jwt].c token_[redacted:jwt]');
  });

  it('changes nothing that it has redacted already, and no secret survives in any surroundings', () => {
    assert(
      property(string(), string(), (before, after) => {
        for (const [, secret] of SECRETS) {
          const once = redactText(`${before} ${secret} ${after}`);
          expect(once).not.toContain(secret);
          expect(redactText(once)).toBe(once);
        }
      }),
    );
  });

  it.each([
    ['the beginnings of web tokens', 'eyJ'],
    ['the beginnings of web tokens with dots', 'eyJhbGciOi.'],
    ['the beginnings of web tokens with hyphens', '-eyJ'],
    ['private keys without an end', joined('-----BEGIN ', 'PRIVATE KEY-----')],
    ['labels without an end', '-----BEGIN RSA '],
    ['ends without dashes', joined('-----BEGIN ', 'PRIVATE KEY----- -----END')],
    ['assignments of nothing', 'api_key=        '],
    ['assignments of words', 'token=aaaaaaaaaaaaaaaaaaaaaaaa '],
    ['names of secrets', 'secret_token_password'],
    ['beginnings of keys', 'sk-ant-'],
    ['short keys', joined('gh', 'p_abc')],
    ['keys', joined('sk-', 'ant-', RANDOM, ' ')],
    ['hooks', 'hooks.slack.com/services/'],
    ['one run', 'a'],
    ['slashes', '/'],
  ])('takes time linear in the text: %s', (_, unit) => {
    const timed = (bytes: number): number => {
      const text = unit.repeat(Math.ceil(bytes / unit.length));
      const started = performance.now();
      redactText(text);
      return performance.now() - started;
    };
    timed(10_000);
    // Quadratic in 2 MB would be minutes; the margin is for a busy machine.
    expect(timed(2_000_000)).toBeLessThan(20_000);
  });
});
