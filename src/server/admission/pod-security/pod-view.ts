import type {
  Container,
  EphemeralContainer,
  ObjectMeta,
  PodSecurityContext,
  PodSpec,
  SecurityContext,
} from '../../../api/generated/types.ts';

/** What the checks look at: a pod, or the pod a controller would make. */
export interface PodView {
  readonly metadata: Partial<ObjectMeta>;
  readonly spec: PodSpec;
}

export interface Violation {
  /** A few words; used alone when there are many pods. */
  readonly reason: string;
  readonly detail: string;
}

/** Init, main and ephemeral containers, in upstream's order. */
export function containersOf({ spec }: PodView): (Container | EphemeralContainer)[] {
  return [...(spec.initContainers ?? []), ...(spec.containers ?? []), ...(spec.ephemeralContainers ?? [])];
}

/** `"a", "b"` */
export const quoted = (names: Iterable<string>): string => [...names].map((name) => `"${name}"`).join(', ');
/** Each value once, in order. */
export const sortedSet = (values: Iterable<string>): string[] => [...new Set(values)].sort();
/** `container`, `containers` */
export const plural = (word: string, count: number): string => (count === 1 ? word : `${word}s`);
/** `container "a"`, `containers "a", "b"` */
export const containerNames = (names: readonly string[]): string => `${plural('container', names.length)} ${quoted(names)}`;

/** Names of the containers whose security context fails. */
export function failing(pod: PodView, fails: (context: SecurityContext | undefined) => boolean): string[] {
  return containersOf(pod)
    .filter((container) => fails(container.securityContext))
    .map((container) => container.name);
}

/**
 * Who sets a bad value: `pod`, `container "a"`, or both joined with "and"; with the bad values. Undefined when nobody does.
 * `bad` returns the bad values in a context, [] when it is fine.
 */
export function setters(
  pod: PodView,
  bad: (context: PodSecurityContext | SecurityContext) => readonly string[],
): { readonly who: string; readonly values: string[] } | undefined {
  const values: string[] = [];
  const who: string[] = [];
  const collect = (context: PodSecurityContext | SecurityContext | undefined): boolean => {
    const found = context ? bad(context) : [];
    values.push(...found);
    return found.length > 0;
  };
  if (collect(pod.spec.securityContext)) who.push('pod');
  const names = failing(pod, collect);
  if (names.length > 0) who.push(containerNames(names));
  return who.length === 0 ? undefined : { who: who.join(' and '), values: sortedSet(values) };
}
