import type { ContainerImage, Node, NodeAddress, NodeStatus, Taint } from '../../api/generated/types.ts';
import { kubernetesVersion } from '../../lib/version.ts';
import type { Image } from '../../runtime/runtime.ts';
import type { HardwareFacts } from './hardware-facts.ts';
import type { HostFacts, HostLoad } from './host-facts.ts';
import { minMemoryBytes } from './node-conditions.ts';

const maxPods = 110;
/** Images listed in the status; upstream's limit. */
const maxImages = 50;
const maxImageNames = 5;

const machineKeyHashAnnotation = 'skiff.dev/machine-key-hash';

export interface NodeIdentity {
  readonly name: string;
  readonly facts: HostFacts;
  readonly hardware: HardwareFacts;
  readonly extraLabels: Readonly<Record<string, string>>;
  readonly taints: readonly Taint[];
  readonly machineKeyHash: string;
}

/** Labels every node has, those of its hardware, and those the operator gave it. */
export function nodeLabels({ name, facts, hardware, extraLabels }: NodeIdentity): Record<string, string> {
  return {
    'beta.kubernetes.io/arch': facts.architecture,
    'beta.kubernetes.io/os': 'linux',
    'kubernetes.io/arch': facts.architecture,
    'kubernetes.io/hostname': name,
    'kubernetes.io/os': 'linux',
    ...hardware.labels,
    ...extraLabels,
  };
}

export function nodeAnnotations({ hardware, machineKeyHash }: NodeIdentity): Record<string, string> {
  return { [machineKeyHashAnnotation]: machineKeyHash, ...hardware.annotations };
}

/** InternalIPs, ExternalIPs and the host name. */
export function nodeAddresses(name: string, internal: readonly string[], external: readonly string[] = []): NodeAddress[] {
  return [
    ...internal.map((address) => ({ type: 'InternalIP', address })),
    ...external.map((address) => ({ type: 'ExternalIP', address })),
    { type: 'Hostname', address: name },
  ];
}

export interface Resources {
  readonly capacity: Record<string, string>;
  readonly allocatable: Record<string, string>;
}

/** What the node has, and what pods may take of it: memory and disk below upstream's eviction thresholds are kept back. */
export function nodeResources(facts: HostFacts, load: Pick<HostLoad, 'diskCapacityBytes'>): Resources {
  const kibi = (bytes: number): string => `${Math.floor(bytes / 1024)}Ki`;
  const common = { cpu: String(facts.cpus), pods: String(maxPods) };
  return {
    capacity: { ...common, memory: kibi(facts.memoryBytes), 'ephemeral-storage': kibi(load.diskCapacityBytes) },
    allocatable: {
      ...common,
      memory: kibi(Math.max(0, facts.memoryBytes - minMemoryBytes)),
      'ephemeral-storage': String(Math.floor(load.diskCapacityBytes * 0.9)),
    },
  };
}

export function nodeInfo(facts: HostFacts, runtime: { name: string; version: string }): NonNullable<NodeStatus['nodeInfo']> {
  return {
    architecture: facts.architecture,
    bootID: facts.bootId,
    containerRuntimeVersion: `${runtime.name}://${runtime.version.replace(/^v/, '')}`,
    kernelVersion: facts.kernelVersion,
    kubeProxyVersion: '',
    kubeletVersion: kubernetesVersion,
    machineID: facts.machineId,
    operatingSystem: 'linux',
    osImage: facts.osImage,
    systemUUID: facts.systemUuid,
    swap: { capacity: facts.swapBytes },
  };
}

/** The largest images, for the scheduler's image locality. */
export function nodeImages(images: readonly Image[]): ContainerImage[] {
  return [...images]
    .sort((a, b) => b.sizeBytes - a.sizeBytes)
    .slice(0, maxImages)
    .map((i) => ({ names: [...i.digests, ...i.tags].slice(0, maxImageNames), sizeBytes: i.sizeBytes }));
}

/** The object a node registers with. */
export function newNode(
  identity: NodeIdentity,
  status: NodeStatus,
): Pick<Node, 'spec' | 'status'> & { metadata: Pick<Node['metadata'], 'name' | 'labels' | 'annotations'> } {
  const { name, taints } = identity;
  return {
    metadata: { name, labels: nodeLabels(identity), annotations: nodeAnnotations(identity) },
    spec: taints.length > 0 ? { taints: [...taints] } : {},
    status,
  };
}
