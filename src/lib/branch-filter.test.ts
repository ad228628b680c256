import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BranchFilter, type MachineCode } from './branch-filter.ts';

function filtered(code: MachineCode, direction: 'encode' | 'decode', pieces: readonly Uint8Array[]): Buffer {
  const filter = new BranchFilter(code, direction);
  const out = pieces.map((piece) => Buffer.from(filter.push(Buffer.from(piece))));
  return Buffer.concat([...out, filter.end()]);
}

const likely: Readonly<Record<MachineCode, readonly number[]>> = {
  x86: [0xe8, 0xe9, 0, 0xff, 1, 0x80, 0x90],
  arm64: [0x94, 0x97, 0x90, 0xb0, 0xd0, 0xf0, 0, 0xff, 0x7f, 1, 0x80],
};

for (const code of ['x86', 'arm64'] as const) {
  describe(`BranchFilter of ${code}`, () => {
    const codeLike = fc.array(fc.constantFrom(...likely[code]), { maxLength: 400 }).map((bytes) => Uint8Array.from(bytes));

    it('gives back what came in, however it is cut', () => {
      fc.assert(
        fc.property(codeLike, fc.integer({ min: 1, max: 17 }), fc.integer({ min: 1, max: 17 }), (bytes, a, b) => {
          const cut = (all: Uint8Array, size: number): Uint8Array[] =>
            Array.from({ length: Math.ceil(all.length / size) }, (_, i) => all.slice(i * size, (i + 1) * size));
          const encoded = filtered(code, 'encode', cut(bytes, a));
          assert.deepEqual(filtered(code, 'decode', cut(encoded, b)), Buffer.from(bytes));
        }),
      );
    });

    it('gives back opcodes inside distances far into a stream', () => {
      const tail = fc.array(fc.constantFrom(...likely[code], 0x20), { minLength: 5, maxLength: 40 });
      fc.assert(
        fc.property(tail, (bytes) => {
          const content = Buffer.concat([Buffer.alloc(70_000, 0x1f), Buffer.from(bytes)]);
          assert.deepEqual(filtered(code, 'decode', [filtered(code, 'encode', [content])]), content);
        }),
      );
    });
  });
}

describe('BranchFilter', () => {
  it('makes x86 calls of one function look alike', () => {
    const code = Buffer.from([0xe8, 100, 0, 0, 0, 0x90, 0xe8, 94, 0, 0, 0]);
    const encoded = filtered('x86', 'encode', [code]);
    assert.deepEqual(encoded.subarray(1, 5), encoded.subarray(7, 11));
  });

  it('makes ARM64 calls of one function look alike', () => {
    const words = Buffer.alloc(12);
    words.writeUInt32LE(0x94000010, 0);
    words.writeUInt32LE(0xd503201f, 4);
    words.writeUInt32LE(0x9400000e, 8);
    const encoded = filtered('arm64', 'encode', [words]);
    assert.deepEqual(encoded.subarray(0, 4), encoded.subarray(8, 12));
  });

  it('makes ARM64 addresses of one page look alike', () => {
    const content = Buffer.alloc(8192, 0x1f);
    content.writeUInt32LE(0xb0000000, 0); // ADRP x0, the next page
    content.writeUInt32LE(0x90000000, 4096); // ADRP x0, this page
    const encoded = filtered('arm64', 'encode', [content]);
    assert.equal(encoded.readUInt32LE(0), encoded.readUInt32LE(4096));
  });
});
