import type { FieldError } from '../../api/field-error.ts';
import type { Kind } from '../../api/kind.ts';
import type { KubeObject } from '../../api/meta.ts';
import { cloneJson } from '../../api/patch/json-value.ts';
import { alreadyExists, generatedNameTaken, invalid, StatusError } from '../../api/status-error.ts';
import { validateObjectMeta } from '../../api/validation/object-meta.ts';
import { RevisionConflict } from '../../storage/store.ts';
import type { Call } from './call.ts';
import { trackManagers } from './managers.ts';
import { fittingForm } from './object-size.ts';
import {
  dropRepeatedOwners,
  dropSystemFields,
  fillSystemFields,
  generatedName,
  generatedSuffixLength,
  settleNamespace,
} from './system-fields.ts';
import { admissionRequest, type WriteDeps, writeContext } from './write-deps.ts';

/** How many generated names are tried before AlreadyExists goes to the client. */
const maxGeneratedNames = 8;

/**
 * Creates an object in the namespace of the URL (apiserver: pkg/registry/generic/registry/store.go Create). The object is the caller's to
 * give away: it is changed, and afterwards belongs to the store. Resolves with the shared, frozen and durable result; that of a dry run is nobody else's.
 */
export async function createObject<T extends KubeObject>(
  deps: WriteDeps,
  call: Call,
  kind: Kind<T>,
  namespace: string | undefined,
  object: T,
  /** For server-side apply, which records managers itself. */
  managersAreTracked = false,
): Promise<T> {
  const { metadata } = object;
  if (metadata.name || !metadata.generateName) return createOnce(deps, call, kind, namespace, object, managersAreTracked);
  const original = cloneJson(object);
  for (let attempt = 1; ; attempt++) {
    const candidate = attempt === 1 ? object : cloneJson(original);
    try {
      return await createOnce(deps, call, kind, namespace, candidate, managersAreTracked);
    } catch (error) {
      if (attempt === maxGeneratedNames || !isNameTaken(error, candidate.metadata.name)) throw error;
    }
  }
}

function isNameTaken(error: unknown, name: string): boolean {
  return error instanceof Error && 'reason' in error && error.reason === 'AlreadyExists' && error.message.includes(`"${name}"`);
}

async function createOnce<T extends KubeObject>(
  deps: WriteDeps,
  call: Call,
  kind: Kind<T>,
  namespace: string | undefined,
  object: T,
  managersAreTracked: boolean,
): Promise<T> {
  const pause = call.pauses?.();
  if (pause) await pause();
  const context = writeContext(deps.clock);
  settleNamespace(kind, object, namespace);
  const name = object.metadata.name ?? '';
  const request = admissionRequest({ operation: 'CREATE', kind, namespace, name, object, oldObject: undefined, call });
  kind.applyDefaults(object);
  dropSystemFields(object);
  dropRepeatedOwners(object, call);
  if (!managersAreTracked) {
    const { nowMs } = context;
    trackManagers(deps.objects.kinds, { kind, previous: undefined, next: object, manager: call.fieldManager, nowMs });
  }
  if (pause) await pause();
  await deps.admission.admit(request);
  kind.applyDefaults(object);
  nameIt(object, context.random);
  fillSystemFields(object, context.uid(), context.nowMs);
  kind.prepareForCreate(object, { ...context, warn: (message) => call.warn(message) });
  if (pause) await pause();
  const reservation = deps.effects.of(kind).beforeCreate?.(object, call);
  try {
    refuseInvalid(kind, object, [
      ...validateObjectMeta(kind, object.metadata),
      ...kind.validate(object),
      ...(kind.validateCreate?.(object) ?? []),
    ]);
    for (const warning of kind.warnings(object)) call.warn(warning);
    await deps.admission.validate(request);
    if (pause) await pause();
    const created = await write(deps, call, kind, object, managersAreTracked);
    if (call.dryRun) reservation?.release?.();
    else reservation?.keep?.();
    return created;
  } catch (error) {
    reservation?.release?.();
    throw error;
  }
}

/** Generated names are made only now: what admission changes and refuses has none yet. */
function nameIt({ metadata }: KubeObject, random: (length: number) => string): void {
  if (!metadata.name && metadata.generateName)
    metadata.name = generatedName(metadata.generateName, random(generatedSuffixLength));
}

function nameTaken(kind: Kind, { metadata }: KubeObject, existing: KubeObject | undefined): StatusError {
  const isGoing = existing?.metadata.deletionTimestamp !== undefined;
  return metadata.generateName ? generatedNameTaken(kind, metadata.name) : alreadyExists(kind, metadata.name, isGoing);
}

async function write<T extends KubeObject>(
  deps: WriteDeps,
  call: Call,
  kind: Kind<T>,
  object: T,
  keepsManagers: boolean,
): Promise<T> {
  const key = { namespace: object.metadata.namespace, name: object.metadata.name };
  if (call.dryRun) {
    const existing = deps.objects.newest(kind, key);
    if (existing) throw nameTaken(kind, object, existing.object);
    return object;
  }
  refuseVersion(object);
  try {
    return await deps.objects.put(kind, key, fittingForm(deps.objects, kind, object, keepsManagers), 0);
  } catch (error) {
    if (error instanceof RevisionConflict) throw nameTaken(kind, object, deps.objects.newest(kind, key)?.object);
    throw error;
  }
}

/** What is new has no version yet; text that is no version says nothing. */
function refuseVersion({ metadata }: { metadata: Partial<KubeObject['metadata']> }): void {
  const { resourceVersion = '' } = metadata;
  delete metadata.resourceVersion;
  if (!/^0*[1-9]\d*$/.test(resourceVersion)) return;
  throw new StatusError({ code: 500, reason: '', message: 'resourceVersion should not be set on objects to be created' });
}

/** Throws StatusError 422 when there are errors. */
export function refuseInvalid(kind: Kind, object: KubeObject, errors: readonly FieldError[]): void {
  // Upstream judges, and names, what is stored.
  if (errors.length > 0) throw invalid(kind.storageKind ?? kind, object.metadata.name ?? '', errors);
}
