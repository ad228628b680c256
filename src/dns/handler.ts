import type { Answer, Question } from 'dns-packet';

/** A question as it came in. */
export interface Query {
  readonly question: Question;
  /** The packet itself, for those who pass it on. */
  readonly packet: Buffer;
  /** UDP answers must fit into a datagram; TCP ones need not. */
  readonly transport: 'udp' | 'tcp';
}

/** Either records to be encoded, or a packet that is ready but for its id. */
export type Reply =
  | {
      readonly rcode: 'NOERROR' | 'NXDOMAIN' | 'SERVFAIL' | 'REFUSED';
      readonly authoritative: boolean;
      readonly answers: readonly Answer[];
      readonly authorities?: readonly Answer[];
    }
  | { readonly packet: Buffer };

/** One link of the chain; undefined = not mine, ask the next. */
export type Handler = (query: Query) => Promise<Reply | undefined> | Reply | undefined;

/** Asks handlers in order. Nobody's question is refused. */
export async function runChain(handlers: readonly Handler[], query: Query): Promise<Reply> {
  for (const handler of handlers) {
    const reply = await handler(query);
    if (reply) return reply;
  }
  return { rcode: 'REFUSED', authoritative: false, answers: [] };
}
