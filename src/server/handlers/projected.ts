import type { KubeObject } from '../../api/meta.ts';
import { cloneJson } from '../../api/patch/json-value.ts';
import { conflict } from '../../api/status-error.ts';
import type { Answer } from '../http/exchange.ts';
import type { Call } from '../registry/call.ts';
import { trackManagers } from '../registry/managers.ts';
import { applyPatch } from '../registry/patch.ts';
import { checkName, checkUid, settleNamespace } from '../registry/system-fields.ts';
import type { ProjectedSubresource } from '../resources/subresource.ts';
import { readObject } from './body.ts';
import { callOf, fieldValidationOf, type HandlerDeps, type Target } from './context.ts';
import { patchKindOf, readPatch } from './patch.ts';
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
  return changeAnswer(deps, target, call, { projection, change: () => cloneJson(body) });
}

/** PATCH of a sub-resource with a body of its own: the patch applies to what it shows. */
export async function handleProjectedPatch(deps: HandlerDeps, target: Target, projection: ProjectedSubresource): Promise<Answer> {
  const { exchange, namespace, name } = target;
  const type = patchKindOf(exchange, projection.body);
  const call = callOf(exchange, 'PatchOptions');
  const patch = await readPatch(exchange, type);
  const { subresource } = exchange.info;
  const fixed = { kinds: deps.kinds, kind: projection.body, key: { namespace, name }, patch, call, subresource };
  return changeAnswer(deps, target, call, {
    projection,
    managersAreTracked: patch.type === 'apply',
    change: (current) => applyPatch({ ...fixed, current, nowMs: deps.clock.now() }),
  });
}

interface ProjectedChange {
  readonly projection: ProjectedSubresource;
  /** Makes the body as it shall be from a copy of the body as it is. */
  change(shown: KubeObject): KubeObject | Promise<KubeObject>;
  /** `change` records managers itself. */
  readonly managersAreTracked?: boolean;
}

async function changeAnswer(deps: HandlerDeps, target: Target, call: Call, change: ProjectedChange): Promise<Answer> {
  const { exchange, kind, namespace, name } = target;
  const representation = representationOf(exchange);
  const { subresource } = exchange.info;
  const result = await changeProjected(deps, call, { kind, key: { namespace, name }, subresource, ...change });
  return objectAnswer(exchange, 200, change.projection.body, result, { representation, nowMs: deps.clock.now() });
}

/** Reads, changes what the sub-resource shows, writes it back; resolves with what it then shows. */
export async function changeProjected(
  deps: HandlerDeps,
  call: Call,
  options: ProjectedChange & {
    kind: Target['kind'];
    key: { namespace?: string | undefined; name: string };
    subresource: string;
  },
): Promise<KubeObject> {
  const { kind, key, projection, subresource } = options;
  const result = await deps.registry.update(call, kind, {
    key,
    unconditional: true,
    managersAreTracked: true,
    async transform(current) {
      const object = current!;
      const live = shownWithOwners(projection, object);
      const body = await options.change(cloneJson(live));
      checkName(body, key.name);
      settleNamespace(kind, body, key.namespace);
      checkUid(kind, body, object);
      const wanted = body.metadata.resourceVersion;
      if (wanted && wanted !== object.metadata.resourceVersion) throw conflict(kind, key.name);
      if (!options.managersAreTracked) {
        const write = { kind: projection.body, previous: live, next: body, subresource };
        trackManagers(deps.kinds, { ...write, manager: call.fieldManager, nowMs: deps.clock.now() });
      }
      projection.change(object, body);
      return object;
    },
  });
  return projection.show(result.object);
}

function shownWithOwners(projection: ProjectedSubresource, object: KubeObject): KubeObject {
  const shown = projection.show(object);
  const managedFields = projection.owners(object);
  return managedFields ? { ...shown, metadata: { ...shown.metadata, managedFields } } : shown;
}
