import { type IpRange, ipAt, parseIpRange } from '../../../api/ip-range.ts';

/** A block of addresses that is cut into equal pieces, one per node. */
export interface CidrPool {
  readonly range: IpRange;
  /** The length of the prefix of a piece. */
  readonly nodePrefix: number;
  readonly pieceSize: bigint;
}

/** Pieces of one pool at most; more nodes than Kubernetes is made for. */
const piecesLimit = 65_536n;

/** Reads `10.42.0.0/16` or `fd00::/48`. Throws an error for a person when it is none. A block smaller than a piece is one piece. */
export function parsePool(cidr: string, nodePrefixV4 = 24, nodePrefixV6 = 64): CidrPool {
  const range = parseIpRange(cidr);
  const [bits, wanted] = range.family === 'IPv4' ? [32, nodePrefixV4] : [128, nodePrefixV6];
  const nodePrefix = Math.max(wanted, Number(range.text.slice(range.text.indexOf('/') + 1)));
  return { range, nodePrefix, pieceSize: 1n << BigInt(bits - nodePrefix) };
}

/** The first piece that nobody has; undefined when all are taken. */
export function firstFreePiece({ range, nodePrefix, pieceSize }: CidrPool, taken: ReadonlySet<string>): string | undefined {
  const end = pieceSize * piecesLimit < range.size ? pieceSize * piecesLimit : range.size;
  for (let offset = 0n; offset < end; offset += pieceSize) {
    const piece = `${ipAt(range, offset)}/${nodePrefix}`;
    if (!taken.has(piece)) return piece;
  }
  return undefined;
}
