import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { measureSize } from './code-size.ts';

describe('measureSize()', () => {
  it.each([
    ['python', 'x = 1_000 + 0x1F + 1e-5 + 3j # 4\n"""doc 5\n6"""\n\ny2 = x1\n', 5, 4, 4],
    ['typescript', 'const a = 1_000n + .5; // 2\n/* 3\n4 */\nconst b = `5 ${6}`;\n', 4, 2, 3],
    ['javascript', "const r = /1/g, s = '2', i = a1 / 3;", 1, 1, 1],
    ['cpp', `// 1 2\nint a = 1'000 + 0x1F + 2.5f;\r\n/* 4\n5 */ auto s = "6 // 7"; char c = '8';\n\n`, 5, 2, 3],
    ['cpp', 'auto r = R"x(9\n10)x"; double h = 0x1.8p3 - 0xE+1 + 1e-5;', 2, 2, 4],
    ['rust', "fn f<'a>(x: &'a str) -> u8 { for i in 0..10usize { let y = p.0.1 + 1_000u64; } }", 1, 1, 3],
    ['rust', `let c = '3'; let q = '\\''; let s = r#"4 " 5"#; 5.max(6) // 7`, 1, 1, 2],
    ['other', '1 2\n\n3\n', 3, 2, null],
  ] as const)('%s: %j', (language, code, lines, codeLines, numericLiterals) => {
    expect(measureSize(code, language)).toEqual({ characters: code.length, lines, codeLines, numericLiterals });
  });

  it('counts characters as code points, and nothing of nothing', () => {
    expect(measureSize('😀', 'other').characters).toBe(1);
    expect(measureSize('', 'rust')).toEqual({ characters: 0, lines: 0, codeLines: 0, numericLiterals: 0 });
  });

  it('never throws and never counts more code lines than lines', () => {
    const pieces = fc.array(
      fc.constantFrom(
        '"',
        "'",
        '`',
        '/*',
        '*/',
        '//',
        'R"(',
        'r#"',
        '\n',
        '\r\n',
        '1',
        '.',
        '\\',
        'x',
        ' ',
        '${',
        '}',
        '"""',
      ),
      { maxLength: 40 },
    );
    fc.assert(
      fc.property(pieces, fc.constantFrom('python', 'typescript', 'cpp', 'rust', 'other'), (parts, language) => {
        const { lines, codeLines } = measureSize(parts.join(''), language);
        expect(codeLines).toBeLessThanOrEqual(lines);
      }),
    );
  });

  it('takes linear time on openings that are never closed', () => {
    const before = process.threadCpuUsage();
    measureSize('r#"'.repeat(100_000), 'rust');
    measureSize('R"('.repeat(100_000), 'cpp');
    measureSize('/*"\''.repeat(100_000), 'cpp');
    measureSize("'".repeat(100_001), 'cpp');
    expect(process.threadCpuUsage(before).user / 1000).toBeLessThan(2000);
  });
});
