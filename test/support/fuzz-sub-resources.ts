import type { Random } from './random.ts';

/** A request for a sub-resource that has a type of its own. */
export interface SubresourceRequest {
  readonly kind: string;
  readonly subresource: string;
  readonly method: 'POST' | 'PUT' | 'PATCH';
  readonly body: Readonly<Record<string, unknown>>;
}

type Make = (name: string, random: Random) => SubresourceRequest;

const scaled: readonly string[] = ['Deployment', 'ReplicaSet', 'StatefulSet', 'ReplicationController'];

const eviction: Make = (name, random) => ({
  kind: 'Pod',
  subresource: 'eviction',
  method: 'POST',
  body: {
    apiVersion: 'policy/v1',
    kind: 'Eviction',
    metadata: { name, namespace: 'fuzz' },
    deleteOptions: { gracePeriodSeconds: random.below(2), preconditions: { uid: 'x' }, dryRun: random.pick([[], ['All']]) },
  },
});

const binding: Make = (name) => ({
  kind: 'Pod',
  subresource: 'binding',
  method: 'POST',
  body: { apiVersion: 'v1', kind: 'Binding', metadata: { name }, target: { apiVersion: 'v1', kind: 'Node', name: 'n1' } },
});

const token: Make = (_name, random) => ({
  kind: 'ServiceAccount',
  subresource: 'token',
  method: 'POST',
  body: {
    apiVersion: 'authentication.k8s.io/v1',
    kind: 'TokenRequest',
    spec: {
      audiences: random.pick([[], ['a'], ['', 'b']]),
      expirationSeconds: random.pick([600, 1, -1, 2 ** 40]),
      boundObjectRef: random.pick([null, { kind: 'Pod', apiVersion: 'v1', name: 'a' }, { kind: 'Secret', name: 'x', uid: 'y' }]),
    },
  },
});

const scale: Make = (name, random) => ({
  kind: random.pick(scaled),
  subresource: 'scale',
  method: random.pick(['PUT', 'PATCH']),
  body: {
    apiVersion: 'autoscaling/v1',
    kind: 'Scale',
    metadata: { name, namespace: 'fuzz' },
    spec: { replicas: random.pick([0, 1, -1, 2 ** 31, '1']) },
  },
});

const debug: Make = (name) => ({
  kind: 'Pod',
  subresource: 'ephemeralcontainers',
  method: 'PATCH',
  body: { metadata: { name }, spec: { ephemeralContainers: [{ name: 'd', image: 'i', targetContainerName: 'web' }] } },
});

const resize: Make = (name) => ({
  kind: 'Pod',
  subresource: 'resize',
  method: 'PATCH',
  body: { metadata: { name }, spec: { containers: [{ name: 'web', resources: { requests: { cpu: '1', memory: '1Gi' } } }] } },
});

const approval: Make = (name, random) => ({
  kind: 'CertificateSigningRequest',
  subresource: 'approval',
  method: 'PATCH',
  body: {
    metadata: { name },
    status: {
      conditions: [{ type: random.pick(['Approved', 'Denied', 'Failed', 'x']), status: random.pick(['True', 'False']) }],
    },
  },
});

const finalize: Make = (name) => ({
  kind: 'Namespace',
  subresource: 'finalize',
  method: 'PUT',
  body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name }, spec: { finalizers: ['kubernetes', 'example.com/x'] } },
});

const makers: readonly Make[] = [eviction, binding, token, scale, debug, resize, approval, finalize];

/** A good request for a sub-resource of an object of that name. */
export function subresourceRequest(random: Random, name: string): SubresourceRequest {
  return random.pick(makers)(name, random);
}

const words = ['app', 'tier', 'example.com/a', 'web', 'front', '', '-', 'x y', '1'];
const fields = ['metadata.name', 'metadata.namespace', 'status.phase', 'spec.nodeName', 'type', 'involvedObject.kind', 'x', ''];

/** A label selector, from good to nearly. */
export function labelSelectorText(random: Random): string {
  const term = (): string => {
    const [key, value] = [random.pick(words), random.pick(words)];
    const list = `(${random.some(words).join(',')})`;
    return random.pick([
      key,
      `!${key}`,
      `${key}${random.pick(['=', '==', '!=', '>', '<'])}${value}`,
      `${key} in ${list}`,
      `${key} notin ${list}`,
    ]);
  };
  return Array.from({ length: 1 + random.below(4) }, term).join(',');
}

export function fieldSelectorText(random: Random): string {
  const term = (): string =>
    `${random.pick(fields)}${random.pick(['=', '==', '!=', ''])}${random.pick([...words, '\\,', '\\=', '\\'])}`;
  return Array.from({ length: 1 + random.below(4) }, term).join(',');
}
