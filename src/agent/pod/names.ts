import { createHash } from 'node:crypto';
import type { Container, Pod } from '../../api/generated/types.ts';

/** Labels and annotations by which containers are recognised after a restart of the agent; crictl shows them too. */
export const label = {
  podName: 'io.kubernetes.pod.name',
  podNamespace: 'io.kubernetes.pod.namespace',
  podUid: 'io.kubernetes.pod.uid',
  containerName: 'io.kubernetes.container.name',
} as const;

export const annotation = {
  hash: 'io.kubernetes.container.hash',
  restartCount: 'io.kubernetes.container.restartCount',
  terminationMessagePath: 'io.kubernetes.container.terminationMessagePath',
  terminationMessagePolicy: 'io.kubernetes.container.terminationMessagePolicy',
} as const;

/** `name_namespace(uid)`: how upstream's messages name a pod. */
export function podText(pod: Pod): string {
  return `${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})`;
}

/** Changes when the running container no longer is what the pod asks for: a pod update may change the image. */
export function containerHash(container: Container): string {
  return createHash('sha256').update(`${container.name}\0${container.image}`).digest('hex').slice(0, 8);
}

/** Where a pod's logs are: `<root>/<namespace>_<name>_<uid>`. */
export function podLogDirectory(root: string, pod: Pod): string {
  return `${root}/${pod.metadata.namespace}_${pod.metadata.name}_${pod.metadata.uid}`;
}

/** A container's log below the pod's log directory; one file per attempt. */
export function containerLogPath(name: string, attempt: number): string {
  return `${name}/${attempt}.log`;
}

const maxHostnameLength = 63;

/** The host name a pod sees, and the domain of its fully qualified name when it has one. */
export function podHostname(pod: Pod, clusterDomain: string): { hostname: string; domain?: string } {
  if (pod.spec.hostnameOverride) return { hostname: pod.spec.hostnameOverride };
  const hostname = (pod.spec.hostname || pod.metadata.name).slice(0, maxHostnameLength).replace(/[-.]+$/, '');
  const { subdomain } = pod.spec;
  if (!subdomain) return { hostname };
  const domain = `${subdomain}.${pod.metadata.namespace}.svc.${clusterDomain}`;
  return pod.spec.setHostnameAsFQDN ? { hostname: `${hostname}.${domain}`, domain } : { hostname, domain };
}
