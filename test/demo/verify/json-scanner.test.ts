import fc from 'fast-check';
import { expect, it } from 'vitest';
import { scanJson } from '../../../examples/demo/verify/json-scanner.ts';

it('agrees with JSON.parse on whatever JSON.stringify writes', () => {
  fc.assert(
    fc.property(fc.json(), (text) => {
      expect(scanJson(text)).toEqual({ needed: new Set(), faultLine: undefined });
    }),
    { seed: 11, numRuns: 2_000 },
  );
});

it('reads nothing as strict JSON that JSON.parse refuses', () => {
  const piece = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    ':',
    ',',
    '"a"',
    '1',
    '01',
    '-',
    'tru',
    'null',
    ' ',
  );

  fc.assert(
    fc.property(fc.array(piece, { minLength: 1 }), (parts) => {
      const text = parts.join('');
      const { needed, faultLine } = scanJson(text);
      if (text.trim() !== '' && needed.size === 0 && faultLine === undefined) JSON.parse(text);
    }),
    { seed: 12, numRuns: 5_000 },
  );
});

it.each([
  ['{ "a": 1, }', 'trailing comma'],
  ['{ "a": 1 } // why', 'comment'],
  ["{ a: 'b' }", 'quotes'],
  ['{ "a": 1, ... }', 'ellipsis'],
  ['"a": 1', 'members'],
  ['{}\n{}', 'several'],
])('says of %j that it needs %s', (text, leniency) => {
  const { needed, faultLine } = scanJson(text);

  expect([...needed]).toContain(leniency);
  expect(faultLine).toBeUndefined();
});

it('tells the line where it stops', () => {
  expect(scanJson('{\n  "a": 1\n  "b": 2\n}').faultLine).toBe(2);
});
