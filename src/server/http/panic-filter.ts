import { StatusError } from '../../api/status-error.ts';
import type { Logger } from '../../lib/log.ts';
import type { Answer, Exchange, Filter } from './exchange.ts';
import { errorAnswer } from './status-answer.ts';

/** Turns whatever is thrown into an answer; what is not a StatusError is our own mistake and is logged. */
export function panicFilter(logger: Logger): Filter {
  const answerTo = (exchange: Exchange, error: unknown): Answer => {
    if (!(error instanceof StatusError) || error.cause !== undefined) {
      const { method, path, auditId } = exchange;
      const level = error instanceof StatusError && error.code !== 500 ? 'debug' : 'error';
      logger[level]('request failed', { method, path, auditId, error, stack: stackOf(error) });
    }
    return errorAnswer(exchange, error);
  };
  return (exchange, next) => {
    try {
      const answer = next(exchange);
      return answer instanceof Promise ? answer.catch((error: unknown) => answerTo(exchange, error)) : answer;
    } catch (error) {
      return answerTo(exchange, error);
    }
  };
}

function stackOf(error: unknown): string | undefined {
  return error instanceof Error && !(error instanceof StatusError) ? error.stack : undefined;
}
