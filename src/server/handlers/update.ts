import type { KubeObject } from '../../api/meta.ts';
import { authorizeCreate } from '../http/auth-filters.ts';
import type { Answer } from '../http/exchange.ts';
import { checkName, settleNamespace } from '../registry/system-fields.ts';
import type { UpdateRules } from '../registry/update.ts';
import { readBody } from './body.ts';
import { callOf, fieldValidationOf, type HandlerDeps, type Target } from './context.ts';
import { representationOf, writtenAnswer } from './render.ts';

/** PUT of one object, or of a sub-resource that shows the whole object. */
export async function handleUpdate(deps: HandlerDeps, target: Target, rules?: UpdateRules): Promise<Answer> {
  const { exchange, kind, namespace, name } = target;
  const representation = representationOf(exchange);
  const call = callOf(exchange, 'UpdateOptions');
  const read = await readBody(exchange, kind, fieldValidationOf(exchange.query, 'UpdateOptions'));
  let object: KubeObject | undefined = read();
  settleNamespace(kind, object, namespace);
  checkName(object, name);
  const result = await deps.registry.update(call, kind, {
    key: { namespace, name },
    // The registry changes what it gets; should it start again, the body is read again.
    transform() {
      const given = object ?? read();
      object = undefined;
      return given;
    },
    transformCopies: true,
    allowCreate: !rules && kind.allowCreateOnUpdate,
    authorizeCreate: () => authorizeCreate(deps.authorizer, exchange),
    ...(rules ? { rules } : {}),
  });
  const pause = exchange.pauses();
  if (pause) await pause();
  return writtenAnswer(deps.registry.deps.objects, exchange, kind, result, { representation, nowMs: deps.clock.now() });
}
