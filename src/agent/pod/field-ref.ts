import type { Container, Pod, ResourceFieldSelector } from '../../api/generated/types.ts';
import { quantityValue as bytesOf, quantityMilliValue as milliOf } from '../../lib/quantity.ts';
import { allContainers } from '../resources/qos.ts';

/**
 * The value of a downward-API field of a pod, or undefined when the path is not supported. Maps come as `key="value"` lines in key order.
 * Rule: kubernetes.io/docs/concepts/workloads/pods/downward-api.
 */
export function fieldValue(pod: Pod, fieldPath: string): string | undefined {
  const subscript = /^metadata\.(labels|annotations)\['(.*)'\]$/.exec(fieldPath);
  if (subscript) return pod.metadata[subscript[1] as 'labels' | 'annotations']?.[subscript[2]!] ?? '';
  switch (fieldPath) {
    case 'metadata.name':
      return pod.metadata.name;
    case 'metadata.namespace':
      return pod.metadata.namespace ?? '';
    case 'metadata.uid':
      return pod.metadata.uid;
    case 'metadata.labels':
      return lines(pod.metadata.labels);
    case 'metadata.annotations':
      return lines(pod.metadata.annotations);
    case 'spec.nodeName':
      return pod.spec.nodeName ?? '';
    case 'spec.serviceAccountName':
      return pod.spec.serviceAccountName ?? '';
    case 'status.hostIP':
      return pod.status?.hostIP ?? '';
    case 'status.hostIPs':
      return (pod.status?.hostIPs ?? []).map((i) => i.ip).join(',');
    case 'status.podIP':
      return pod.status?.podIP ?? '';
    case 'status.podIPs':
      return (pod.status?.podIPs ?? []).map((i) => i.ip).join(',');
    default:
      return undefined;
  }
}

function lines(map: Record<string, string> | undefined): string {
  return Object.keys(map ?? {})
    .sort()
    .map((key) => `${key}=${JSON.stringify(map![key])}`)
    .join('\n');
}

/** What a container may use at most when it has no limit. */
export type Allocatable = Readonly<Record<string, string>>;

/** A container's request or limit in units of the divisor, rounded up; a missing limit is what the node has to give. */
export function resourceValue(
  pod: Pod,
  selector: ResourceFieldSelector,
  context: { allocatable: Allocatable; container?: Container },
): string | undefined {
  const container = selector.containerName
    ? allContainers(pod).find((c) => c.name === selector.containerName)
    : context.container;
  const [side, resource] = split(selector.resource);
  if (!container || !resource || (side !== 'limits' && side !== 'requests')) return undefined;
  const own = container.resources?.[side]?.[resource];
  const quantity = own ?? (side === 'limits' ? context.allocatable[resource] : container.resources?.limits?.[resource]) ?? '0';
  const divisor = !selector.divisor || selector.divisor === '0' ? '1' : selector.divisor;
  if (resource === 'cpu') return String(Math.ceil(milliOf(quantity) / milliOf(divisor)));
  return String(Math.ceil(bytesOf(quantity) / bytesOf(divisor)));
}

function split(resource: string): [string, string | undefined] {
  const dot = resource.indexOf('.');
  return dot < 0 ? [resource, undefined] : [resource.slice(0, dot), resource.slice(dot + 1)];
}
