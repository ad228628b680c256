import type { Verb } from '../../api/kind.ts';
import type { AnyObject } from '../../api/meta.ts';
import { methodNotAllowed, resourceNotFound } from '../../api/status-error.ts';
import { type Answer, header } from '../http/exchange.ts';
import { requireNoTable } from '../http/negotiate.ts';
import { valueAnswer } from '../http/status-answer.ts';
import type { PostedSubresource, ProjectedSubresource, Subresource, SubresourceTable } from '../resources/subresource.ts';
import { readObject } from './body.ts';
import { callOf, fieldValidationOf, type HandlerDeps, type Target } from './context.ts';
import { handleGet } from './get.ts';
import { handlePatch } from './patch.ts';
import { postToSubresource } from './post.ts';
import { handleProjectedPatch, handleProjectedUpdate } from './projected.ts';
import { objectAnswer, representationOf } from './render.ts';
import { handleUpdate } from './update.ts';

export interface SubresourceDeps extends HandlerDeps {
  readonly subresources: SubresourceTable;
}

/** A request for a sub-resource, by the shape it has. */
export function handleSubresource(deps: SubresourceDeps, target: Target): Promise<Answer> | Answer {
  const { kind, exchange } = target;
  const { verb } = exchange.info;
  const declared = kind.subresources.find((s) => s.name === exchange.info.subresource);
  const found = declared && deps.subresources.find(kind, declared.name);
  if (!declared || !found || !target.name || (kind.scope === 'Namespaced' && !target.namespace)) throw resourceNotFound();
  if (exchange.info.rest.length > 1 && declared.name !== 'proxy') throw resourceNotFound();
  // What is asked of a backend about itself has no verb here, and still is passed on.
  const isQuestion = exchange.method === 'OPTIONS' && declared.name === 'proxy';
  if (!declared.verbs.includes(verb as Verb) && !isQuestion) throw methodNotAllowed();
  if (found.connect) return found.connect(deps, target);
  if (found.posted) return handlePost(deps, target, found.posted);
  if (found.projection) return handleProjection(deps, target, found.projection);
  return handleWhole(deps, target, found);
}

function handleWhole(deps: SubresourceDeps, target: Target, subresource: Subresource): Promise<Answer> | Answer {
  const { verb } = target.exchange.info;
  if (verb === 'get') return handleGet(deps, target);
  return verb === 'patch' ? handlePatch(deps, target, subresource.rules) : handleUpdate(deps, target, subresource.rules);
}

async function handlePost(deps: SubresourceDeps, target: Target, posted: PostedSubresource): Promise<Answer> {
  const { exchange, kind, namespace, name } = target;
  requireNoTable(header(exchange, 'accept'));
  const body = (await readObject(exchange, posted.body, fieldValidationOf(exchange.query, 'CreateOptions'))) as AnyObject;
  const call = callOf(exchange, 'CreateOptions');
  const { subresource } = exchange.info;
  const { code, object } = await postToSubresource(posted, subresource, { deps, call, kind, key: { namespace, name } }, body);
  return valueAnswer(exchange, code, object);
}

function handleProjection(deps: SubresourceDeps, target: Target, projection: ProjectedSubresource): Promise<Answer> | Answer {
  const { exchange, kind, namespace, name } = target;
  const { verb } = exchange.info;
  if (verb === 'update') return handleProjectedUpdate(deps, target, projection);
  if (verb === 'patch') return handleProjectedPatch(deps, target, projection);
  const object = projection.show(deps.registry.get(kind, { namespace, name }));
  const representation = representationOf(exchange);
  return objectAnswer(exchange, 200, projection.body, object, { representation, nowMs: deps.clock.now() });
}
