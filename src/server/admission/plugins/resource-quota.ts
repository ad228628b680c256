import { PersistentVolumeClaim } from '../../../api/kinds/core/persistent-volume-claim.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import { ResourceQuota } from '../../../api/kinds/core/resource-quota.ts';
import { Service } from '../../../api/kinds/core/service.ts';
import { isLimitedInTime } from '../../../api/quota/quota-scopes.ts';
import { isStatus } from '../../../api/status-error.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../admission.ts';
import { isAbout } from '../concern.ts';
import type { AdmissionDeps } from '../deps.ts';
import { chargeFor } from '../quota/charge.ts';
import { refuse } from '../refusal.ts';

/** How often a charge is tried again when another server or the quota controller changes the same quota at the same time. */
const maxAttempts = 5;

/**
 * Charges a new or grown object to the quotas of its namespace, or refuses it. The charge is a conditional write of the quota's status, so
 * that requests at the same time never take more than there is. What is charged for an object that is then refused by the store comes
 * back when the quota controller counts again. Last in the chain for that reason.
 */
export function resourceQuota(deps: AdmissionDeps): AdmissionPlugin {
  const inTurn = createTurns();
  return {
    name: 'ResourceQuota',
    validate(request) {
      if (!request.namespace || !request.object || !isCharged(request)) return;
      const { namespace } = request;
      if (deps.reader.list(ResourceQuota, namespace).length === 0) return;
      return inTurn(namespace, () => charge(request, deps.reader.list(ResourceQuota, namespace), deps));
    },
  };
}

/** Runs tasks of one name one after the other. Requests of this server then do not fight over a quota; those of other servers may. */
function createTurns(): (name: string, task: () => Promise<void>) => Promise<void> {
  const last = new Map<string, Promise<void>>();
  return (name, task) => {
    const turn = (last.get(name) ?? Promise.resolve()).then(task);
    // The task's caller hears of its failure; who comes next only waits for its end.
    const settled = turn
      .catch(() => {})
      .then(() => {
        if (last.get(name) === settled) last.delete(name);
      });
    last.set(name, settled);
    return turn;
  };
}

/** Only what can grow is looked at again: a pod from before the quota must stay writable (upstream: the evaluators' Handles). */
function isCharged(request: AdmissionRequest): boolean {
  const { operation, subresource } = request;
  if (operation === 'CREATE') return subresource === '';
  if (operation !== 'UPDATE') return false;
  if (isAbout(request, Pod)) return subresource === 'resize' || (subresource === '' && changesScope(request));
  return subresource === '' && (isAbout(request, Service) || isAbout(request, PersistentVolumeClaim));
}

/** A pod that gets a deadline moves from one quota to another. */
function changesScope({ object, oldObject }: AdmissionRequest): boolean {
  return isLimitedInTime(object as unknown as Pod) !== isLimitedInTime(oldObject as unknown as Pod);
}

async function charge(request: AdmissionRequest, quotas: readonly ResourceQuota[], deps: AdmissionDeps): Promise<void> {
  for (const quota of quotas) {
    let newest = quota;
    for (let attempt = 1; ; attempt++) {
      const result = chargeFor(newest, request, deps.clock.now());
      if (result.problem !== undefined) throw refuse(request, result.problem);
      if (!result.used || request.dryRun) break;
      try {
        await deps.client.update(
          ResourceQuota,
          { ...newest, status: { ...newest.status, used: result.used } },
          { subresource: 'status' },
        );
        break;
      } catch (error) {
        if (isStatus(error, 'NotFound')) break;
        if (!isStatus(error, 'Conflict') || attempt === maxAttempts) throw error;
        newest = await deps.client.get(ResourceQuota, { namespace: request.namespace ?? '', name: quota.metadata.name });
      }
    }
  }
}
