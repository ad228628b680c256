import type { Deployment } from '../../../api/kinds/apps/deployment.ts';
import { scaledValue } from '../support/int-or-percent.ts';

/** True unless all old pods go before the first new one comes. */
export function isRollingUpdate(deployment: Deployment): boolean {
  return deployment.spec.strategy?.type !== 'Recreate';
}

/** How many pods may exist above `replicas` during a rolling update. */
export function maxSurgeOf(deployment: Deployment): number {
  return isRollingUpdate(deployment) ? fenceposts(deployment).surge : 0;
}

/** How many pods may be unavailable during a rolling update. */
export function maxUnavailableOf(deployment: Deployment): number {
  const replicas = deployment.spec.replicas ?? 1;
  if (!isRollingUpdate(deployment) || replicas === 0) return 0;
  return Math.min(fenceposts(deployment).unavailable, replicas);
}

/** Surge rounds up, unavailable down; when both are 0 the update could never move, so one pod may be unavailable. */
function fenceposts(deployment: Deployment): { surge: number; unavailable: number } {
  const { strategy, replicas = 1 } = deployment.spec;
  const surge = scaledValue(strategy?.rollingUpdate?.maxSurge ?? '25%', replicas, 'up');
  const unavailable = scaledValue(strategy?.rollingUpdate?.maxUnavailable ?? '25%', replicas, 'down');
  return { surge, unavailable: surge === 0 && unavailable === 0 ? 1 : unavailable };
}
