/** What becomes of an answer's parts. */
export interface ResponseSink {
  onHead?(status: number): void;
  onBody(piece: Buffer): void;
  /** `keepAlive`: whether the server leaves the connection open. */
  onEnd(status: number, keepAlive: boolean): void;
}

/** Where in an answer the next byte stands. */
type Part = 'head' | 'body' | 'chunk-size' | 'chunk' | 'chunk-end' | 'trailer';

const lineEnd = '\r\n';
const headEnd = '\r\n\r\n';

/** Reads HTTP/1.1 answers with a length or in chunks from one connection, as the bytes arrive. */
export class ResponseReader {
  #sink: ResponseSink | undefined;
  /** Bytes of a head or of a chunk's size line that is not complete yet. */
  #rest: Buffer = Buffer.alloc(0);
  #part: Part = 'head';
  #left = 0;
  #status = 0;
  #keepAlive = true;

  /** The next answer goes to `sink`. */
  expect(sink: ResponseSink): void {
    this.#sink = sink;
  }

  /** Takes the next bytes of the connection; throws for what is not HTTP/1.1. */
  read(bytes: Buffer): void {
    let input = this.#rest.length ? Buffer.concat([this.#rest, bytes]) : bytes;
    this.#rest = input.subarray(input.length);
    while (input.length) {
      const taken = this.#step(input);
      if (taken === 0) {
        this.#rest = input;
        return;
      }
      input = input.subarray(taken);
    }
  }

  /** How many bytes of the input were used; 0 when more are needed. */
  #step(input: Buffer): number {
    switch (this.#part) {
      case 'head':
        return this.#head(input);
      case 'chunk-size':
        return this.#chunkSize(input);
      case 'chunk-end':
        return this.#line(input, () => (this.#part = 'chunk-size'));
      case 'trailer':
        return this.#line(input, (line) => {
          if (line === '') this.#end();
        });
      default:
        return this.#piece(input);
    }
  }

  #head(input: Buffer): number {
    const end = input.indexOf(headEnd);
    if (end < 0) return 0;
    const head = input.toString('latin1', 0, end).toLowerCase();
    if (!head.startsWith('http/1.1 ')) throw new Error(`no HTTP/1.1 answer: ${JSON.stringify(head.slice(0, 40))}`);
    this.#status = Number(head.slice(9, 12));
    this.#keepAlive = !head.includes('\r\nconnection: close');
    this.#sink?.onHead?.(this.#status);
    const at = head.indexOf('\r\ncontent-length:');
    if (at >= 0) {
      this.#left = Number.parseInt(head.slice(at + 17), 10);
      this.#part = 'body';
      if (this.#left === 0) this.#end();
    } else if (head.includes('\r\ntransfer-encoding: chunked')) this.#part = 'chunk-size';
    else this.#end();
    return end + headEnd.length;
  }

  #chunkSize(input: Buffer): number {
    return this.#line(input, (line) => {
      this.#left = Number.parseInt(line, 16);
      this.#part = this.#left === 0 ? 'trailer' : 'chunk';
    });
  }

  #piece(input: Buffer): number {
    const taken = Math.min(this.#left, input.length);
    this.#sink?.onBody(taken === input.length ? input : input.subarray(0, taken));
    this.#left -= taken;
    if (this.#left > 0) return taken;
    if (this.#part === 'body') this.#end();
    else this.#part = 'chunk-end';
    return taken;
  }

  #line(input: Buffer, use: (line: string) => void): number {
    const end = input.indexOf(lineEnd);
    if (end < 0) return 0;
    use(input.toString('latin1', 0, end));
    return end + lineEnd.length;
  }

  #end(): void {
    this.#part = 'head';
    const sink = this.#sink;
    this.#sink = undefined;
    sink?.onEnd(this.#status, this.#keepAlive);
  }
}
