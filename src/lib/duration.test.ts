import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { DurationError, formatDuration, parseDuration } from './duration.ts';

describe('duration', () => {
  for (const [text, canonical] of [
    ['0', '0s'],
    ['1h30m', '1h30m0s'],
    ['90m', '1h30m0s'],
    ['1.5s', '1.5s'],
    ['250ms', '250ms'],
    ['1500us', '1.5ms'],
    ['3µs', '3µs'],
    ['7ns', '7ns'],
    ['-1m', '-1m0s'],
    ['.5s', '500ms'],
  ] as const) {
    it(`${text} is ${canonical}`, () => assert.equal(formatDuration(parseDuration(text)), canonical));
  }

  for (const [text, message] of [
    ['', 'time: invalid duration ""'],
    ['5', 'time: missing unit in duration "5"'],
    ['1d', 'time: unknown unit "d" in duration "1d"'],
    ['x', 'time: invalid duration "x"'],
    ['9999999h', 'time: invalid duration "9999999h"'],
  ] as const) {
    it(`${JSON.stringify(text)} is refused`, () => assert.throws(() => parseDuration(text), new DurationError(message)));
  }

  it('what is written is read again', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n }), (n) => assert.equal(parseDuration(formatDuration(n)), n)),
    );
  });
});
