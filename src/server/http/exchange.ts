import type { Duplex, Readable } from 'node:stream';
import type { UserInfo } from '../auth/user.ts';
import type { RequestInfo } from './request-info.ts';

export type Headers = Readonly<Record<string, string | readonly string[] | undefined>>;

/** The objects that decide when a request is worked on. */
export interface FlowIds {
  readonly schemaUid: string;
  readonly levelUid: string;
}

/** One request, whatever carried it: HTTP/2, HTTP/1.1, an upgrade, or a test. Filters fill in who and what it is. */
export interface Exchange {
  readonly method: string;
  /** The undecoded path, without the query. */
  readonly path: string;
  readonly query: URLSearchParams;
  /** Lower-case names. */
  readonly headers: Headers;
  readonly remoteAddress: string;
  /** DER; the peer has its key, but anybody may have signed it: authentication decides. */
  readonly clientCertificate: Uint8Array | undefined;
  /** Set for upgrade requests: the bare connection, to be taken over. */
  readonly upgrade: { readonly socket: Duplex; readonly head: Uint8Array } | undefined;
  /** The whole body. Rejects with StatusError 413 when it is larger. */
  readBody(limitBytes: number): Promise<Uint8Array>;
  /**
   * What is to be awaited between the pieces of work on a large body, or on so many bytes besides it: others are served meanwhile. Undefined for less.
   */
  pauses(bytes?: number): (() => Promise<void>) | undefined;
  /** The body as it comes, for proxying; undefined when there is none. */
  bodyStream(): Readable | undefined;
  /** Called once when the peer is gone or the answer is complete. */
  onClose(listener: () => void): void;
  readonly auditId: string;
  info: RequestInfo;
  user: UserInfo;
  /** What the answer says of the flow it belongs to; undefined until that is known, and for answers that do not say it. */
  flow: FlowIds | undefined;
  /** How long it waited for its turn. */
  waitedMs: number;
  /** The server answers without having done what was asked, to protect itself or because it takes too long. */
  isGivenUp: boolean;
  /** Texts for `Warning: 299` headers, in order, without repetition. */
  readonly warnings: Set<string>;
}

export type AnswerHeaders = Record<string, string | string[]>;

/** An answer that is complete. `parts` are sent one after the other. */
export interface FullAnswer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  readonly parts: readonly Uint8Array[] | LargeBody;
}

/** A body that is made while it is sent. */
export interface LargeBody {
  readonly sizeBytes: number;
  readonly head: Uint8Array;
  /** What follows the head; a piece is valid until the next one is taken. */
  pieces(): Iterable<Uint8Array>;
  /** Answers with the same body share this; undefined when there are no others. */
  readonly forms: BodyForms | undefined;
}

/** Other forms of a body, made once for all answers that have it. */
export interface BodyForms {
  gzip?: Promise<Uint8Array>;
}

/** Bytes of all parts together. */
export function bodySize({ parts }: FullAnswer): number {
  return 'sizeBytes' in parts ? parts.sizeBytes : parts.reduce((sum, part) => sum + part.length, 0);
}

/** The body in one piece. */
export function wholeBody({ parts }: FullAnswer): Uint8Array {
  if (!('sizeBytes' in parts)) return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
  const body = Buffer.allocUnsafeSlow(parts.sizeBytes);
  body.set(parts.head);
  let at = parts.head.length;
  for (const piece of parts.pieces()) {
    body.set(piece, at);
    at += piece.length;
  }
  return body;
}

/** An answer that goes on: `run` gets the sink after the headers have been sent, and ends it. */
export interface StreamAnswer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  run(sink: Sink): void;
}

/** The connection has been taken over: nothing is to be answered any more. */
export interface TakenOver {
  readonly status: 101;
  readonly takenOver: true;
}

export type Answer = FullAnswer | StreamAnswer | TakenOver;

/** Where a streamed answer goes. */
export interface Sink {
  /** False when the peer should be given time: `onDrain` calls when it has caught up. */
  write(bytes: Uint8Array): boolean;
  /** Bytes written and not yet taken by the connection. */
  readonly bufferedBytes: number;
  onDrain(listener: () => void): void;
  /** Called once when the peer is gone or `end` has completed. */
  onClose(listener: () => void): void;
  end(): void;
  /** Breaks the connection: what was sent is not all there is. */
  abort(): void;
}

export type Handler = (exchange: Exchange) => Promise<Answer> | Answer;

/** One step of the chain: does its part and calls the next, or answers itself. */
export type Filter = (exchange: Exchange, next: Handler) => Promise<Answer> | Answer;

/** `change` applied to an answer, at once when it is there: reads need no turn of the event loop, and so no time limit. */
export function mapAnswer(
  answer: Promise<Answer> | Answer,
  change: (answer: Answer) => Promise<Answer> | Answer,
): Promise<Answer> | Answer {
  return answer instanceof Promise ? answer.then(change) : change(answer);
}

/** Builds one handler from filters; the first is the outermost. */
export function chain(filters: readonly Filter[], handler: Handler): Handler {
  return filters.reduceRight<Handler>((next, filter) => (exchange) => filter(exchange, next), handler);
}

/** The first value of a header. */
export function header(exchange: { readonly headers: Headers }, name: string): string | undefined {
  const value = exchange.headers[name];
  return typeof value === 'string' || value === undefined ? value : value[0];
}

const encoder = new TextEncoder();

/** Plain text, which browsers are told not to take for anything else. */
export function textAnswer(status: number, text: string, headers: AnswerHeaders = {}): FullAnswer {
  return {
    status,
    headers: { 'content-type': 'text/plain; charset=utf-8', 'x-content-type-options': 'nosniff', ...headers },
    parts: [encoder.encode(text)],
  };
}

/** The answer for paths nobody serves, as Go words it. */
export const pathNotFound = (): FullAnswer => textAnswer(404, '404 page not found\n');

/** A value as compact JSON. */
export function jsonAnswer(status: number, value: unknown, headers: AnswerHeaders = {}): FullAnswer {
  return { status, headers: { 'content-type': 'application/json', ...headers }, parts: [encoder.encode(JSON.stringify(value))] };
}

/** True when nothing is to be answered any more. */
export function isTakenOver(answer: Answer): answer is TakenOver {
  return 'takenOver' in answer;
}

/** True for answers that go on. */
export function isStream(answer: FullAnswer | StreamAnswer): answer is StreamAnswer {
  return 'run' in answer;
}
