import type { Kind } from '../../api/kind.ts';
import { Namespace } from '../../api/kinds/core/namespace.ts';
import { Node } from '../../api/kinds/core/node.ts';
import { PersistentVolume } from '../../api/kinds/core/persistent-volume.ts';
import { PersistentVolumeClaim } from '../../api/kinds/core/persistent-volume-claim.ts';
import { Pod } from '../../api/kinds/core/pod.ts';
import { PodDisruptionBudget } from '../../api/kinds/policy/pod-disruption-budget.ts';
import { StorageClass } from '../../api/kinds/storage/storage-class.ts';
import { type KubeObject, keyOf } from '../../api/meta.ts';
import { isStatus } from '../../api/status-error.ts';
import type { Client } from '../../client/client.ts';
import type { EventRecorder } from '../../client/event-recorder.ts';
import type { InformerFactory } from '../../client/informer-factory.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Component } from '../../lib/component.ts';
import type { Logger } from '../../lib/log.ts';
import { MetricRegistry } from '../../lib/metrics.ts';
import { Binder } from './binder.ts';
import { SchedulerCache } from './cache.ts';
import { nodeChangeMatters, podChangeMatters } from './changes.ts';
import { type Diagnosis, decide, describe, type Plugins } from './decide.ts';
import type { ClusterEvent, Snapshot } from './framework.ts';
import type { NodeInfo } from './node-info.ts';
import { defaultPlugins } from './plugins.ts';
import { planPreemption } from './preemption.ts';
import { type QueuedPod, SchedulingQueue } from './queue.ts';
import { SchedulerMetrics } from './scheduler-metrics.ts';
import { Teller } from './teller.ts';

export interface SchedulerDeps {
  readonly client: Client;
  readonly informers: InformerFactory;
  readonly events: EventRecorder;
  readonly clock: Clock;
  readonly log: Logger;
  /** In [0, 1); breaks ties. Math.random when absent. */
  readonly random?: () => number;
  readonly plugins?: Plugins;
  readonly metrics?: MetricRegistry;
}

/** The scheduler's name in spec.schedulerName. */
const schedulerName = 'default-scheduler';
/** Bindings on their way at the same time. */
const bindingLimit = 16;

/** Gives every pod without a node the best one (upstream: kube-scheduler with its default profile). */
export function createScheduler(deps: SchedulerDeps): Component {
  return new Scheduler(deps);
}

class Scheduler implements Component {
  readonly name = 'scheduler';
  readonly #deps: SchedulerDeps;
  readonly #plugins: Plugins;
  readonly #cache = new SchedulerCache();
  readonly #queue: SchedulingQueue;
  readonly #binder: Binder;
  readonly #teller: Teller;
  readonly #metrics: SchedulerMetrics;
  readonly #cleanups: (() => void)[] = [];
  /** Room promised to preemptors, by pod uid. */
  readonly #nominated = new Map<string, { readonly pod: Pod; readonly nodeName: string }>();
  #bindings = 0;
  #scheduled = false;
  #stopped = false;

  constructor(deps: SchedulerDeps) {
    this.#deps = deps;
    this.#plugins = deps.plugins ?? defaultPlugins;
    this.#queue = new SchedulingQueue(deps.clock, () => this.#wake());
    this.#metrics = new SchedulerMetrics(deps.metrics ?? new MetricRegistry(), deps.clock, this.#queue);
    this.#binder = new Binder(deps);
    const nominatedNodeOf = (uid: string): string | undefined => this.#nominated.get(uid)?.nodeName;
    this.#teller = new Teller({ ...deps, binder: this.#binder, nominatedNodeOf });
  }

