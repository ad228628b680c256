import type { FieldError } from '../../api/field-error.ts';
import type { Kind, WriteContext } from '../../api/kind.ts';
import type { KubeObject } from '../../api/meta.ts';
import { cloneJson, equalJson } from '../../api/patch/json-value.ts';
import { conflict, notFound, StatusError } from '../../api/status-error.ts';
import { validateObjectMeta, validateObjectMetaUpdate } from '../../api/validation/object-meta.ts';
import { RevisionConflict } from '../../storage/store.ts';
import type { Call } from './call.ts';
import { createObject, refuseInvalid } from './create.ts';
import type { Effects } from './effects.ts';
import { trackManagers } from './managers.ts';
import { fittingForm } from './object-size.ts';
import type { Newest } from './object-store.ts';
import { deepFreeze } from './stored-form.ts';
import { checkName, checkUid, dropRepeatedOwners, keepSystemFields, settleNamespace, uidConflict } from './system-fields.ts';
import { admissionRequest, type WriteDeps, writeContext } from './write-deps.ts';

/** Attempts before a write that needs no certain version gives up on a key others write all the time. */
const maxAttempts = 100;

/** What sets an update through a sub-resource apart from one of the whole object. */
export interface UpdateRules<T extends KubeObject = KubeObject> {
  readonly subresource: string;
  /** The only fields it changes, as paths with dots; absent: all that the kind does not set back. */
  readonly changes?: readonly string[];
  prepare(next: T, previous: T, context: WriteContext): void;
  validate(next: T, previous: T): FieldError[];
  /** Runs the kind's effects, as for the main resource. */
  readonly effects?: Effects<T>;
}

export interface UpdateRequest<T extends KubeObject> {
  readonly key: { readonly namespace?: string | undefined; readonly name: string };
  /**
   * Makes the next state from a mutable copy of the newest one; may be called several times, when others write in between.
   * `undefined` is given when the object does not exist and `allowCreate` is set.
   */
  transform(current: T | undefined): Promise<T> | T;
  /** `transform` neither changes what it is given nor shares parts of it, which therefore need not be a copy of its own. */
  readonly transformCopies?: boolean;
  readonly rules?: UpdateRules<T>;
  /** A missing object is created from `transform(undefined)`. */
  readonly allowCreate?: boolean;
  /** Called before a missing object is created; throws StatusError 403 unless the caller may do that, too. */
  authorizeCreate?(): void;
  /** The client may leave out resourceVersion whatever the kind says: patches and scale. */
  readonly unconditional?: boolean;
  /** Server-side apply records managers itself. */
  readonly managersAreTracked?: boolean;
}

export interface UpdateResult<T> {
  readonly object: T;
  readonly created: boolean;
}

/** The rules of an update of the whole object. */
function mainRules<T extends KubeObject>(kind: Kind<T>, effects: Effects<T>): UpdateRules<T> {
  return {
    subresource: '',
    effects,
    prepare: (next, previous, context) => kind.prepareForUpdate(next, previous, context),
    validate: (next, previous) => [...kind.validate(next), ...kind.validateUpdate(next, previous)],
  };
}

/** The rules of `/status`. */
export function statusRules<T extends KubeObject>(kind: Kind<T>): UpdateRules<T> {
  return {
    subresource: 'status',
    prepare: (next, previous, context) => kind.prepareForStatusUpdate(next, previous, context),
    validate: (next, previous) => kind.validateStatusUpdate(next, previous),
  };
}

/**
 * Read, change, write, and again when somebody else was faster (apiserver: pkg/registry/generic/registry/store.go Update). Writing what is
 * there already changes nothing. Removing the last finalizer of an object that is being deleted removes the object; the answer has the version it had.
 */
export async function updateObject<T extends KubeObject>(
  deps: WriteDeps,
  call: Call,
  kind: Kind<T>,
  request: UpdateRequest<T>,
): Promise<UpdateResult<T>> {
  for (let attempt = 1; ; attempt++) {
    const newest = deps.objects.newest(kind, request.key);
    try {
      if (newest) return { object: await updateOnce(deps, call, kind, request, newest), created: false };
      if (!request.allowCreate) throw notFound(kind, request.key.name);
      request.authorizeCreate?.();
      const object = await request.transform(undefined);
      checkName(object, request.key.name);
      forgetVersion(kind, object);
      const tracked = request.managersAreTracked ?? false;
      return { object: await createObject(deps, call, kind, request.key.namespace, object, tracked), created: true };
    } catch (error) {
      const lostRace = error instanceof RevisionConflict || (!newest && isAlreadyExists(error) && request.allowCreate);
      if (!lostRace) throw error;
      if (attempt === maxAttempts) throw conflict(kind, request.key.name);
    }
  }
}

function isAlreadyExists(error: unknown): boolean {
  return error instanceof StatusError && error.reason === 'AlreadyExists';
}

/** An update of a missing object creates it whatever version the client knows, but not when it means a certain object. */
function forgetVersion(kind: Kind, object: KubeObject): void {
  if (object.metadata.uid) throw uidConflict(kind, object, '');
  if (isVersion(object.metadata.resourceVersion)) object.metadata.resourceVersion = '';
}

