import { createWriteStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { describe, expect, it } from 'vitest';
import { type FileLine, readLines } from './line-reader.ts';
import { collect, makeTestFolder } from './test-folder.ts';

async function linesOf(content: string | Uint8Array, maxBytes = 1000): Promise<FileLine[]> {
  const path = join(await makeTestFolder(), 'f');
  await writeFile(path, content);
  return collect(readLines(path, maxBytes));
}

describe('readLines()', () => {
  it('numbers lines that end in LF or CRLF, or not at all', async () => {
    const lines = await linesOf('\ufeffone\r\n\ntwo\nthr\u00e9e');
    expect(lines.map(({ text }) => text)).toEqual(['one', '', 'two', 'thr\u00e9e']);
    expect(lines.map(({ number }) => number)).toEqual([1, 2, 3, 4]);
    expect(await linesOf('')).toEqual([]);
    expect(await linesOf('\n')).toEqual([{ number: 1, text: '' }]);
  });

  it('puts characters together that lie across two chunks', async () => {
    const text = 'é'.repeat(100_001);
    expect(await linesOf(`x${text}\n${text}`, 1e6)).toEqual([
      { number: 1, text: `x${text}` },
      { number: 2, text },
    ]);
  });

  it('passes over a line that is too long, wherever it is, and one that is not UTF-8', async () => {
    const long = { text: null, problem: 'longer than the limit' };
    expect(await linesOf(`ab\n${'x'.repeat(11)}\n${'y'.repeat(10)}\n${'z'.repeat(300_000)}`, 10)).toEqual([
      { number: 1, text: 'ab' },
      { number: 2, ...long },
      { number: 3, text: 'yyyyyyyyyy' },
      { number: 4, ...long },
    ]);
    const broken = Buffer.concat([Buffer.from('a\n'), Buffer.of(0xc3), Buffer.from('\nb')]);
    expect(await linesOf(broken)).toEqual([
      { number: 1, text: 'a' },
      { number: 2, text: null, problem: 'not UTF-8' },
      { number: 3, text: 'b' },
    ]);
  });

  it('goes on from any place that it gave, in bytes, whatever the lines and their ends are', async () => {
    const path = join(await makeTestFolder(), 'f');
    await writeFile(path, `\u00e9\u00e9\r\n\n${'x'.repeat(200_000)}\nlast`);
    const texts = (await collect(readLines(path, 1e6))).map(({ text }) => text);
    const place = { at: 0 };
    const seen: (string | null)[] = [];
    for (const expected of texts) {
      for await (const { text } of readLines(path, 1e6, place)) {
        seen.push(text);
        break;
      }
      expect(seen.at(-1)).toBe(expected);
    }
    expect(place.at).toBe(4 + 2 + 1 + 200_001 + 4);
    expect(await collect(readLines(path, 1e6, place))).toEqual([]);
  });

  it('holds no more than the limit of a line of 200 MB', async () => {
    const path = join(await makeTestFolder(), 'f');
    const chunk = Buffer.alloc(1 << 20, 'x');
    await pipeline(Readable.from(Array.from({ length: 200 }, () => chunk)), createWriteStream(path));
    const before = process.memoryUsage();
    const lines = await collect(readLines(path, 1 << 20));
    const after = process.memoryUsage();
    expect(lines).toEqual([{ number: 1, text: null, problem: 'longer than the limit' }]);
    expect(after.heapUsed + after.external - before.heapUsed - before.external).toBeLessThan(150e6);
  });
});
