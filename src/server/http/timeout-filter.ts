import { badRequest, StatusError } from '../../api/status-error.ts';
import type { Clock } from '../../lib/clock.ts';
import { parseDuration } from '../../lib/duration.ts';
import type { Answer, Exchange, Filter } from './exchange.ts';

/** How long a request may take until its answer starts (apiserver: pkg/server/config.go RequestTimeout). */
const requestTimeoutMs = 60_000;
/** What they answer is somebody else's, who has time-outs of their own. */
const passedOn: ReadonlySet<string> = new Set(['proxy', 'exec', 'attach', 'portforward', 'log']);

/**
 * Answers 504 to requests that take too long, by default or by their own `?timeout=`; a body that never ends is the usual reason. Streams
 * are not concerned. Rules: upstream's pkg/endpoints/filters/request_deadline.go.
 */
export function timeoutFilter(clock: Clock): Filter {
  return (exchange, next) => {
    if (isPassedOn(exchange)) return next(exchange);
    const timeoutMs = allowedTimeMs(exchange);
    const answer = next(exchange);
    if (!(answer instanceof Promise)) return answer;
    return new Promise<Answer>((resolve, reject) => {
      const cancel = clock.after(timeoutMs, () => {
        exchange.isGivenUp = true;
        reject(timedOut(exchange));
      });
      const inTime = (result: Answer): void => {
        cancel();
        resolve(result);
      };
      answer.then(inTime, (error: unknown) => {
        cancel();
        reject(error);
      });
    });
  };
}

/** True for requests whose answer is somebody else's. */
export const isPassedOn = ({ info }: Exchange): boolean => passedOn.has(info.subresource);

/** How long a request may take until its answer starts. Throws StatusError 400 for a `?timeout=` that is no duration. */
export function allowedTimeMs({ info, query }: Exchange): number {
  return info.verb === 'watch' || passedOn.has(info.subresource) ? requestTimeoutMs : timeoutOf(query.get('timeout'));
}

/** What the client gives the server, within what the server gives it; zero is no wish. Throws StatusError 400 for what is no duration. */
function timeoutOf(text: string | null): number {
  if (!text) return requestTimeoutMs;
  try {
    const wishMs = Number(parseDuration(text)) / 1e6;
    return wishMs > 0 ? Math.min(wishMs, requestTimeoutMs) : requestTimeoutMs;
  } catch (error) {
    throw badRequest(`invalid timeout specified in the request URL - ${(error as Error).message}`);
  }
}

function timedOut({ info, method }: Exchange): StatusError {
  return new StatusError({
    code: 504,
    reason: 'Timeout',
    message: `Timeout: request did not complete within the allotted timeout (${method.toLowerCase()} ${info.path})`,
    details: {},
  });
}
