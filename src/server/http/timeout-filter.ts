import { StatusError } from '../../api/status-error.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Answer, Exchange, Filter } from './exchange.ts';

/** How long a request may take until its answer starts (apiserver: pkg/server/config.go RequestTimeout). */
const requestTimeoutMs = 60_000;
/** What they answer is somebody else's, who has time-outs of their own. */
const passedOn: ReadonlySet<string> = new Set(['proxy', 'exec', 'attach', 'portforward', 'log']);

/** Answers 504 to requests that take too long; a body that never ends is the usual reason. Streams are not concerned. */
export function timeoutFilter(clock: Clock): Filter {
  return (exchange, next) => {
    if (passedOn.has(exchange.info.subresource)) return next(exchange);
    const answer = next(exchange);
    if (!(answer instanceof Promise)) return answer;
    return new Promise<Answer>((resolve, reject) => {
      const cancel = clock.after(requestTimeoutMs, () => reject(timedOut(exchange)));
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

function timedOut({ info, method }: Exchange): StatusError {
  return new StatusError({
    code: 504,
    reason: 'Timeout',
    message: `Timeout: request did not complete within the allotted timeout (${method.toLowerCase()} ${info.path})`,
    details: {},
  });
}
