import type { DeploymentStatus } from '../../../api/generated/types.ts';
import { Deployment } from '../../../api/kinds/apps/deployment.ts';
import { ReplicaSet } from '../../../api/kinds/apps/replica-set.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import { keyOf } from '../../../api/meta.ts';
import { equalJson } from '../../../api/patch/json-value.ts';
import { matchesLabelSelector } from '../../../api/selectors/label-selector.ts';
import { isStatus } from '../../../api/status-error.ts';
import { standardIndexes } from '../../../client/object-index.ts';
import { defineController, type ReconcileContext } from '../../../reconcile/controller.ts';
import { controllerOf, isControlledBy } from '../../../reconcile/owners.ts';
import { mapped, ownedBy, primary } from '../../../reconcile/watches.ts';
import { claim } from '../replicaset/claim.ts';
import { conditionOf } from '../support/conditions.ts';
import { isTerminal } from '../support/pods.ts';
import {
  composeReplicaSet,
  newReplicaSetOf,
  newSetAnnotations,
  nextRevision,
  replicaAnnotations,
  revisionAnnotation,
  revisionOf,
  setsToForget,
} from './revision.ts';
import { newSetReplicas, planRecreate, planRolling, type ScaleStep } from './rolling.ts';
import { isScalingEvent, planScaling } from './scaling.ts';
import { countedStatus, hasDeadline, isComplete, rolloutStatus, setCondition, untilDeadlineMs } from './status.ts';
import { isRollingUpdate } from './strategy.ts';

/** Rolls Deployments out: one ReplicaSet per template, sized step by step. */
export const deploymentController = defineController({
  name: 'deployment',
  watches: [
    primary(Deployment),
    ownedBy(ReplicaSet, Deployment),
    mapped(ReplicaSet, (set, informer) => {
      if (controllerOf(set)) return [];
      const deployments = informer(Deployment).list(set.metadata.namespace);
      return deployments.filter((d) => matchesLabelSelector(d.spec.selector, set.metadata.labels)).map(keyOf);
    }),
    // Recreate waits for the last old pod: only the end of pods matters.
    mapped(Pod, (pod, informer) => ownersOfEndedPod(pod, informer(ReplicaSet).byIndex.bind(informer(ReplicaSet)), informer), {
      changed: (next, previous) => isTerminal(next) !== isTerminal(previous),
    }),
  ],
  concurrency: 5,
  async reconcile(key, context) {
    const deployment = context.informer(Deployment).get(key);
    if (!deployment) return;
    const { client, informer } = context;
    const selector = deployment.spec.selector;
    const lister = informer(ReplicaSet);
    const sets = await claim({ client, owner: deployment, ownerKind: Deployment, kind: ReplicaSet, lister, selector });
    if (deployment.metadata.deletionTimestamp !== undefined) {
      const newSet = newReplicaSetOf(deployment, sets);
      await writeStatus({ deployment, newSet, sets, context });
      return;
    }
    await new Rollout(deployment, sets, context).run();
  },
});

function ownersOfEndedPod(
  pod: Pod,
  sets: (index: string, value: string) => readonly ReplicaSet[],
  informer: ReconcileContext['informer'],
): string[] {
  const owner = controllerOf(pod);
  if (owner?.kind !== 'ReplicaSet') return [];
  const set = informer(ReplicaSet).get(`${pod.metadata.namespace}/${owner.name}`);
  const deployment = set && controllerOf(set);
  if (!deployment || sets(standardIndexes.controller, deployment.uid).length === 0) return [];
  const key = `${pod.metadata.namespace}/${deployment.name}`;
  const found = informer(Deployment).get(key);
  return found && !isRollingUpdate(found) ? [key] : [];
}

/** One reconcile of one Deployment. */
class Rollout {
  #deployment: Deployment;
  readonly #sets: readonly ReplicaSet[];
  readonly #context: ReconcileContext;
  #newSet: ReplicaSet | undefined;

  constructor(deployment: Deployment, sets: readonly ReplicaSet[], context: ReconcileContext) {
    this.#deployment = deployment;
    this.#sets = sets;
    this.#context = context;
    this.#newSet = newReplicaSetOf(deployment, sets);
  }

