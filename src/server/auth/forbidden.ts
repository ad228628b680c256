import { StatusError } from '../../api/status-error.ts';
import type { Attributes } from './authorizer.ts';

/** `User "bob" cannot list resource "pods" in API group "" in the namespace "default"`: clients look for this text. */
function forbiddenMessage(attributes: Attributes): string {
  const { user, verb, resource, subresource, group, namespace, path } = attributes;
  const who = `User ${JSON.stringify(user.name)} cannot ${verb}`;
  if (resource === undefined) return `${who} path ${JSON.stringify(path)}`;
  const what = JSON.stringify(subresource ? `${resource}/${subresource}` : resource);
  const where = namespace ? `in the namespace ${JSON.stringify(namespace)}` : 'at the cluster scope';
  return `${who} resource ${what} in API group ${JSON.stringify(group ?? '')} ${where}`;
}

/** Unlike other refusals its answer tells browsers not to guess what it is. */
export class ForbiddenRequest extends StatusError {}

/** The 403 of a request nobody allowed. `reason` is what the authorizers had to say, if anything. */
export function forbiddenRequest(attributes: Attributes, reason = ''): StatusError {
  const { resource, group, name } = attributes;
  const why = reason ? `${forbiddenMessage(attributes)}: ${reason}` : forbiddenMessage(attributes);
  if (resource === undefined)
    return new ForbiddenRequest({ code: 403, reason: 'Forbidden', message: `forbidden: ${why}`, details: {} });
  const qualified = group ? `${resource}.${group}` : resource;
  return new ForbiddenRequest({
    code: 403,
    reason: 'Forbidden',
    message: name ? `${qualified} ${JSON.stringify(name)} is forbidden: ${why}` : `${qualified} is forbidden: ${why}`,
    details: { ...(name ? { name } : {}), ...(group ? { group } : {}), kind: resource },
  });
}
