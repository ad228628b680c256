import type { Pod } from '../../api/kinds/core/pod.ts';
import type { HostPort } from './plan.ts';

/** The host ports of running pods that have a network of their own. Pods on the host's network listen on it themselves. */
export function hostPortsOf(pods: readonly Pod[]): HostPort[] {
  return pods.flatMap((pod) => {
    const podIp = pod.status.podIP;
    if (pod.spec.hostNetwork || !podIp || pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed') return [];
    return [...pod.spec.containers, ...(pod.spec.initContainers ?? [])].flatMap((container) =>
      (container.ports ?? []).flatMap((port) =>
        port.hostPort
          ? [
              {
                protocol: (port.protocol ?? 'TCP').toLowerCase() as HostPort['protocol'],
                hostPort: port.hostPort,
                hostIp: port.hostIP ?? '',
                podIp,
                containerPort: port.containerPort,
              },
            ]
          : [],
      ),
    );
  });
}
