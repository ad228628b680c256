const defaultRegistry = 'docker.io';

/**
 * The full form of an image name, as Docker reads short ones: `busybox` → `docker.io/library/busybox:latest`. The first part is a
 * registry when it has a dot or a colon or is `localhost`. Names are not checked; the runtime does that.
 */
export function normalizeReference(name: string): string {
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const hasRegistry = first === 'localhost' || /[.:]/.test(first);
  let full = name;
  if (!hasRegistry) full = slash < 0 ? `${defaultRegistry}/library/${name}` : `${defaultRegistry}/${name}`;
  const last = full.slice(full.lastIndexOf('/') + 1);
  return /[:@]/.test(last) ? full : `${full}:latest`;
}
