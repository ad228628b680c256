import type { AnyObject } from '../../api/meta.ts';
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
