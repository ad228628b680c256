import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  addQuantities,
  canonicalQuantity,
  formatQuantity,
  parseQuantity,
  quantityMilliValue,
  quantityProblem,
  quantityValue,
} from './quantity.ts';

describe('quantity', () => {
  for (const [text, canonical] of [
    ['0', '0'],
    ['100m', '100m'],
    ['1000m', '1'],
    ['0.5', '500m'],
    ['1.5Gi', '1536Mi'],
    ['1024Ki', '1Mi'],
    ['512', '512'],
    ['1023Ki', '1023Ki'],
    ['2e3', '2e3'],
    ['1500M', '1500M'],
    ['3000k', '3M'],
    ['-2k', '-2k'],
    ['.5Gi', '512Mi'],
    ['0.1n', '1n'],
  ] as const) {
    it(`${text} is ${canonical}`, () => {
      const quantity = parseQuantity(text);
      assert.ok(quantity);
      assert.equal(formatQuantity(quantity), canonical);
    });
  }

  for (const text of ['', 'abc', '1.5.2', '1 Gi', '1gi', '--1']) {
    it(`${JSON.stringify(text)} is none`, () => assert.equal(parseQuantity(text), undefined));
  }

  it('rounds up to whole units and thousandths', () => {
    assert.equal(quantityValue('1100m'), 2);
    assert.equal(quantityMilliValue('0.0001'), 1);
    assert.equal(quantityMilliValue('2'), 2000);
    assert.equal(quantityValue('1Gi'), 2 ** 30);
  });

  it('adds in the format of the first that is not zero', () => {
    const sum = addQuantities(parseQuantity('0')!, parseQuantity('1Gi')!);
    assert.equal(formatQuantity(addQuantities(sum, parseQuantity('1Gi')!)), '2Gi');
  });

  it('the canonical form is its own canonical form, and the same amount', () => {
    const number = fc.oneof(
      fc.nat().map(String),
      fc.tuple(fc.nat(9999), fc.nat(9999)).map(([a, b]) => `${a}.${b}`),
    );
    const suffix = fc.constantFrom('', 'n', 'u', 'm', 'k', 'M', 'G', 'T', 'P', 'E', 'Ki', 'Mi', 'Gi', 'Ti', 'e3', 'E-2');
    fc.assert(
      fc.property(fc.constantFrom('', '-'), number, suffix, (sign, digits, end) => {
        const text = `${sign}${digits}${end}`;
        const canonical = canonicalQuantity(text)!;
        assert.equal(canonicalQuantity(canonical), canonical);
        assert.equal(parseQuantity(canonical)!.nanos, parseQuantity(text)!.nanos);
      }),
    );
  });

  it('huge amounts are capped, huge exponents cost nothing', () => {
    assert.equal(canonicalQuantity('1e999999999'), canonicalQuantity('9223372036854775807'.concat('e0')));
    assert.equal(canonicalQuantity('1e-999999999'), '1e-9');
    assert.equal(canonicalQuantity('1'.repeat(1000)), undefined);
  });

  it('says what is wrong', () => {
    assert.match(quantityProblem('much'), /must match the regular expression/);
    assert.equal(quantityProblem('1.2.3'), 'unable to parse numeric part of quantity');
    assert.equal(quantityProblem('1ii'), "unable to parse quantity's suffix");
    assert.equal(quantityProblem('1-'), "unable to parse quantity's suffix");
  });

  it('is refused in time, however long it is', () => {
    const digits = '1'.repeat(1_000_000);
    assert.match(quantityProblem(`${digits}x`), /must match the regular expression/);
    assert.equal(quantityProblem(`${digits}..`), 'unable to parse numeric part of quantity');
    assert.match(quantityProblem(`1${'e'.repeat(1_000_000)}x`), /must match the regular expression/);
  });
});
