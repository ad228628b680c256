import type { KubeObject } from '../../api/meta.ts';
import { conflict } from '../../api/status-error.ts';
import type { Answer } from '../http/exchange.ts';
import type { Call } from '../registry/call.ts';
import { applyPatch, type Patch } from '../registry/patch.ts';
import type { ProjectedSubresource } from '../resources/subresource.ts';
import { readObject } from './body.ts';
import { callOf, fieldValidationOf, type HandlerDeps, type Target } from './context.ts';
import { readPatch } from './patch.ts';
import { objectAnswer, representationOf } from './render.ts';

/** PUT of a sub-resource with a body of its own; without resourceVersion it is unconditional. */
export async function handleProjectedUpdate(
  deps: HandlerDeps,
  target: Target,
  projection: ProjectedSubresource,
): Promise<Answer> {
  const { exchange } = target;
  const call = callOf(exchange, 'UpdateOptions');
  const body = await readObject(exchange, projection.body, fieldValidationOf(exchange.query, 'UpdateOptions'));
  return changeAnswer(deps, target, call, projection, () => body);
}

/** PATCH of a sub-resource with a body of its own: the patch applies to what it shows. */
export async function handleProjectedPatch(deps: HandlerDeps, target: Target, projection: ProjectedSubresource): Promise<Answer> {
  const { exchange } = target;
  const call = callOf(exchange, 'PatchOptions');
  const patch = await readPatch(exchange, projection.body);
  return changeAnswer(deps, target, call, projection, (shown) => patched(deps, target, call, projection, patch, shown));
}

function patched(
  deps: HandlerDeps,
  target: Target,
  call: Call,
  projection: ProjectedSubresource,
  patch: Patch,
  shown: KubeObject,
): KubeObject {
  const { namespace, name } = target;
  const nowMs = deps.clock.now();
  return applyPatch({ kind: projection.body, key: { namespace, name }, current: shown, patch, call, nowMs, subresource: '' });
}

async function changeAnswer(
  deps: HandlerDeps,
  target: Target,
  call: Call,
  projection: ProjectedSubresource,
  change: (shown: KubeObject) => KubeObject,
): Promise<Answer> {
  const { exchange, kind, namespace, name } = target;
  const representation = representationOf(exchange);
  const result = await changeProjected(deps, call, { kind, key: { namespace, name }, projection, change });
  return objectAnswer(exchange, 200, projection.body, result, { representation, nowMs: deps.clock.now() });
}

/** Reads, changes what the sub-resource shows, writes it back; resolves with what it then shows. */
export async function changeProjected(
  deps: HandlerDeps,
  call: Call,
  options: {
    kind: Target['kind'];
    key: { namespace?: string | undefined; name: string };
    projection: ProjectedSubresource;
    change: (shown: KubeObject) => KubeObject;
  },
): Promise<KubeObject> {
  const { kind, key, projection, change } = options;
  const result = await deps.registry.update(call, kind, {
    key,
    unconditional: true,
    transform(current) {
      const object = current!;
      const shown = projection.show(object);
      const body = change(structuredClone(shown));
      const wanted = body.metadata.resourceVersion;
      if (wanted && wanted !== object.metadata.resourceVersion) throw conflict(kind, key.name);
      projection.change(object, body);
      return object;
    },
  });
  return projection.show(result.object);
}