  get #old(): ReplicaSet[] {
    return this.#sets.filter((set) => set.metadata.uid !== this.#newSet?.metadata.uid);
  }

  async run(): Promise<void> {
    await this.#notePause();
    const { paused } = this.#deployment.spec;
    if (paused || isScalingEvent(this.#deployment, this.#sets)) {
      if (this.#newSet) await this.#numberNewSet(this.#newSet);
      await this.#scale(planScaling(this.#deployment, this.#newSet, this.#old));
      if (paused) await this.#forgetOld();
      const all = this.#all();
      await this.#write(
        countedStatus({ deployment: this.#deployment, newSet: this.#newSet, old: this.#without(all), nowMs: this.#nowMs }),
      );
      return;
    }
    await (isRollingUpdate(this.#deployment) ? this.#rollingUpdate() : this.#recreate());
  }

  get #nowMs(): number {
    return this.#context.clock.now();
  }

  async #rollingUpdate(): Promise<void> {
    const newSet = await this.#ensureNewSet();
    if (!newSet) return;
    await this.#finish(await this.#scale(planRolling(this.#deployment, newSet, this.#old)));
  }

  async #recreate(): Promise<void> {
    const shrunk = await this.#scale(planRecreate(this.#old));
    if (shrunk || this.#oldPodsRun()) {
      await this.#writeRollout();
      return;
    }
    const newSet = await this.#ensureNewSet();
    if (!newSet) return;
    const wanted = this.#deployment.spec.replicas ?? 1;
    await this.#finish(await this.#scale((newSet.spec.replicas ?? 1) === wanted ? [] : [{ set: newSet, replicas: wanted }]));
  }

  async #finish(scaled: boolean): Promise<void> {
    if (!scaled && isComplete(this.#deployment, this.#deployment.status)) await this.#forgetOld();
    await this.#writeRollout();
  }

  #oldPodsRun(): boolean {
    const pods = this.#context.informer(Pod);
    return this.#old.some((set) => pods.byIndex(standardIndexes.controller, set.metadata.uid).some((pod) => !isTerminal(pod)));
  }

  /** The ReplicaSet of the current template; undefined when its name was taken and another must be found in the next run. */
  async #ensureNewSet(): Promise<ReplicaSet | undefined> {
    if (this.#newSet) {
      await this.#numberNewSet(this.#newSet);
      return this.#newSet;
    }
    const { client, events } = this.#context;
    const revision = nextRevision(this.#old);
    const replicas = newSetReplicas(this.#deployment, this.#old, 0);
    const draft = composeReplicaSet(this.#deployment, { replicas, revision });
    try {
      this.#newSet = await client.create(ReplicaSet, draft);
    } catch (error) {
      if (isStatus(error, 'AlreadyExists')) await this.#resolveCollision(draft.metadata.name ?? '');
      else await this.#tellCreationFailed(error);
      if (!this.#newSet) throw error;
    }
    const { name } = this.#newSet.metadata;
    if (replicas > 0) {
      events.event(this.#deployment, 'Normal', 'ScalingReplicaSet', `Scaled up replica set ${name} from 0 to ${replicas}`);
    }
    await this.#tellProgress('NewReplicaSetCreated', `Created new replica set "${name}"`);
    await this.#numberDeployment(revision);
    return this.#newSet;
  }

  /** The name is taken: either our cache was late, or two templates have one hash; then the next attempt uses another. */
  async #resolveCollision(name: string): Promise<void> {
    const { client } = this.#context;
    const namespace = this.#deployment.metadata.namespace ?? '';
    const existing = await client.get(ReplicaSet, { namespace, name });
    if (isControlledBy(existing, this.#deployment) && newReplicaSetOf(this.#deployment, [existing])) {
      this.#newSet = existing;
      return;
    }
    const status = { ...this.#deployment.status, collisionCount: (this.#deployment.status.collisionCount ?? 0) + 1 };
    await client.update(Deployment, { ...this.#deployment, status }, { subresource: 'status' });
  }

  async #tellCreationFailed(error: unknown): Promise<void> {
    const message = error instanceof Error ? error.message : String(error);
    await this.#tellProgress('ReplicaSetCreateError', message, 'False');
    this.#context.events.event(
      this.#deployment,
      'Warning',
      'ReplicaSetCreateError',
      `Failed to create new replica set: ${message}`,
    );
  }

  /** Writes a Progressing condition; only rollouts with a deadline have one. */
  async #tellProgress(reason: string, message: string, status: 'True' | 'False' | 'Unknown' = 'True'): Promise<void> {
    if (!hasDeadline(this.#deployment)) return;
    const told = { type: 'Progressing', status, reason, message };
    const conditions = setCondition(this.#deployment.status.conditions, told, this.#nowMs);
    if (equalJson(conditions, this.#deployment.status.conditions)) return;
    await this.#write({ ...this.#deployment.status, conditions });
  }

  /** An existing set becomes the newest revision (a rollback), and follows minReadySeconds and annotations. */
  async #numberNewSet(newSet: ReplicaSet): Promise<void> {
    const annotations = newSetAnnotations(this.#deployment, newSet, nextRevision(this.#old));
    const minReadySeconds = this.#deployment.spec.minReadySeconds ?? 0;
    if (!equalJson(annotations, newSet.metadata.annotations) || (newSet.spec.minReadySeconds ?? 0) !== minReadySeconds) {
      const { minReadySeconds: _before, ...spec } = newSet.spec;
      const next: ReplicaSet = {
        ...newSet,
        metadata: { ...newSet.metadata, annotations },
        spec: { ...spec, ...(minReadySeconds ? { minReadySeconds } : {}) },
      };
      this.#newSet = await this.#context.client.update(ReplicaSet, next);
    }
    if (!conditionOf(this.#deployment.status.conditions, 'Progressing')) {
      await this.#tellProgress('FoundNewReplicaSet', `Found new replica set "${newSet.metadata.name}"`);
    }
    await this.#numberDeployment(revisionOf(this.#newSet ?? newSet));
  }

  /** Through `/status`, which makes no new generation of it. */
  async #numberDeployment(revision: bigint): Promise<void> {
    if (revisionOf(this.#deployment) === revision) return;
    const { metadata } = this.#deployment;
    const annotations = { ...metadata.annotations, [revisionAnnotation]: String(revision) };
    const next = { ...this.#deployment, metadata: { ...metadata, annotations } };
    this.#deployment = await this.#context.client.update(Deployment, next, { subresource: 'status' });
  }

  /** Carries the steps out, and notes the size in every set; true when anything was scaled. */
  async #scale(steps: readonly ScaleStep[]): Promise<boolean> {
    let scaled = false;
    for (const { set, replicas } of steps) {
      const before = set.spec.replicas ?? 1;
      await this.#resize(set, replicas);
      if (before === replicas) continue;
      scaled = true;
      const direction = replicas > before ? 'up' : 'down';
      const message = `Scaled ${direction} replica set ${set.metadata.name} from ${before} to ${replicas}`;
      this.#context.events.event(this.#deployment, 'Normal', 'ScalingReplicaSet', message);
    }
    await this.#noteSize(steps);
    return scaled;
  }

  /** Sets that were not scaled must know the new total as well, else the next run would take it for another scaling event. */
  async #noteSize(steps: readonly ScaleStep[]): Promise<void> {
    const resized = new Set(steps.map(({ set }) => set.metadata.uid));
    for (const set of this.#all()) {
      if (resized.has(set.metadata.uid) || (set.spec.replicas ?? 1) === 0) continue;
      await this.#resize(set, set.spec.replicas ?? 1);
    }
  }

  async #resize(set: ReplicaSet, replicas: number): Promise<void> {
    const annotations = { ...set.metadata.annotations, ...replicaAnnotations(this.#deployment) };
    if ((set.spec.replicas ?? 1) === replicas && equalJson(annotations, set.metadata.annotations)) return;
    const next = { ...set, metadata: { ...set.metadata, annotations }, spec: { ...set.spec, replicas } };
    const written = await this.#context.client.update(ReplicaSet, next);
    if (written.metadata.uid === this.#newSet?.metadata.uid) this.#newSet = written;
  }

  async #forgetOld(): Promise<void> {
    const namespace = this.#deployment.metadata.namespace ?? '';
    for (const { metadata } of setsToForget(this.#deployment, this.#old)) {
      await this.#context.client.delete(ReplicaSet, { namespace, name: metadata.name }, { preconditions: { uid: metadata.uid } });
    }
  }

  /** Paused and resumed rollouts say so, so that the deadline does not count the pause. */
  async #notePause(): Promise<void> {
    if (!hasDeadline(this.#deployment)) return;
    const progressing = conditionOf(this.#deployment.status.conditions, 'Progressing');
    if (progressing?.reason === 'ProgressDeadlineExceeded') return;
    const isPausedNow = this.#deployment.spec.paused ?? false;
    const wasPaused = progressing?.reason === 'DeploymentPaused';
    if (isPausedNow && !wasPaused) await this.#tellProgress('DeploymentPaused', 'Deployment is paused', 'Unknown');
    if (!isPausedNow && wasPaused) await this.#tellProgress('DeploymentResumed', 'Deployment is resumed', 'Unknown');
  }

  /** All sets, the newest state of the new one. */
  #all(): ReplicaSet[] {
    const old = this.#old;
    return this.#newSet ? [...old, this.#newSet] : old;
  }

  #without(sets: readonly ReplicaSet[]): ReplicaSet[] {
    return sets.filter((set) => set.metadata.uid !== this.#newSet?.metadata.uid);
  }

  async #writeRollout(): Promise<void> {
    const view = { deployment: this.#deployment, newSet: this.#newSet, old: this.#old, nowMs: this.#nowMs };
    const status = rolloutStatus(view);
    await this.#write(status);
    const waitMs = untilDeadlineMs(this.#deployment, status, this.#nowMs);
    if (waitMs !== undefined) this.#context.requeueAfter(waitMs);
  }

  async #write(status: DeploymentStatus): Promise<void> {
    if (equalJson(status, this.#deployment.status)) return;
    this.#deployment = await this.#context.client.update(Deployment, { ...this.#deployment, status }, { subresource: 'status' });
  }
}

async function writeStatus(options: {
  deployment: Deployment;
  newSet: ReplicaSet | undefined;
  sets: readonly ReplicaSet[];
  context: ReconcileContext;
}): Promise<void> {
  const { deployment, newSet, sets, context } = options;
  const old = sets.filter((set) => set !== newSet);
  const status = countedStatus({ deployment, newSet, old, nowMs: context.clock.now() });
  if (!equalJson(status, deployment.status))
    await context.client.update(Deployment, { ...deployment, status }, { subresource: 'status' });
}