  async start(): Promise<void> {
    const { informers } = this.#deps;
    const others = [Namespace, PersistentVolumeClaim, PersistentVolume, StorageClass, PodDisruptionBudget] as readonly Kind[];
    await Promise.all([Node, Pod, ...others].map((kind) => informers.get(kind as Kind).synced));
    this.#handle(Node, {
      onAdd: (node) => this.#nodeAdded(node),
      onUpdate: (node, before) => this.#nodeUpdated(node, before),
      onDelete: (node) => this.#cache.removeNode(node.metadata.name),
    });
    this.#handle(Pod, {
      onAdd: (pod) => this.#podSeen(pod, undefined),
      onUpdate: (pod, before) => this.#podSeen(pod, before),
      onDelete: (pod) => this.#podGone(pod),
    });
    this.#wakeOn(Namespace, 'Namespace');
    for (const kind of [PersistentVolumeClaim, PersistentVolume, StorageClass] as readonly Kind[]) this.#wakeOn(kind, 'Volume');
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    for (const cleanup of this.#cleanups.splice(0)) cleanup();
    this.#queue.stop();
    await Promise.all([this.#binder.stop(), this.#teller.stop()]);
  }

  #handle<T extends KubeObject>(
    kind: Kind<T>,
    handler: { onAdd?: (o: T) => void; onUpdate?: (o: T, before: T) => void; onDelete?: (o: T) => void },
  ): void {
    this.#cleanups.push(this.#deps.informers.get(kind).addHandler(handler));
  }

  #wakeOn(kind: Kind, event: ClusterEvent): void {
    const move = (): void => this.#queue.moveOn(event);
    this.#handle(kind, { onAdd: move, onUpdate: move, onDelete: move });
  }

  #nodeAdded(node: Node): void {
    this.#cache.putNode(node);
    this.#queue.moveOn('NodeAdd');
  }

  #nodeUpdated(node: Node, before: Node): void {
    this.#cache.putNode(node);
    // Heartbeats change nothing the scheduler looks at.
    if (nodeChangeMatters(node, before)) this.#queue.moveOn('NodeUpdate');
  }

  #podSeen(pod: Pod, before: Pod | undefined): void {
    const isOver = pod.status.phase === 'Succeeded' || pod.status.phase === 'Failed';
    if (isOver) {
      this.#podGone(pod);
      return;
    }
    if (pod.spec.nodeName) {
      const known = this.#cache.isPlaced(pod.metadata.uid);
      this.#cache.putPod(pod);
      this.#queue.remove(pod.metadata.uid);
      this.#nominated.delete(pod.metadata.uid);
      if (!known) this.#queue.moveOn('PodPlaced');
      else if (before && podChangeMatters(pod, before)) this.#queue.moveOn('PodUpdate');
      return;
    }
    const isOurs = pod.spec.schedulerName === schedulerName && !pod.spec.schedulingGates?.length;
    if (isOurs && pod.metadata.deletionTimestamp === undefined) {
      if (!this.#cache.isPlaced(pod.metadata.uid)) this.#queue.put(pod, before !== undefined && podChangeMatters(pod, before));
      this.#renominate(pod);
    } else this.#queue.remove(pod.metadata.uid);
  }

  /** A nomination survives our restart: it is in the pod's status. */
  #renominate(pod: Pod): void {
    const nodeName = pod.status.nominatedNodeName;
    if (nodeName) this.#nominated.set(pod.metadata.uid, { pod, nodeName });
  }

  #podGone(pod: Pod): void {
    this.#queue.remove(pod.metadata.uid);
    this.#teller.forget(pod.metadata.uid);
    this.#nominated.delete(pod.metadata.uid);
    if (!this.#cache.isPlaced(pod.metadata.uid)) return;
    this.#cache.removePod(pod);
    this.#queue.moveOn('PodDelete');
  }

  /** One pod per turn of the event loop: requests are served in between. */
  #wake(): void {
    if (this.#scheduled || this.#stopped || this.#bindings >= bindingLimit || this.#queue.activeCount === 0) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      if (this.#stopped) return;
      const entry = this.#queue.take();
      if (entry) this.#schedule(entry);
      this.#wake();
    });
  }

  #snapshot(): Snapshot {
    const { informers } = this.#deps;
    return {
      nodes: this.#cache.nodes,
      namespaces: informers.get(Namespace),
      claims: informers.get(PersistentVolumeClaim),
      volumes: informers.get(PersistentVolume),
      storageClasses: informers.get(StorageClass),
    };
  }

  #schedule(entry: QueuedPod): void {
    const { pod } = entry;
    const startedAtMs = this.#metrics.nowMs();
    const snapshot = this.#snapshot();
    const random = this.#deps.random ?? Math.random;
    const nominations = (node: NodeInfo): Pod[] =>
      [...this.#nominated.values()]
        .filter((n) => n.nodeName === node.name && !this.#cache.isPlaced(n.pod.metadata.uid))
        .map((n) => n.pod);
    const decision = decide({ pod, snapshot, plugins: this.#plugins, nominations, random });
    this.#metrics.decided(startedAtMs);
    if (decision.node) {
      this.#cache.assume(pod, decision.node.name);
      this.#teller.forget(pod.metadata.uid);
      this.#bindings++;
      void this.#bind(entry, decision.node.name, startedAtMs);
    } else {
      this.#metrics.failed('unschedulable', startedAtMs);
      void this.#unschedulable(entry, decision.diagnosis, snapshot);
    }
  }

  async #bind(entry: QueuedPod, nodeName: string, startedAtMs: number): Promise<void> {
    const { pod } = entry;
    const { events, log } = this.#deps;
    try {
      await this.#binder.bind(pod, nodeName);
      this.#metrics.bound(entry, startedAtMs);
      events.event(pod, 'Normal', 'Scheduled', `Successfully assigned ${keyOf(pod)} to ${nodeName}`, 'Binding');
      this.#queue.remove(pod.metadata.uid);
    } catch (error) {
      this.#metrics.failed('error', startedAtMs);
      this.#cache.forget(pod);
      if (isStatus(error, 'NotFound')) this.#queue.remove(pod.metadata.uid);
      else {
        log.warn('binding a pod failed, trying again', { pod: keyOf(pod), node: nodeName, error });
        this.#queue.failed(entry, undefined);
      }
      this.#queue.moveOn('PodDelete');
    } finally {
      this.#bindings--;
      this.#wake();
    }
  }

  async #unschedulable(entry: QueuedPod, diagnosis: Diagnosis, snapshot: Snapshot): Promise<void> {
    const { pod } = entry;
    const budgets = this.#deps.informers.get(PodDisruptionBudget).list();
    const preemption = planPreemption({ pod, diagnosis, snapshot, filters: this.#plugins.filters, budgets });
    const wokenBy = new Set(diagnosis.wokenBy);
    let message: string;
    this.#metrics.preempting(preemption.candidate?.victims.length ?? 0);
    if (preemption.candidate) {
      const { node, victims } = preemption.candidate;
      this.#nominated.set(pod.metadata.uid, { pod, nodeName: node.name });
      wokenBy.add('PodDelete');
      message = describe(diagnosis, `preemption: evicting ${victims.length} pod(s) of lower priority on ${node.name}.`);
      this.#queue.failed(entry, wokenBy);
      await this.#evict(pod, node.name, victims);
    } else {
      message = describe(diagnosis, diagnosis.nodeCount === 0 ? undefined : preemption.message);
      this.#queue.failed(entry, wokenBy);
    }
    this.#teller.tell(pod, message);
  }

  async #evict(pod: Pod, nodeName: string, victims: readonly Pod[]): Promise<void> {
    const { events, log } = this.#deps;
    for (const victim of victims) {
      if (victim.metadata.deletionTimestamp !== undefined) continue;
      try {
        await this.#binder.preempt(victim, pod);
        events.event(victim, 'Normal', 'Preempted', `Preempted by pod ${pod.metadata.uid} on node ${nodeName}`, 'Preempting');
      } catch (error) {
        log.warn('evicting a pod of lower priority failed', { pod: keyOf(victim), error });
      }
    }
  }
}
