const ownLabels = new Set([
  'kubernetes.io/hostname',
  'topology.kubernetes.io/zone',
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/region',
  'beta.kubernetes.io/instance-type',
  'node.kubernetes.io/instance-type',
  'kubernetes.io/os',
  'kubernetes.io/arch',
  'beta.kubernetes.io/os',
  'beta.kubernetes.io/arch',
]);
const ownDomains = ['kubelet.kubernetes.io', 'node.kubernetes.io'];
const reservedDomain = 'node-restriction.kubernetes.io';

/** Labels a node changed but may not: those of Kubernetes that are not the kubelet's, and those reserved to keep nodes apart. Sorted. */
export function forbiddenNodeLabels(
  next: Readonly<Record<string, string>>,
  previous: Readonly<Record<string, string>>,
): string[] {
  const changed = new Set([...Object.keys(next), ...Object.keys(previous)].filter((key) => next[key] !== previous[key]));
  return [...changed].filter(isForbidden).sort();
}

function isForbidden(key: string): boolean {
  const domain = key.includes('/') ? key.slice(0, key.indexOf('/')) : '';
  const isIn = (parent: string): boolean => domain === parent || domain.endsWith(`.${parent}`);
  if (isIn(reservedDomain)) return true;
  if (!isIn('kubernetes.io') && !isIn('k8s.io')) return false;
  return !ownLabels.has(key) && !ownDomains.some(isIn);
}
