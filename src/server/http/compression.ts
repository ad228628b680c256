import { promisify } from 'node:util';
import { constants, gzip } from 'node:zlib';
import {
  type Answer,
  type BodyForms,
  bodySize,
  type Exchange,
  type Filter,
  type FullAnswer,
  header,
  isStream,
  isTakenOver,
  mapAnswer,
  wholeBody,
} from './exchange.ts';

/** Smaller answers cost more to compress than to send (apiserver: pkg/endpoints/handlers/responsewriters/writers.go). */
const minCompressedBytes = 128 * 1024;
const compress = promisify(gzip);

/** Compresses large complete answers for clients that accept it. */
export const compressionFilter: Filter = (exchange, next) =>
  mapAnswer(next(exchange), (answer) => compressIfLarge(exchange, answer));

function compressIfLarge(exchange: Exchange, answer: Answer): Promise<Answer> | Answer {
  if (isTakenOver(answer) || isStream(answer) || answer.headers['content-encoding']) return answer;
  const size = bodySize(answer);
  return size < minCompressedBytes || !acceptsGzip(header(exchange, 'accept-encoding')) ? answer : compressed(answer);
}

/** True when the Accept-Encoding header names gzip, but not as refused (`q=0`). */
export function acceptsGzip(acceptEncoding = ''): boolean {
  return /(?:^|[\s,])gzip(?=[\s,;]|$)(?!\s*;\s*q=0(?:\.0*)?(?:[\s,]|$))/.test(acceptEncoding);
}

async function compressed(answer: FullAnswer): Promise<FullAnswer> {
  return {
    status: answer.status,
    headers: { ...answer.headers, 'content-encoding': 'gzip', vary: 'Accept-Encoding' },
    parts: [await compressedBody(answer)],
  };
}

/** Compressed in the thread pool, once for all answers with this body. */
function compressedBody(answer: FullAnswer): Promise<Uint8Array> {
  const forms: BodyForms = ('forms' in answer.parts ? answer.parts.forms : undefined) ?? {};
  forms.gzip ??= compress(wholeBody(answer), { level: constants.Z_BEST_SPEED });
  return forms.gzip;
}
