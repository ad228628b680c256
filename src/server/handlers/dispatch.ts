import { hasSubresource, type Kind, type Verb } from '../../api/kind.ts';
import { badRequest, methodNotAllowed, resourceNotFound } from '../../api/status-error.ts';
import { type Answer, type Exchange, pathNotFound } from '../http/exchange.ts';
import type { HandlerDeps, Target } from './context.ts';
import { handleCreate } from './create.ts';
import { handleDelete, handleDeleteCollection } from './delete.ts';
import { handleGet } from './get.ts';
import { handleList } from './list.ts';
import { handlePatch } from './patch.ts';
import { handleSubresource, type SubresourceDeps } from './subresource.ts';
import { handleUpdate } from './update.ts';
import { handleWatch } from './watch.ts';

type VerbHandler = (deps: HandlerDeps, target: Target) => Promise<Answer> | Answer;

const handlers: Readonly<Record<Verb, VerbHandler>> = {
  create: handleCreate,
  delete: handleDelete,
  deletecollection: handleDeleteCollection,
  get: handleGet,
  list: handleList,
  patch: handlePatch,
  update: handleUpdate,
  watch: handleWatch,
};

/** Verbs on one object; a collection has no such methods. */
const needsName: ReadonlySet<string> = new Set(['get', 'update', 'patch', 'delete']);

export interface DispatchDeps extends SubresourceDeps {
  /** Answers for groups that other servers serve; undefined: nobody's. */
  readonly aggregated: ((exchange: Exchange) => Promise<Answer> | Answer | undefined) | undefined;
}

/** Sends a request for a resource to the handler of its kind and verb. */
export function dispatch(deps: DispatchDeps, exchange: Exchange): Promise<Answer> | Answer {
  const { info } = exchange;
  const kind = deps.kinds.find(info.group, info.version, info.resource);
  if (!kind) {
    const answer = deps.aggregated?.(exchange);
    if (answer) return answer;
    // A group nobody serves is a path that does not exist; in a known one it is the resource.
    if (!deps.kinds.hasGroup(info.group)) return pathNotFound();
    throw resourceNotFound();
  }
  // No verb, though HTTP would have it: a HEAD is authorized like a GET and then refused, but for what is passed on.
  if (exchange.method === 'HEAD' && info.subresource !== 'proxy') throw methodNotAllowed();
  const target = targetOf(exchange, kind);
  if (kind.deprecation && hasSubresource(kind, info.subresource) && kind.verbs.includes(info.verb as Verb)) {
    exchange.warnings.add(kind.deprecation);
    deps.onDeprecated(kind, info.subresource);
  }
  if (info.subresource) return handleSubresource(deps, target);
  const own = deps.subresources.whole(kind);
  if (own) return own(deps, target);
  if (!kind.verbs.includes(info.verb as Verb)) throw methodNotAllowed();
  if (!target.name && needsName.has(info.verb)) throw methodNotAllowed();
  if (target.name && info.verb === 'create') throw methodNotAllowed();
  const everywhere = kind.scope === 'Namespaced' && !target.namespace;
  if (everywhere && needsName.has(info.verb)) throw resourceNotFound();
  if (target.name && needsName.has(info.verb)) checkName(exchange, target.name);
  if (everywhere && (info.verb === 'create' || info.verb === 'deletecollection')) throw methodNotAllowed();
  return handlers[info.verb as Verb](deps, target);
}

/** A path that goes on behind a name is not about the object of that name: `namespaces/x//pods` is not the namespace. */
function checkName({ info }: Exchange, name: string): void {
  if (info.rest || name.includes('/')) throw resourceNotFound();
  const why = name === '.' || name === '..' ? `may not be '${name}'` : name.includes('%') ? "may not contain '%'" : undefined;
  if (why) throw badRequest(`Name parameter invalid: ${JSON.stringify(name)}: ${why}`);
}

function targetOf(exchange: Exchange, kind: Kind): Target {
  const { info } = exchange;
  if (kind.scope === 'Cluster') {
    // /api/v1/namespaces/x/nodes does not exist; /api/v1/namespaces/x is a namespace itself.
    if (info.namespace && info.resource !== 'namespaces') throw resourceNotFound();
    return { exchange, kind, namespace: undefined, name: info.name };
  }
  return { exchange, kind, namespace: info.namespace || undefined, name: info.name };
}
