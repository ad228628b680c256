import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { FrameReader, frame, maxMessageBytes } from './framing.ts';

describe('gRPC framing', () => {
  test('messages come whole, however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 300 })),
        fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 1 }),
        (messages, cuts) => {
          const bytes = Buffer.concat(messages.map((message) => frame(message)));
          const read: Buffer[] = [];
          const reader = new FrameReader((message) => read.push(Buffer.from(message)));
          for (let position = 0, i = 0; position < bytes.length; i++) {
            const size = cuts[i % cuts.length]!;
            reader.push(bytes.subarray(position, position + size));
            position += size;
          }
          assert.deepEqual(
            read,
            messages.map((message) => Buffer.from(message)),
          );
          assert.equal(reader.incomplete, false);
        },
      ),
    );
  });

  test('a stream that stops inside a message is incomplete', () => {
    const reader = new FrameReader(() => assert.fail('no message'));
    reader.push(frame(Buffer.alloc(10)).subarray(0, 12));
    assert.equal(reader.incomplete, true);
  });

  test('messages that are compressed or too large are refused', () => {
    assert.throws(() => new FrameReader(() => {}).push(Buffer.from([1, 0, 0, 0, 0])), /compressed/);
    const head = Buffer.alloc(5);
    head.writeUInt32BE(maxMessageBytes + 1, 1);
    assert.throws(() => new FrameReader(() => {}).push(head), RangeError);
  });
});
