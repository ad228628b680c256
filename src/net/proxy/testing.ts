import type { ServicePort } from './service-ports.ts';

/** A plain service with two backends, one of them on this node; for tests. */
export function servicePort(overrides: Partial<ServicePort> = {}): ServicePort {
  const backends = overrides.backends ?? [
    { ip: '10.42.0.2', port: 8080, local: true },
    { ip: '10.42.1.2', port: 8080, local: false },
  ];
  return {
    id: 'default/web:http',
    protocol: 'tcp',
    port: 80,
    clusterIp: '10.43.0.5',
    externalIps: [],
    nodePort: 0,
    sourceRanges: [],
    affinitySeconds: 0,
    externalLocal: false,
    externalBackends: backends,
    ...overrides,
    backends,
  };
}
