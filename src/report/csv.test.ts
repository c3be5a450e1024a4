import { expect, test } from 'vitest';
import { csvOf } from './csv.ts';

test('csvOf() quotes what needs it, leaves the unknown empty and numbers in full, and defuses formulas', () => {
  const table = {
    columns: ['name', 'x, y', 'n'],
    rows: [
      ['a "b"', 'one\ntwo', 0.1 + 0.2],
      ['=1+1', null, -3],
      ['-x', true, 1e-7],
    ],
    notes: ['left out'],
  };
  expect(csvOf(table)).toBe(
    'name,"x, y",n\r\n"a ""b""","one\ntwo",0.30000000000000004\r\n\'=1+1,,-3\r\n\'-x,true,1e-7\r\n',
  );
});
