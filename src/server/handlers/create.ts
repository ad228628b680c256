import type { Answer } from '../http/exchange.ts';
import { readObject } from './body.ts';
import { callOf, fieldValidationOf, type HandlerDeps, type Target } from './context.ts';
import { objectAnswer, representationOf } from './render.ts';

/** POST to a collection. */
export async function handleCreate(deps: HandlerDeps, target: Target): Promise<Answer> {
  const { exchange, kind, namespace } = target;
  const representation = representationOf(exchange);
  const call = callOf(exchange, 'CreateOptions');
  const object = await readObject(exchange, kind, fieldValidationOf(exchange.query, 'CreateOptions'));
  const created = await deps.registry.create(call, kind, namespace, object);
  return objectAnswer(exchange, 201, kind, created, { representation, nowMs: deps.clock.now() });
}
