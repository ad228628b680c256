import { randomBytes, randomUUID } from 'node:crypto';
import type { Kind, WriteContext } from '../../api/kind.ts';
import type { AnyObject, KubeObject } from '../../api/meta.ts';
import type { Clock } from '../../lib/clock.ts';
import type { AdmissionRequest, Operation } from '../admission/admission.ts';
import type { AdmissionChain } from './admission-chain.ts';
import type { Call } from './call.ts';
import type { EffectsTable } from './effects.ts';
import type { ObjectStore } from './object-store.ts';
import { nameCharacters } from './system-fields.ts';

/** What every write needs. */
export interface WriteDeps {
  readonly objects: ObjectStore;
  readonly admission: AdmissionChain;
  readonly effects: EffectsTable;
  readonly clock: Clock;
}

/** Time and chance for the hooks of kinds. */
export function writeContext(clock: Clock): WriteContext {
  return {
    nowMs: clock.now(),
    random: (length) => nameCharacters(randomBytes(length)),
    uid: randomUUID,
  };
}

/** What admission plugins see of a write. */
export function admissionRequest(options: {
  operation: Operation;
  kind: Kind;
  subresource?: string;
  namespace: string | undefined;
  name: string;
  object: KubeObject | undefined;
  oldObject: KubeObject | undefined;
  call: Call;
}): AdmissionRequest {
  const { operation, kind, namespace, name, object, oldObject, call } = options;
  return {
    operation,
    kind,
    subresource: options.subresource ?? '',
    namespace,
    name,
    object: object as AnyObject | undefined,
    oldObject: oldObject as AnyObject | undefined,
    user: call.user,
    dryRun: call.dryRun,
    warn: (message) => call.warn(message),
  };
}
