import { isDeepStrictEqual } from 'node:util';
import type { PodCondition, PodStatus } from '../../api/generated/types.ts';

type Fields = Record<string, unknown>;

/** Fields this node reports; others of the status belong to others. */
const owned: readonly (keyof PodStatus)[] = [
  'phase',
  'reason',
  'message',
  'hostIP',
  'hostIPs',
  'podIP',
  'podIPs',
  'startTime',
  'initContainerStatuses',
  'containerStatuses',
  'ephemeralContainerStatuses',
  'qosClass',
  'observedGeneration',
];

/**
 * The strategic merge patch that turns `from` into `to`, or undefined when they agree. Conditions and pod addresses are lists merged by
 * key on the server: only what changed is sent, and what went is deleted.
 */
export function statusPatch(uid: string, from: PodStatus, to: PodStatus): Fields | undefined {
  const status: Fields = {};
  for (const field of owned) {
    if (isDeepStrictEqual(from[field], to[field])) continue;
    status[field] = to[field] ?? null;
  }
  if ('podIPs' in status) {
    const now = new Set((to.podIPs ?? []).map((p) => p.ip));
    const gone = (from.podIPs ?? []).filter((p) => !now.has(p.ip)).map((p) => ({ $patch: 'delete', ip: p.ip }));
    status['podIPs'] = [...gone, ...(to.podIPs ?? [])];
  }
  const conditions = (to.conditions ?? []).filter(
    (c) =>
      !sameCondition(
        c,
        from.conditions?.find((f) => f.type === c.type),
      ),
  );
  if (conditions.length > 0) status['conditions'] = conditions;
  if (Object.keys(status).length === 0) return undefined;
  return { metadata: { uid }, status };
}

function sameCondition(a: PodCondition, b: PodCondition | undefined): boolean {
  if (!b) return false;
  const strip = ({ lastProbeTime: _, ...rest }: PodCondition): Fields => rest;
  return isDeepStrictEqual(strip(a), strip(b));
}
