import { StatusError } from '../../api/status-error.ts';
import type { Logger } from '../../lib/log.ts';
import type { Filter } from './exchange.ts';
import { errorAnswer } from './status-answer.ts';

/** Turns whatever is thrown into an answer; what is not a StatusError is our own mistake and is logged. */
export function panicFilter(logger: Logger): Filter {
  return async (exchange, next) => {
    try {
      return await next(exchange);
    } catch (error) {
      if (!(error instanceof StatusError) || error.cause !== undefined) {
        const { method, path, auditId } = exchange;
        const level = error instanceof StatusError && error.code !== 500 ? 'debug' : 'error';
        logger[level]('request failed', { method, path, auditId, error, stack: stackOf(error) });
      }
      return errorAnswer(exchange, error);
    }
  };
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error && !(error instanceof StatusError) ? error.stack : undefined;
}
