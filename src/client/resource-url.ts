import type { Kind } from '../api/kind.ts';
import type { ObjectKey } from '../api/meta.ts';
import type { ListOptions, WatchOptions } from './client.ts';

/** `/api/v1/namespaces/ns/pods/p/log`, `/apis/apps/v1/deployments`: the path of a collection, an object or a sub-resource. */
export function resourcePath(kind: Kind, key: { namespace?: string; name?: string }, subresource?: string): string {
  const parts = kind.group ? ['/apis', kind.group, kind.version] : ['/api', kind.version];
  if (key.namespace && kind.scope === 'Namespaced') parts.push('namespaces', encodeURIComponent(key.namespace));
  parts.push(kind.plural);
  if (key.name) parts.push(encodeURIComponent(key.name));
  if (subresource) parts.push(subresource);
  return parts.join('/');
}

/** The query of a list. */
export function listQuery(options: ListOptions): string {
  const { labelSelector, fieldSelector, limit, resourceVersion } = options;
  return query({ labelSelector, fieldSelector, limit: limit?.toString(), continue: options.continue, resourceVersion });
}

/** The query of a watch, with bookmarks. */
export function watchQuery({ labelSelector, fieldSelector, resourceVersion }: WatchOptions): string {
  return query({ watch: 'true', allowWatchBookmarks: 'true', labelSelector, fieldSelector, resourceVersion });
}

/** `?a=b`, or nothing when there are no values. */
export function query(values: Readonly<Record<string, string | undefined>>): string {
  const pairs = Object.entries(values).filter((pair): pair is [string, string] => Boolean(pair[1]));
  return pairs.length === 0 ? '' : `?${new URLSearchParams(pairs)}`;
}

/** An object's key without the undefined namespace that exact optional types forbid. */
export function keyOfMetadata({ namespace, name }: { namespace?: string; name?: string }): Partial<ObjectKey> {
  return { ...(namespace ? { namespace } : {}), ...(name ? { name } : {}) };
}
