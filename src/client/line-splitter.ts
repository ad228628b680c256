/** One watch event may be this large; the API limits objects to a fraction of it. */
const maxLineBytes = 32 * 1024 * 1024;

/** Cuts a stream of bytes into lines without copying more than the tail of each chunk. */
export class LineSplitter {
  readonly #onLine: (line: string) => void;
  #tail: Buffer[] = [];
  #tailBytes = 0;

  constructor(onLine: (line: string) => void) {
    this.#onLine = onLine;
  }

  /** Throws when a line grows beyond what a peer may send. */
  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(10, start); end >= 0; end = chunk.indexOf(10, start)) {
      this.#emit(chunk.subarray(start, end));
      start = end + 1;
    }
    if (start === chunk.length) return;
    this.#tail.push(chunk.subarray(start));
    this.#tailBytes += chunk.length - start;
    if (this.#tailBytes > maxLineBytes) throw new Error(`a line of the answer is longer than ${maxLineBytes} bytes`);
  }

  #emit(end: Buffer): void {
    const line = this.#tail.length === 0 ? end : Buffer.concat([...this.#tail, end]);
    this.#tail = [];
    this.#tailBytes = 0;
    if (line.length > 0) this.#onLine(line.toString('utf8'));
  }
}
