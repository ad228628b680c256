import type { KubeObject } from '../../api/meta.ts';
import { cloneJson } from '../../api/patch/json-value.ts';
import { badRequest } from '../../api/status-error.ts';
import type { Answer } from '../http/exchange.ts';
import type { UpdateRules } from '../registry/update.ts';
import { readObject } from './body.ts';
import { callOf, fieldValidationOf, type HandlerDeps, type Target } from './context.ts';
import { objectAnswer, representationOf } from './render.ts';

/** PUT of one object, or of a sub-resource that shows the whole object. */
export async function handleUpdate(deps: HandlerDeps, target: Target, rules?: UpdateRules): Promise<Answer> {
  const { exchange, kind, namespace, name } = target;
  const representation = representationOf(exchange);
  const call = callOf(exchange, 'UpdateOptions');
  const object = await readObject(exchange, kind, fieldValidationOf(exchange.query, 'UpdateOptions'));
  requireName(object, name);
  const result = await deps.registry.update(call, kind, {
    key: { namespace, name },
    transform: () => cloneJson(object),
    allowCreate: !rules && kind.allowCreateOnUpdate,
    ...(rules ? { rules } : {}),
  });
  return objectAnswer(exchange, result.created ? 201 : 200, kind, result.object, { representation, nowMs: deps.clock.now() });
}

/** `PUT` must name the object in its body, too. */
function requireName(object: KubeObject, name: string): void {
  if (!object.metadata.name) {
    throw badRequest(`the name of the object (${name} based on URL) was undeterminable: name must be provided`);
  }
}
