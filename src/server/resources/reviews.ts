import { methodNotAllowed } from '../../api/status-error.ts';
import type { ReviewHandler } from '../auth/reviews.ts';
import { readObject } from '../handlers/body.ts';
import { fieldValidationOf, type HandlerDeps, type Target } from '../handlers/context.ts';
import { type Answer, header } from '../http/exchange.ts';
import { negotiate } from '../http/negotiate.ts';
import { valueAnswer } from '../http/status-answer.ts';

/** A create-only kind: the posted object comes back with an answer in its status; nothing is stored. */
export function reviewHandler(review: ReviewHandler): (deps: HandlerDeps, target: Target) => Promise<Answer> {
  return async ({ clock }, { exchange, kind, namespace }) => {
    if (exchange.info.verb !== 'create') throw methodNotAllowed();
    negotiate(header(exchange, 'accept'), false);
    const object = await readObject(exchange, kind, fieldValidationOf(exchange.query, 'CreateOptions'));
    const context = { user: exchange.user, nowMs: clock.now(), ...(namespace === undefined ? {} : { namespace }) };
    return valueAnswer(exchange, 201, await review(context, object));
  };
}
