import type { Kind } from '../../api/kind.ts';
import type { KubeObject } from '../../api/meta.ts';
import { conflict, notFound } from '../../api/status-error.ts';
import { timestamp } from '../../api/timestamp.ts';
import { RevisionConflict } from '../../storage/store.ts';
import type { Call } from './call.ts';
import type { Newest } from './object-store.ts';
import { deepFreeze } from './stored-form.ts';
import { admissionRequest, type WriteDeps } from './write-deps.ts';

export type Propagation = 'Background' | 'Foreground' | 'Orphan';

export interface DeleteRequest {
  readonly gracePeriodSeconds?: number | undefined;
  readonly propagation?: Propagation | undefined;
  readonly preconditions?: { readonly uid?: string | undefined; readonly resourceVersion?: string | undefined } | undefined;
}

export interface DeleteResult<T> {
  /** As it was when it went, or as it is now when it stays. */
  readonly object: T;
  /** False when it only was marked: it has finalizers or a grace period. */
  readonly gone: boolean;
}

const orphanFinalizer = 'orphan';
const foregroundFinalizer = 'foregroundDeletion';
const maxAttempts = 100;

/** Deletes an object, at once or by marking it (apiserver: pkg/registry/generic/registry/store.go Delete, pkg/registry/rest/delete.go). */
export async function deleteObject<T extends KubeObject>(
  deps: WriteDeps,
  call: Call,
  kind: Kind<T>,
  key: { namespace?: string | undefined; name: string },
  request: DeleteRequest,
): Promise<DeleteResult<T>> {
  for (let attempt = 1; ; attempt++) {
    const newest = deps.objects.newest(kind, key);
    if (!newest) throw notFound(kind, key.name);
    try {
      return await deleteOnce(deps, call, kind, key, request, newest);
    } catch (error) {
      if (!(error instanceof RevisionConflict)) throw error;
      if (attempt === maxAttempts) throw conflict(kind, key.name);
    }
  }
}

async function deleteOnce<T extends KubeObject>(
  deps: WriteDeps,
  call: Call,
  kind: Kind<T>,
  key: { namespace?: string | undefined; name: string },
  request: DeleteRequest,
  newest: Newest<T>,
): Promise<DeleteResult<T>> {
  const { object } = newest;
  checkDeletePreconditions(kind, object, request);
  const admission = admissionRequest({
    operation: 'DELETE',
    kind,
    namespace: key.namespace,
    name: key.name,
    object: undefined,
    oldObject: object,
    call,
  });
  await deps.admission.admit(admission);
  await deps.admission.validate(admission);
  const nowMs = deps.clock.now();
  const effects = deps.effects.of(kind);
  const step = markForDeletion(kind, object, request, nowMs);
  if (step === 'pending') return { object: deepFreeze(object), gone: false };
  effects.beforeDelete?.(object, nowMs);
  const stays = step === 'stays' || !(effects.mayGo?.(object) ?? true);
  if (call.dryRun) return { object: deepFreeze(object), gone: !stays };
  if (stays) {
    const marked = await deps.objects.put(kind, key, deps.objects.encode(kind, object), newest.revision);
    return { object: marked, gone: false };
  }
  object.metadata.resourceVersion = String(await deps.objects.remove(kind, key, newest.revision));
  return { object: deepFreeze(object), gone: true };
}