async function updateOnce<T extends KubeObject>(
  deps: WriteDeps,
  call: Call,
  kind: Kind<T>,
  request: UpdateRequest<T>,
  newest: Newest<T>,
): Promise<T> {
  const { objects, clock } = deps;
  const previous = newest.object;
  const rules = request.rules ?? mainRules(kind, deps.effects.of(kind) as Effects<T>);
  const context = writeContext(clock);
  const next = await request.transform(request.transformCopies ? previous : cloneJson(previous));
  const pause = call.pauses?.(newest.value.length);
  if (pause) await pause();
  settleNamespace(kind, next, request.key.namespace);
  checkName(next, request.key.name);
  checkPreconditions(kind, next, newest, request.unconditional ?? false);
  next.metadata.resourceVersion = String(newest.revision);
  const admission = admissionRequest({
    operation: 'UPDATE',
    kind,
    subresource: rules.subresource,
    ...request.key,
    namespace: request.key.namespace,
    object: next,
    oldObject: previous,
    call,
  });
  kind.applyDefaults(next);
  dropRepeatedOwners(next, call);
  if (!request.managersAreTracked) {
    const { subresource, changes: only } = rules;
    const write = { kind, previous, next, manager: call.fieldManager, nowMs: context.nowMs };
    trackManagers(objects.kinds, { ...write, subresource, only });
  }
  if (pause) await pause();
  await deps.admission.admit(admission);
  kind.applyDefaults(next);
  keepSystemFields(next, previous);
  rules.prepare(next, previous, context);
  const reservation = rules.effects?.beforeUpdate?.(next, previous, call);
  try {
    refuseInvalid(kind, next, [
      ...validateObjectMeta(kind, next.metadata),
      ...validateObjectMetaUpdate(next.metadata, previous.metadata),
      ...rules.validate(next, previous),
    ]);
    if (!rules.subresource) for (const warning of kind.warnings(next, previous)) call.warn(warning);
    await deps.admission.validate(admission);
    if (pause) await pause();
    const written = await write(deps, call, kind, request, next, newest);
    if (call.dryRun) reservation?.release?.();
    else reservation?.keep?.();
    return written;
  } catch (error) {
    reservation?.release?.();
    throw error;
  }
}

/**
 * resourceVersion and uid in the body are preconditions (apiserver: pkg/registry/generic/registry/store.go Update). A patch that changes the uid
 * is refused by the validation.
 */
function checkPreconditions<T extends KubeObject>(kind: Kind<T>, next: T, newest: Newest<T>, unconditional: boolean): void {
  const { resourceVersion, name } = next.metadata;
  if (!unconditional) checkUid(kind, next, newest.object);
  if (isVersion(resourceVersion)) {
    if (resourceVersion !== String(newest.revision)) throw conflict(kind, name);
    return;
  }
  if (!kind.allowUnconditionalUpdate && !unconditional) throw versionRequired(kind, name);
}

/** False when none is given; 0 stands for none. Throws what upstream answers to text that is no version. */
function isVersion(resourceVersion: string | undefined): boolean {
  if (!resourceVersion) return false;
  if (/^\d+$/.test(resourceVersion)) return !/^0+$/.test(resourceVersion);
  const message = `strconv.ParseUint: parsing ${JSON.stringify(resourceVersion)}: invalid syntax`;
  throw new StatusError({ code: 500, reason: '', message });
}

/** Upstream names the resource here, not the kind as in other 422 answers. */
function versionRequired(kind: Kind, name: string): StatusError {
  const message = 'Invalid value: 0: must be specified for an update';
  const resource = kind.group ? `${kind.plural}.${kind.group}` : kind.plural;
  return new StatusError({
    code: 422,
    reason: 'Invalid',
    message: `${resource} "${name}" is invalid: metadata.resourceVersion: ${message}`,
    details: {
      name,
      ...(kind.group ? { group: kind.group } : {}),
      kind: kind.plural,
      causes: [{ reason: 'FieldValueInvalid', message, field: 'metadata.resourceVersion' }],
    },
  });
}

async function write<T extends KubeObject>(
  deps: WriteDeps,
  call: Call,
  kind: Kind<T>,
  { key, managersAreTracked = false }: UpdateRequest<T>,
  next: T,
  newest: Newest<T>,
): Promise<T> {
  if (goesNow(deps, kind, next, newest.object)) {
    if (call.dryRun) return deepFreeze(next);
    await deps.objects.remove(kind, key, newest.revision);
    return deepFreeze(next);
  }
  if (call.dryRun) return next;
  const content = fittingForm(deps.objects, kind, next, managersAreTracked);
  if (isSame(content, newest, kind)) return deepFreeze(next);
  return deps.objects.put(kind, key, content, newest.revision);
}

/** The last finalizer of an object that is being deleted, and waits for no grace period, was taken away. */
function goesNow(deps: WriteDeps, kind: Kind, next: KubeObject, previous: KubeObject): boolean {
  if (!previous.metadata.deletionTimestamp || (previous.metadata.deletionGracePeriodSeconds ?? 0) > 0) return false;
  if ((next.metadata.finalizers?.length ?? 0) > 0) return false;
  return deps.effects.of(kind).mayGo?.(next) ?? true;
}

/** Equal bytes, or, which only objects of equal length can be, the same fields in another order. */
function isSame(content: { stored: KubeObject; value: Uint8Array }, newest: Newest<KubeObject>, kind: Kind): boolean {
  if (content.value.length !== newest.value.length) return false;
  if (Buffer.compare(content.value, newest.value) === 0) return true;
  const before = kind.toStorage ? kind.toStorage(newest.object) : newest.object;
  return equalJson(content.stored, before);
}
