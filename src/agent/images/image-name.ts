/** A reference is `[host[:port]/]path[:tag][@digest]`, lower case but for the tag. Grammar: distribution/reference. */
const reference =
  /^(?:(?:localhost|[a-zA-Z0-9-]+(?:\.[a-zA-Z0-9-]+)+(?::\d+)?|[a-zA-Z0-9-]+:\d+|localhost:\d+|\[[0-9a-fA-F:]+\](?::\d+)?)\/)?[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*)*(?::[\w][\w.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$/;

export function isValidImageName(image: string): boolean {
  return reference.test(image);
}

/** The registry host an image comes from and the path there: `busybox` is `docker.io` and `library/busybox`. */
export function splitImage(image: string): { host: string; path: string } {
  const name = image.replace(/@.*$/, '').replace(/:[\w.-]{1,128}$/, '');
  const slash = name.indexOf('/');
  const first = slash < 0 ? '' : name.slice(0, slash);
  const hasHost = first === 'localhost' || /[.:]/.test(first);
  const host = hasHost ? first : 'docker.io';
  const path = hasHost ? name.slice(slash + 1) : name;
  return { host, path: host === 'docker.io' && !path.includes('/') ? `library/${path}` : path };
}

/** Upstream's default: an image without a tag, or with `latest`, is looked up every time. */
export function defaultPullPolicy(image: string): 'Always' | 'IfNotPresent' {
  if (image.includes('@')) return 'IfNotPresent';
  const tag = /:([\w.-]+)$/.exec(image.slice(image.lastIndexOf('/') + 1))?.[1];
  return tag === undefined || tag === 'latest' ? 'Always' : 'IfNotPresent';
}
