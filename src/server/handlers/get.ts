import type { Answer } from '../http/exchange.ts';
import { parseRevision, reachRevision } from '../registry/list.ts';
import type { HandlerDeps, Target } from './context.ts';
import { entryAnswer, representationOf } from './render.ts';

/** GET of one object. */
export async function handleGet(deps: HandlerDeps, target: Target): Promise<Answer> {
  const { exchange, kind, namespace, name } = target;
  const { objects } = deps.registry.deps;
  const representation = representationOf(exchange);
  const revision = parseRevision(exchange.query.get('resourceVersion') ?? undefined);
  if (revision) await reachRevision(objects, revision);
  const entry = deps.registry.entry(kind, { namespace, name });
  return entryAnswer(objects, exchange, kind, entry, { representation, nowMs: deps.clock.now() });
}
