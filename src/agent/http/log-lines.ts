/** One line of a container log as the runtime writes it: `<time> <stream> <F|P> <text>`. */
export interface LogLine {
  /** RFC 3339 with nanoseconds, as written. */
  readonly time: string;
  readonly stream: 'stdout' | 'stderr';
  /** False when the text goes on in the next line. */
  readonly complete: boolean;
  readonly text: Buffer;
}

const space = 0x20;

/** Reads a line without its line break; undefined when it is not a log line (cut off by a power loss). */
function parseLogLine(line: Buffer): LogLine | undefined {
  const timeEnd = line.indexOf(space);
  const streamEnd = line.indexOf(space, timeEnd + 1);
  if (timeEnd < 0 || streamEnd < 0) return undefined;
  const tagEnd = line.indexOf(space, streamEnd + 1);
  const stream = line.toString('latin1', timeEnd + 1, streamEnd);
  const tag = line.toString('latin1', streamEnd + 1, tagEnd < 0 ? line.length : tagEnd);
  if (stream !== 'stdout' && stream !== 'stderr') return undefined;
  return {
    time: line.toString('latin1', 0, timeEnd),
    stream,
    complete: !tag.split(':').includes('P'),
    text: tagEnd < 0 ? Buffer.alloc(0) : line.subarray(tagEnd + 1),
  };
}

export interface LogFilter {
  /** Lines before this time are left out. */
  readonly sinceMs?: number;
  readonly timestamps: boolean;
  readonly stream?: 'stdout' | 'stderr';
}

const lineBreak = Buffer.from('\n');

/** Turns runtime log bytes, in pieces of any size, into what `kubectl logs` shows. */
export class LogFormatter {
  readonly #filter: LogFilter;
  #rest: Buffer = Buffer.alloc(0);
  #passing: boolean;

  constructor(filter: LogFilter) {
    this.#filter = filter;
    this.#passing = filter.sinceMs === undefined;
  }

  format(chunk: Buffer): Buffer {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const out: Buffer[] = [];
    let start = 0;
    for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, start)) {
      this.#line(bytes.subarray(start, end), out);
      start = end + 1;
    }
    this.#rest = Buffer.from(bytes.subarray(start));
    return Buffer.concat(out);
  }

  #line(bytes: Buffer, out: Buffer[]): void {
    const line = parseLogLine(bytes);
    if (!line) return;
    const { sinceMs, timestamps, stream } = this.#filter;
    if (stream && stream !== line.stream) return;
    // Lines are in order of time: once one is new enough, those after it are.
    if (!this.#passing && Date.parse(line.time) < sinceMs!) return;
    this.#passing = true;
    if (timestamps) out.push(Buffer.from(`${line.time} `, 'latin1'));
    out.push(line.text);
    if (line.complete) out.push(lineBreak);
  }
}