/** Throws a conflict unless the object is the one, and in the state, that the request means. */
export function checkDeletePreconditions(kind: Kind, object: KubeObject, request: DeleteRequest): void {
  const { uid, resourceVersion } = request.preconditions ?? {};
  // Upstream puts the Kind where other conflicts have the plural.
  const named = { group: kind.group, plural: kind.kind, kind: kind.kind };
  const { metadata } = object;
  if (uid !== undefined && uid !== metadata.uid) {
    throw conflict(
      named,
      metadata.name,
      `the UID in the precondition (${uid}) does not match the UID in record (${metadata.uid}). The object might have been deleted and then recreated`,
    );
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    throw conflict(
      named,
      metadata.name,
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata.resourceVersion}). The object might have been modified`,
    );
  }
}

/**
 * Decides what a delete does and writes the marks into `object`: `goes` at once, `stays` marked until finalizers or grace period are over,
 * or `pending`: it is being deleted already and this request changes nothing.
 */
function markForDeletion<T extends KubeObject>(
  kind: Kind<T>,
  object: T,
  request: DeleteRequest,
  nowMs: number,
): 'goes' | 'stays' | 'pending' {
  const grace = markGracePeriod(kind, object, request, nowMs);
  if (grace === 'pending') return 'pending';
  const { metadata } = object;
  const finalizers = finalizersFor(kind, metadata.finalizers ?? [], request.propagation);
  if (finalizers.length > 0) metadata.finalizers = finalizers;
  else delete metadata.finalizers;
  if (finalizers.length > 0 && grace === 'none') markNow(object, nowMs);
  return finalizers.length > 0 || grace === 'waits' ? 'stays' : 'goes';
}

/** Graceful kinds: none = not graceful, over = a grace period of 0 was set, waits = the object stays for its grace period. */
function markGracePeriod<T extends KubeObject>(
  kind: Kind<T>,
  object: T,
  request: DeleteRequest,
  nowMs: number,
): 'none' | 'over' | 'waits' | 'pending' {
  if (!kind.gracePeriodSeconds) return 'none';
  const { metadata } = object;
  const requested = request.gracePeriodSeconds === undefined ? undefined : atLeast(request.gracePeriodSeconds);
  if (metadata.deletionTimestamp) {
    const granted = metadata.deletionGracePeriodSeconds;
    if (!granted) return 'none';
    if (requested === undefined || requested >= granted) return 'pending';
    const shortened = Date.parse(metadata.deletionTimestamp) + (requested - granted) * 1000;
    metadata.deletionTimestamp = timestamp(Math.max(shortened, nowMs));
    // Who asked for some time gets some, even when all of it has passed.
    metadata.deletionGracePeriodSeconds = shortened < nowMs ? Math.min(requested, 1) : requested;
    return requested > 0 ? 'waits' : 'over';
  }
  const seconds = kind.gracePeriodSeconds(object, requested);
  metadata.deletionTimestamp = timestamp(nowMs + seconds * 1000);
  metadata.deletionGracePeriodSeconds = seconds;
  if (metadata.generation) metadata.generation++;
  return seconds > 0 ? 'waits' : 'over';
}

/** A negative grace period is an old way to say 1 second. */
function atLeast(seconds: number): number {
  return seconds < 0 ? 1 : seconds;
}

function markNow(object: KubeObject, nowMs: number): void {
  const { metadata } = object;
  if (metadata.deletionGracePeriodSeconds === undefined && metadata.generation) metadata.generation++;
  if (!metadata.deletionTimestamp || Date.parse(metadata.deletionTimestamp) > nowMs)
    metadata.deletionTimestamp = timestamp(nowMs);
  metadata.deletionGracePeriodSeconds = 0;
}

/** What the client says beats what the finalizers say, which beats the kind's default. */
function finalizersFor(kind: Kind, current: readonly string[], propagation: Propagation | undefined): string[] {
  const orphans =
    propagation === undefined
      ? current.includes(orphanFinalizer) || (!current.includes(foregroundFinalizer) && kind.defaultPropagation === 'Orphan')
      : propagation === 'Orphan';
  const foreground =
    propagation === undefined
      ? current.includes(foregroundFinalizer) && !current.includes(orphanFinalizer)
      : propagation === 'Foreground';
  const rest = current.filter((f) => f !== orphanFinalizer && f !== foregroundFinalizer);
  const wanted = [...(orphans ? [orphanFinalizer] : []), ...(foreground ? [foregroundFinalizer] : [])];
  const kept = current.filter((f) => rest.includes(f) || wanted.includes(f));
  return [...kept, ...wanted.filter((f) => !kept.includes(f))];
}
