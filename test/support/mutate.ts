import type { Random } from './random.ts';

/** Values that programs get wrong. */
const awkward: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -0,
  -1,
  0.5,
  1e308,
  -1e308,
  2 ** 31,
  -(2 ** 31) - 1,
  2 ** 53 + 2,
  '',
  ' ',
  '-',
  '0',
  '-1',
  '1e999',
  '9'.repeat(40),
  '100%',
  'a/b/c',
  '../..',
  '%00',
  '\u0000',
  '\ud800',
  '\u202e\ufeff',
  'x'.repeat(300),
  '10.0.0.300',
  '::',
  '2026-11-21T00:00:00Z',
  '0000-00-00T99:99:99Z',
  'constructor',
  [],
  [null],
  [[]],
  {},
  { '': null },
  { constructor: { prototype: {} } },
];

/** Names that mean something somewhere. */
const awkwardNames = [
  '',
  '.',
  '$patch',
  '$retainKeys',
  '__proto__',
  'constructor',
  'metadata',
  'name',
  'spec',
  'status',
  'f:a',
  'toString',
];

/** A copy of a JSON value with one to three changes anywhere in it. */
export function mutateValue(random: Random, value: unknown): unknown {
  let result = structuredClone(value);
  for (let n = random.below(3); n >= 0; n--) result = mutateOnce(random, result);
  return result;
}

function mutateOnce(random: Random, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || random.chance(0.05)) return awkwardValue(random);
  if (Array.isArray(value)) return mutateList(random, value);
  const entries = Object.entries(value);
  const action = random.below(8);
  if (entries.length === 0 || action === 0) return withField(value, pickName(random), awkwardValue(random));
  const [name, inner] = random.pick(entries);
  if (action === 1) return Object.fromEntries(entries.filter(([other]) => other !== name));
  if (action === 2) return withField(value, pickName(random), inner);
  return withField(value, name, mutateOnce(random, inner));
}

function mutateList(random: Random, list: readonly unknown[]): unknown {
  const action = random.below(8);
  if (list.length === 0 || action === 0) return [...list, awkwardValue(random)];
  const at = random.below(list.length);
  if (action === 1) return list.toSpliced(at, 1);
  if (action === 2) return [...list, structuredClone(list[at])];
  if (action === 3) return random.shuffled(list);
  return list.with(at, mutateOnce(random, list[at]));
}

/** Unlike a spread it makes an own property of every name, `__proto__` too. */
function withField(object: object, name: string, value: unknown): object {
  return Object.fromEntries([...Object.entries(object), [name, value]]);
}

function awkwardValue(random: Random): unknown {
  if (random.chance(0.03)) return nested(random);
  return structuredClone(random.pick(awkward));
}

function nested(random: Random): unknown {
  let value: unknown = 1;
  for (let depth = random.pick([5, 90, 300]); depth > 0; depth--) value = random.chance(0.5) ? [value] : { a: value };
  return value;
}

const pickName = (random: Random): string => (random.chance(0.7) ? random.pick(awkwardNames) : `x${random.below(100)}`);

/** Bytes with some of them changed, cut off, doubled or put in. */
export function mutateBytes(random: Random, bytes: Uint8Array): Uint8Array {
  let result: Buffer = Buffer.from(bytes);
  for (let n = random.below(3); n >= 0; n--) {
    const at = random.below(result.length + 1);
    const length = random.below(Math.min(64, result.length - at) + 1);
    const insert = random.pick([
      () => random.bytes(random.below(16)),
      () => result.subarray(at, at + length),
      () => Buffer.from(random.pick(tokens)),
    ]);
    const action = random.below(5);
    if (action === 0) result = result.subarray(0, at);
    else if (action === 1) result = Buffer.concat([result.subarray(0, at), result.subarray(at + length)]);
    else if (action === 2) result = Buffer.concat([result.subarray(0, at), insert(), result.subarray(at)]);
    else if (action === 3) result = Buffer.concat([result.subarray(0, at), insert(), result.subarray(at + length)]);
    else result = flipped(random, result, at);
  }
  return result;
}

function flipped(random: Random, bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  if (at < copy.length) copy[at] = copy[at]! ^ (1 << random.below(8));
  return copy;
}

/** Pieces of JSON, YAML and protobuf that change what follows. */
const tokens: readonly (string | Uint8Array)[] = [
  ...[
    '{',
    '}',
    '[',
    ']',
    '"',
    ',',
    ':',
    '\\',
    '\\u',
    '\\ud800',
    'null',
    '1e400',
    '-',
    '0x',
    '00',
    'NaN',
    '\n',
    '\r\n',
    '\t',
    '\0',
  ],
  ...['&a ', '*a', '<<: ', '!!binary ', '!!js/function ', '--- ', '...', '? ', '| ', '> ', '%YAML 9', '#', '- ', '  ', '!<!>'],
  ...[[0x80], [0xff, 0xff, 0xff, 0xff, 0x0f], [0x0a, 0x00], [0x0b], [0xef, 0xbb, 0xbf], [0xc0, 0x80]].map((b) =>
    Uint8Array.from(b),
  ),
];

/** Text that is awkward in a path segment, a query or a header: printable ASCII, so that a client may send it. */
export function awkwardText(random: Random): string {
  const texts = [
    '',
    'x',
    '0',
    '-1',
    '99999999999999999999',
    'true',
    'NaN',
    '%',
    '%00',
    '%zz',
    '%2e%2e',
    '..',
    'a=b',
    '!',
    '!a',
    'a in (',
    ';',
  ];
  if (random.chance(0.7)) return random.pick(texts);
  return String.fromCharCode(...Array.from({ length: random.below(20) }, () => 33 + random.below(94)));
}
