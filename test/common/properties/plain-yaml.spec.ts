import { describe, expect, it } from '@jest/globals';
import * as fc from 'fast-check';
import { readPlainYaml } from '../../../lib/common/properties/plain-yaml.js';
import { readAnyYaml } from '../../../lib/common/properties/yaml-format.js';

/** What the parser of the whole language says, or that it refuses. */
function parsed(text: string): unknown {
  try {
    return readAnyYaml(text).map(({ entries }) => entries);
  } catch {
    return 'refused';
  }
}

/** The quick reader either says the same, or leaves it to the parser. */
function agrees(text: string): boolean {
  const plain = readPlainYaml(text);
  if (plain) expect([text, [plain.entries]]).toEqual([text, parsed(text)]);
  return plain !== undefined;
}

const SCALARS = [
  'x',
  'a b',
  '1',
  '0',
  '-1',
  '-0',
  '007',
  '1.5',
  '1.50',
  '-2.25',
  '1e3',
  '0x1f',
  '0o17',
  '.5',
  '5.',
  '+1',
  '1_000',
  '123456789012345678',
  '10s',
  '10.0.0.1',
  '2020-01-01',
  '12:30',
  'true',
  'True',
  'TRUE',
  'tRue',
  'yes',
  'Yes',
  'YES',
  'on',
  'off',
  'no',
  'null',
  'Null',
  '~',
  '.inf',
  '.nan',
  'http://h:1/x?y=z#a',
  'a: b',
  'a:',
  'a #c',
  '#c',
  '"q"',
  '"q" # c',
  '"q"x',
  '"a\\nb"',
  "'s'",
  "'it''s'",
  '[1, 2]',
  '{a: 1}',
  '&x 1',
  '*x',
  '!!str 1',
  '|',
  '>',
  '-',
  '- x',
  '--- x',
  '...',
  '@x',
  '`x',
  '%x',
  '${a:b}',
  '$x',
  '/x',
  '+',
  '.',
  '-x',
  '? x',
  'a,b',
  '',
  ' ',
  'x  ',
  '{cipher}00',
  "'{cipher}00'",
  'abc',
  'e5',
  '0e',
  '1f',
  'in',
  'a\tb',
  'é',
];
const line = fc.record({
  indent: fc.constantFrom(0, 0, 1, 2, 2, 4, 6),
  head: fc.constantFrom(
    'a:',
    'b:',
    'c.d:',
    'x-y:',
    '-',
    '- a:',
    '"q":',
    '1:',
    '<<:',
    '[k]:',
    'true:',
    '# c',
    '---',
    '',
    'a',
    '? a',
    'a :',
  ),
  gap: fc.constantFrom(' ', ' ', '  ', ''),
  scalar: fc.constantFrom(...SCALARS, '', '', ''),
});
const document = fc
  .array(line, { minLength: 1, maxLength: 8 })
  .map((lines) =>
    lines
      .map(({ indent, head, gap, scalar }) => `${' '.repeat(indent)}${head}${gap}${scalar}`)
      .join('\n'),
  );

/** Documents of a few words, of which more are plain. */
const simple = fc
  .array(
    fc.tuple(
      fc.constantFrom('', '', '  ', '    '),
      fc.constantFrom('a:', 'b:', 'c:', 'd.e:', '-', '# x'),
      fc.constantFrom('', '', ' 1', ' x', ' yes', ' 10s # c', " 'q'"),
    ),
    { minLength: 1, maxLength: 7 },
  )
  .map((lines) => lines.map((parts) => parts.join('')).join('\n'));

describe('the quick reader of YAML', () => {
  it('reads what most files hold', () => {
    const text = [
      '# the pool',
      'db:',
      '  pool:',
      '    max: 50 # many',
      "    name: 'a: b'",
      '  hosts:',
      '  - h1',
      '  - "h2"',
      'log.level: warn',
      'on: yes',
      'list:',
      '    - 1',
      'last: x',
      '',
    ].join('\n');
    expect(agrees(text)).toBe(true);
  });

  it('reads every scalar as the parser does, or leaves it', () => {
    const read = SCALARS.filter((scalar) => agrees(`a: ${scalar}\nb:\n  - ${scalar}`));
    expect(read.length).toBeGreaterThan(25);
  });

  it('never says anything else than the parser', () => {
    let read = 0;
    const check = (text: string) => {
      if (agrees(text)) read++;
    };
    const numRuns = Number(process.env['FUZZ_RUNS'] ?? 2_000);
    fc.assert(fc.property(document, check), { numRuns });
    fc.assert(fc.property(simple, check), { numRuns });
    expect(read).toBeGreaterThan(50);
  }, 60_000);
});
