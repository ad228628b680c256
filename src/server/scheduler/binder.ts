import type { Binding, PodCondition } from '../../api/generated/types.ts';
import { Pod } from '../../api/kinds/core/pod.ts';
import { timestamp } from '../../api/timestamp.ts';
import type { Client } from '../../client/client.ts';
import type { InformerFactory } from '../../client/informer-factory.ts';
import type { Clock } from '../../lib/clock.ts';
import { bindClaims } from './claims.ts';

/** The scheduler's writes. */
export class Binder {
  readonly #deps: { readonly client: Client; readonly informers: InformerFactory; readonly clock: Clock };
  readonly #aborts = new Set<() => void>();

  constructor(deps: { readonly client: Client; readonly informers: InformerFactory; readonly clock: Clock }) {
    this.#deps = deps;
  }

  /** Ends all waiting for volumes. */
  async stop(): Promise<void> {
    for (const abort of this.#aborts) abort();
  }

  /** Sees to the volumes the pod brings to the node, then assigns it. */
  async bind(pod: Pod, nodeName: string): Promise<void> {
    await bindClaims({ ...this.#deps, pod, nodeName, aborts: this.#aborts });
    const { namespace = '', name, uid } = pod.metadata;
    const binding = {
      apiVersion: 'v1',
      kind: 'Binding',
      metadata: { namespace, name, uid },
      target: { kind: 'Node', name: nodeName },
    };
    await this.#deps.client.post<Partial<Binding> | typeof binding, unknown>(Pod, { namespace, name }, 'binding', binding);
  }

  /** Ends a pod in favour of another; its status says why. */
  async preempt(victim: Pod, by: Pod): Promise<void> {
    const { namespace = '', name, uid } = victim.metadata;
    const message = `${by.spec.schedulerName}: preempting to accommodate a higher priority pod`;
    await this.writeStatus(
      victim,
      { type: 'DisruptionTarget', status: 'True', reason: 'PreemptionByScheduler', message },
      undefined,
    );
    await this.#deps.client.delete(Pod, { namespace, name }, { preconditions: { uid } });
  }

  /** Sets a condition (and the nominated node); writes nothing when it says the same already. */
  async writeStatus(pod: Pod, condition: PodCondition, nominatedNodeName: string | undefined): Promise<void> {
    const before = pod.status.conditions?.find((c) => c.type === condition.type);
    const same =
      before?.status === condition.status && before.reason === condition.reason && before.message === condition.message;
    if (same && pod.status.nominatedNodeName === nominatedNodeName) return;
    const now = timestamp(this.#deps.clock.now());
    const changed = before?.status !== condition.status;
    const next = { ...condition, lastTransitionTime: changed ? now : (before?.lastTransitionTime ?? now) };
    const conditions = [...(pod.status.conditions ?? []).filter((c) => c.type !== condition.type), next];
    const status = { ...pod.status, conditions, ...(nominatedNodeName ? { nominatedNodeName } : {}) };
    await this.#deps.client.update(Pod, { ...pod, status }, { subresource: 'status' });
  }
}
