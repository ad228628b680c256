import { readFileSync } from 'node:fs';

/** A request, and what Kubernetes answered. */
export interface RecordedCase {
  readonly id: string;
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  /** As it was sent. */
  readonly send: string | undefined;
  readonly answer: RecordedAnswer;
}

export interface RecordedAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** The headers of answers that were recorded: when the recording does not show one of them, there was none. */
export const recordedHeaders = ['cache-control', 'content-type', 'retry-after', 'warning'] as const;

/** The cases of a recording, in the order they were made; the form is described at its top. */
export function readRecording(file: string): RecordedCase[] {
  const [, ...blocks] = readFileSync(file, 'utf8').split(/^### /m);
  return blocks.map(parseBlock);
}

function parseBlock(block: string): RecordedCase {
  const headEnd = block.indexOf('\n\n');
  const [id = '', ...lines] = block.slice(0, headEnd).split('\n');
  const said = (mark: string): string[] => lines.filter((line) => line.startsWith(mark)).map((line) => line.slice(2));
  const [requestLine = '', ...request] = said('>');
  const [status = '', ...answered] = said('<');
  const blank = request.indexOf('');
  const space = requestLine.indexOf(' ');
  return {
    id,
    method: requestLine.slice(0, space),
    url: requestLine.slice(space + 1),
    headers: headersOf(blank < 0 ? request : request.slice(0, blank)),
    send: blank < 0 ? undefined : request.slice(blank + 1).join('\n'),
    answer: { status: Number(status), headers: headersOf(answered), body: block.slice(headEnd + 2).replace(/\n\n$/, '') },
  };
}

function headersOf(lines: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    lines.map((line) => {
      const colon = line.indexOf(': ');
      return [line.slice(0, colon), line.slice(colon + 2)];
    }),
  );
}
