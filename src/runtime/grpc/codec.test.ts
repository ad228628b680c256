import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { Codec } from './codec.ts';
import type { ApiDescriptor } from './descriptor.ts';

interface Item {
  readonly name: string;
  readonly child: Item | undefined;
}

interface Everything {
  readonly text: string;
  readonly flag: boolean;
  readonly small: number;
  readonly large: number;
  readonly unsigned: number;
  readonly zigzag: number;
  readonly real: number;
  readonly blob: Uint8Array;
  readonly color: 'RED' | 'GREEN';
  readonly texts: readonly string[];
  readonly numbers: readonly number[];
  readonly colors: readonly ('RED' | 'GREEN')[];
  readonly labels: Readonly<Record<string, string>>;
  readonly items: Readonly<Record<string, Item>>;
  readonly item: Item | undefined;
  readonly choice: number | undefined;
}

interface Messages {
  readonly Everything: Everything;
  readonly Item: Item;
}

const descriptor: ApiDescriptor<Record<never, never>, Messages> = {
  messages: {
    Everything: [
      [1, 'text', 'string'],
      [2, 'flag', 'bool'],
      [3, 'small', 'int32'],
      [4, 'large', 'int64'],
      [5, 'unsigned', 'uint64'],
      [6, 'zigzag', 'sint64'],
      [7, 'real', 'double'],
      [8, 'blob', 'bytes'],
      [9, 'color', 'Color'],
      [10, 'texts', 'string', 'repeated'],
      [11, 'numbers', 'int64', 'repeated'],
      [12, 'colors', 'Color', 'repeated'],
      [13, 'labels', 'string', 'map', 'string'],
      [14, 'items', 'Item', 'map', 'string'],
      [15, 'item', 'Item'],
      [1000, 'choice', 'int32', 'optional'],
    ],
    Item: [
      [1, 'name', 'string'],
      [2, 'child', 'Item'],
    ],
  },
  enums: { Color: { RED: 0, GREEN: 1 } },
  methods: {},
};
const codec = new Codec(descriptor);

const plain = { noNullPrototype: true } as const;
const integer = fc.maxSafeInteger();
const text = fc.string({ unit: 'grapheme' });
const key = text.filter((name) => name !== '__proto__');
const color = fc.constantFrom('RED' as const, 'GREEN' as const);
const item: fc.Arbitrary<Item> = fc.record(
  {
    name: text,
    child: fc.option(fc.record({ name: text, child: fc.constant(undefined) }, plain), { nil: undefined }),
  },
  plain,
);
const everything: fc.Arbitrary<Everything> = fc.record(
  {
    text,
    flag: fc.boolean(),
    small: fc.integer(),
    large: integer,
    unsigned: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    zigzag: fc.integer(),
    real: fc.double({ noNaN: true }).map((value) => value + 0),
    blob: fc.uint8Array().map((data) => Buffer.from(data)),
    color,
    texts: fc.array(text),
    numbers: fc.array(integer.map((value) => value + 0)),
    colors: fc.array(color),
    labels: fc.dictionary(key, text, { noNullPrototype: true }),
    items: fc.dictionary(key, item, { noNullPrototype: true }),
    item: fc.option(item, { nil: undefined }),
    choice: fc.option(fc.integer(), { nil: undefined }),
  },
  plain,
);

describe('protobuf codec', () => {
  test('what is encoded is decoded again', () => {
    fc.assert(
      fc.property(everything, (message) => {
        assert.deepEqual(codec.decode('Everything', codec.encode('Everything', message)), message);
      }),
    );
  });

  for (const [name, message, bytes] of [
    ['a string', { text: 'testing' }, '0a0774657374696e67'],
    ['a number of two bytes', { small: 150 }, '189601'],
    ['a negative number as ten bytes', { small: -2 }, '18feffffffffffffffff01'],
    ['the smallest 64-bit number', { large: -(2 ** 63) }, '2080808080808080808001'],
    ['zigzag', { zigzag: -2 }, '3003'],
    ['packed numbers', { numbers: [3, 270, 86942] }, '5a06038e029ea705'],
    ['a nested message', { item: { name: 'a' } }, '7a030a0161'],
    ['an empty nested message', { item: {} }, '7a00'],
    ['a member of a oneof that is zero', { choice: 0 }, 'c03e00'],
    ['defaults, which are not sent', { text: '', flag: false, small: 0, color: 'RED', texts: [], labels: {} }, ''],
  ] as const) {
    test(`${name} has the bytes of the specification`, () => {
      assert.equal(codec.encode('Everything', message).toString('hex'), bytes);
    });
  }

  test('unknown fields of every wire type are skipped', () => {
    const known = codec.encode('Everything', { text: 'kept' });
    const unknown = Buffer.from('a20603616263' + 'a80601' + 'b1060102030405060708' + 'bd0601020304', 'hex');
    assert.equal(codec.decode('Everything', Buffer.concat([unknown, known])).text, 'kept');
  });

  test('numbers that are not packed are read too', () => {
    assert.deepEqual(codec.decode('Everything', Buffer.from('58015802', 'hex')).numbers, [1, 2]);
  });

  test('an enum value without a name is its number', () => {
    assert.equal(codec.decode('Everything', Buffer.from('4807', 'hex')).color, '7');
  });

  test('a name that the enum does not have is refused', () => {
    assert.throws(() => codec.encode('Everything', { color: 'BLUE' as 'RED' }), /BLUE is no Color/);
  });

  for (const cut of ['0a', '0a05', '0a0561', '18', '1896', '39000000']) {
    test(`a message that ends early (${cut}) is refused`, () => {
      assert.throws(() => codec.decode('Everything', Buffer.from(cut, 'hex')), RangeError);
    });
  }

  test('a nanosecond time keeps its milliseconds', () => {
    const nanos = 1_795_235_844_272 * 1e6 + 123_456;
    const { large } = codec.decode('Everything', codec.encode('Everything', { large: nanos }));
    assert.equal(Math.floor(large / 1e6), 1_795_235_844_272);
  });
});
