import type { AnyObject } from '../../api/meta.ts';
import { badRequest } from '../../api/status-error.ts';
import { admissionRequest } from '../registry/write-deps.ts';
import type { PostedSubresource, SubresourceContext } from '../resources/subresource.ts';

/** Posts to a sub-resource (binding, eviction, token): admission sees the body first, whoever calls. */
export async function postToSubresource(
  posted: PostedSubresource,
  subresource: string,
  context: SubresourceContext,
  body: AnyObject,
): Promise<{ code: number; object: unknown }> {
  const { deps, call, kind, key } = context;
  const named = (body as { metadata?: { namespace?: string } }).metadata?.namespace;
  if (named && named !== key.namespace) {
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request');
  }
  const request = admissionRequest({
    operation: 'CREATE',
    kind,
    subresource,
    namespace: key.namespace,
    name: key.name,
    object: body,
    oldObject: undefined,
    call,
  });
  const { admission } = deps.registry.deps;
  await admission.admit(request);
  await admission.validate(request);
  return posted.post(context, body);
}
