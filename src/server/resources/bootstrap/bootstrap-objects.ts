import type { EndpointSlice as EndpointSliceType, Endpoints as EndpointsType } from '../../../api/generated/types.ts';
import { ipAt, parseIpRange } from '../../../api/ip-range.ts';
import type { Kind } from '../../../api/kind.ts';
import { APIService } from '../../../api/kinds/apiregistration/api-service.ts';
import { Endpoints } from '../../../api/kinds/core/endpoints.ts';
import { Namespace } from '../../../api/kinds/core/namespace.ts';
import { Service } from '../../../api/kinds/core/service.ts';
import { EndpointSlice } from '../../../api/kinds/discovery/endpoint-slice.ts';
import { ServiceCIDR } from '../../../api/kinds/networking/service-cidr.ts';
import { PriorityClass } from '../../../api/kinds/scheduling/priority-class.ts';
import { apiVersionOf, type KubeObject } from '../../../api/meta.ts';
import { parseIp } from '../../../api/validation/ip.ts';

/** An object every cluster has. `owned` fields are put right when they differ; the rest is left as people made it. */
export interface BootstrapObject {
  readonly kind: Kind;
  readonly object: KubeObject;
  readonly owned: readonly string[];
}

export interface BootstrapOptions {
  readonly serviceCidrs: readonly string[];
  /** Where this server is reached. */
  readonly advertise: { readonly address: string; readonly port: number };
  readonly kinds: readonly Kind[];
  /** RFC 3339. */
  readonly now: string;
}

const systemNamespaces = ['default', 'kube-system', 'kube-public', 'kube-node-lease'] as const;

/** The objects a cluster starts with, in waves: each needs the ones before (kubernetes: pkg/controlplane). */
export function bootstrapObjects(options: BootstrapOptions): readonly (readonly BootstrapObject[])[] {
  return [
    systemNamespaces.map((name) => bootstrap(Namespace, { name }, {})),
    [
      ...priorityClasses(),
      bootstrap(ServiceCIDR, { name: 'kubernetes' }, { spec: { cidrs: options.serviceCidrs } }),
      ...kubernetesService(options),
      ...apiServices(options.kinds),
    ],
  ];
}

function bootstrap(kind: Kind, metadata: object, fields: object, owned: readonly string[] = []): BootstrapObject {
  const object = { kind: kind.kind, apiVersion: apiVersionOf(kind), metadata, ...fields } as unknown as KubeObject;
  return { kind, object, owned };
}

function priorityClasses(): BootstrapObject[] {
  return [
    bootstrap(
      PriorityClass,
      { name: 'system-node-critical' },
      {
        value: 2000001000,
        description: 'Used for system critical pods that must not be moved from their current node.',
      },
    ),
    bootstrap(
      PriorityClass,
      { name: 'system-cluster-critical' },
      {
        value: 2000000000,
        description: 'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
      },
    ),
  ];
}

/** How pods reach the API: the Service `kubernetes` in `default`, with this server behind it. */
function kubernetesService({ serviceCidrs, advertise }: BootstrapOptions): BootstrapObject[] {
  const { address, port } = advertise;
  const metadata = { name: 'kubernetes', namespace: 'default' };
  const range = parseIpRange(serviceCidrs[0]!);
  const service = {
    ports: [{ name: 'https', protocol: 'TCP', port: 443, targetPort: port }],
    type: 'ClusterIP',
    clusterIP: ipAt(range, 1n),
  };
  const labels = { component: 'apiserver', provider: 'kubernetes' };
  const endpointPort = { name: 'https', port, protocol: 'TCP' };
  const subsets: EndpointsType['subsets'] = [{ addresses: [{ ip: address }], ports: [endpointPort] }];
  const endpoints: EndpointSliceType['endpoints'] = [{ addresses: [address], conditions: { ready: true } }];
  const addressType = parseIp(address)?.family ?? 'IPv4';
  return [
    bootstrap(Service, { ...metadata, labels }, { spec: service }, ['spec']),
    bootstrap(Endpoints, { ...metadata, labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' } }, { subsets }, [
      'subsets',
    ]),
    bootstrap(
      EndpointSlice,
      { ...metadata, labels: { 'kubernetes.io/service-name': 'kubernetes' } },
      { addressType, endpoints, ports: [endpointPort] },
      ['endpoints', 'ports'],
    ),
  ];
}

const coreGroupPriority = 18000;
const firstGroupPriority = 17850;
const preferredVersionPriority = 100;

/** One APIService per group and version: what the aggregation layer would add to. */
function apiServices(kinds: readonly Kind[]): BootstrapObject[] {
  const versions = new Map<string, Kind>();
  for (const kind of kinds) versions.set(apiVersionOf(kind), versions.get(apiVersionOf(kind)) ?? kind);
  const groups = [...new Set([...versions.values()].map((kind) => kind.group))];
  const seen = new Map<string, number>();
  return [...versions.values()].map(({ group, version }) => {
    const nth = seen.get(group) ?? 0;
    seen.set(group, nth + 1);
    const spec = {
      ...(group ? { group } : {}),
      version,
      groupPriorityMinimum: group ? firstGroupPriority - groups.indexOf(group) * 50 : coreGroupPriority,
      versionPriority: Math.max(1, preferredVersionPriority - nth * 10),
    };
    const labels = { 'kube-aggregator.kubernetes.io/automanaged': 'onstart' };
    return bootstrap(APIService, { name: `${version}.${group}`, labels }, { spec });
  });
}
