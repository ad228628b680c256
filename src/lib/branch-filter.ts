/** Whose instructions a filter knows. */
export type MachineCode = 'x86' | 'arm64';

/** How much of `bytes` is final; that much has been rewritten in place. `position` is that of the first byte in the stream. */
type Rewrite = (bytes: Buffer, position: number, direction: 1 | -1) => number;

/**
 * Makes machine code smaller to compress: the targets of calls and jumps are written as absolute positions instead of distances, so that
 * calls of one function look alike. A bijection on bytes: whatever comes in comes out of the inverse unchanged. Works on a stream: the last bytes
 * of a piece may be held back until the next.
 */
export class BranchFilter {
  readonly #rewrite: Rewrite;
  readonly #direction: 1 | -1;
  #position = 0;
  #held: Buffer = Buffer.alloc(0);

  /** `encode` before compression, `decode` after decompression. */
  constructor(code: MachineCode, direction: 'encode' | 'decode') {
    this.#rewrite = rewrites[code];
    this.#direction = direction === 'encode' ? 1 : -1;
  }

  /** The next piece of the filtered stream. The argument may be modified. */
  push(piece: Buffer): Buffer {
    const bytes = this.#held.length > 0 ? Buffer.concat([this.#held, piece]) : piece;
    const done = this.#rewrite(bytes, this.#position, this.#direction);
    this.#held = Buffer.from(bytes.subarray(done));
    this.#position += done;
    return bytes.subarray(0, done);
  }

  /** What was held back: shorter than an instruction, so unchanged. */
  end(): Buffer {
    return this.#held;
  }
}

const x86BranchBytes = 5;

/**
 * CALL (E8) and JMP (E9) with a distance of 32 bits. Native code looks for them: the processes that unpack run with an optimization level at which
 * a loop over every byte takes seconds.
 */
function rewriteX86(bytes: Buffer, position: number, direction: 1 | -1): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let call = bytes.indexOf(0xe8);
  let jump = bytes.indexOf(0xe9);
  for (;;) {
    const at = call === -1 || (jump !== -1 && jump < call) ? jump : call;
    if (at === -1) return bytes.length;
    if (at + x86BranchBytes > bytes.length) return at;
    // Distances up to 16 MiB become positions of as many bits, so the top byte stays 00 or FF and the inverse finds the same places.
    const top = bytes[at + 4]!;
    if (top === 0 || top === 0xff) {
      const value = view.getInt32(at + 1, true) + direction * (position + at + x86BranchBytes);
      view.setInt32(at + 1, (value << 7) >> 7, true);
    }
    // Skipped in any case: what looks like an opcode inside could otherwise be judged by bytes that the inverse sees changed.
    const next = at + x86BranchBytes;
    if (call !== -1 && call < next) call = bytes.indexOf(0xe8, next);
    if (jump !== -1 && jump < next) jump = bytes.indexOf(0xe9, next);
  }
}

const arm64InstructionBytes = 4;
const pageBits = 12;
/** ADRP to pages further away than 2^17 is left alone: such a word is rather data. */
const pageDistanceBits = 18;

/** BL (26 bits of distance in words) and ADRP (21 bits in pages, the lowest two apart). Instructions lie on multiples of their size. */
function rewriteArm64(bytes: Buffer, position: number, direction: 1 | -1): number {
  const end = bytes.length - (bytes.length % arm64InstructionBytes);
  for (let at = 0; at < end; at += arm64InstructionBytes) {
    const top = bytes[at + 3]!;
    if (top >>> 2 === 0x25) {
      const word = bytes.readUInt32LE(at);
      const target = word + direction * ((position + at) >>> 2);
      bytes.writeUInt32LE((0x94000000 | (target & 0x03ffffff)) >>> 0, at);
    } else if ((top & 0x9f) === 0x90) {
      const word = bytes.readUInt32LE(at);
      const distance = (((word << 8) >> 13) << 2) | ((word >>> 29) & 3);
      if (signExtend(distance) !== distance) continue;
      const page = signExtend(distance + direction * Math.floor((position + at) / 2 ** pageBits));
      bytes.writeUInt32LE(((word & 0x9f00001f) | ((page & 3) << 29) | ((page << 3) & 0x00ffffe0)) >>> 0, at);
    }
  }
  return end;
}

function signExtend(value: number): number {
  return (value << (32 - pageDistanceBits)) >> (32 - pageDistanceBits);
}

const rewrites: Readonly<Record<MachineCode, Rewrite>> = { x86: rewriteX86, arm64: rewriteArm64 };
