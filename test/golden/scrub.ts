const volatile: ReadonlySet<string> = new Set([
  'uid',
  'resourceVersion',
  'creationTimestamp',
  'deletionTimestamp',
  'lastTransitionTime',
  'time',
  'continue',
  'clusterIP',
  'clusterIPs',
  'description',
]);

/** Leaves out what differs from run to run, and nulls: Go prints some for absent times. managedFields stay only where server-side apply made them. */
export function scrub(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(scrub);
  if (typeof value === 'string') return scrubText(value);
  if (typeof value !== 'object' || value === null) return value;
  const kept: Record<string, unknown> = {};
  for (const [name, member] of Object.entries(value)) {
    if (volatile.has(name) || (member === null && name !== 'object') || (name === 'managedFields' && !isApplied(member)))
      continue;
    kept[name] = scrub(member);
  }
  return kept;
}

function isApplied(entries: unknown): boolean {
  return Array.isArray(entries) && entries.some((entry: { operation?: string }) => entry.operation === 'Apply');
}

/** Texts with random or changing parts starred out. */
export function scrubText(text: string): string {
  return text
    .replace(/^gn-\w{5}$/, 'gn-*****')
    .replace(/^\d+s$/, 'age')
    .replace(/kube-api-access-\w{5}/g, 'kube-api-access-*****')
    .replace(/UID in object meta: \S+/g, 'UID in object meta: *')
    .replace(/record \(\S+\)/g, 'record (*)')
    .replace(/current: \d+/g, 'current: *');
}
