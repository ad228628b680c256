import type { Answer } from '../http/exchange.ts';
import { readObject, requireKnownFormat } from './body.ts';
import { callOf, fieldValidationOf, type HandlerDeps, type Target } from './context.ts';
import { representationOf, writtenAnswer } from './render.ts';

/** POST to a collection. */
export async function handleCreate(deps: HandlerDeps, target: Target): Promise<Answer> {
  const { exchange, kind, namespace } = target;
  const representation = representationOf(exchange);
  requireKnownFormat(exchange);
  const call = callOf(exchange, 'CreateOptions');
  const object = await readObject(exchange, kind, fieldValidationOf(exchange.query, 'CreateOptions'));
  const created = { object: await deps.registry.create(call, kind, namespace, object), created: true };
  const pause = exchange.pauses();
  if (pause) await pause();
  const { objects } = deps.registry.deps;
  return writtenAnswer(objects, exchange, kind, created, { representation, nowMs: deps.clock.now() });
}
