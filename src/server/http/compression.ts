import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import { type Filter, type FullAnswer, header, isStream, isTakenOver } from './exchange.ts';

/** Smaller answers cost more to compress than to send (apiserver: pkg/endpoints/handlers/responsewriters/writers.go). */
const minCompressedBytes = 128 * 1024;
const compress = promisify(gzip);

/** Compresses large complete answers for clients that accept it. */
export const compressionFilter: Filter = async (exchange, next) => {
  const answer = await next(exchange);
  if (isTakenOver(answer) || isStream(answer) || answer.headers['content-encoding']) return answer;
  const size = answer.parts.reduce((sum, part) => sum + part.length, 0);
  if (size < minCompressedBytes || !/(?:^|[\s,])gzip(?:[\s,;]|$)/.test(header(exchange, 'accept-encoding') ?? '')) return answer;
  return compressed(answer);
};

async function compressed(answer: FullAnswer): Promise<FullAnswer> {
  const body = answer.parts.length === 1 ? answer.parts[0]! : Buffer.concat(answer.parts);
  const bytes = await compress(body, { level: constants.Z_BEST_SPEED });
  return {
    status: answer.status,
    headers: { ...answer.headers, 'content-encoding': 'gzip', vary: 'Accept-Encoding' },
    parts: [bytes],
  };
}
