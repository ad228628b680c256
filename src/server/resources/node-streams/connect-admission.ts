import type { AnyObject } from '../../../api/meta.ts';
import { callOf, type HandlerDeps, type Target } from '../../handlers/context.ts';
import { admissionRequest } from '../../registry/write-deps.ts';

/** Asks admission whether a connection may be made; `options` is the object upstream makes of the query. Throws what a plugin refuses with. */
export async function admitConnect(
  deps: HandlerDeps,
  { exchange, kind, namespace, name }: Target,
  subresource: string,
  options: Record<string, unknown>,
): Promise<void> {
  const request = admissionRequest({
    operation: 'CONNECT',
    kind,
    subresource,
    namespace,
    name,
    object: options as unknown as AnyObject,
    oldObject: undefined,
    call: callOf(exchange, 'ConnectOptions'),
  });
  await deps.registry.deps.admission.admit(request);
  await deps.registry.deps.admission.validate(request);
}
