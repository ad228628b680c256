import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn, none, unset } from '../../table/columns.ts';
import { checkEnum, checkImmutable } from '../../validation/checks.ts';
import { semanticEqual } from '../../validation/equal.ts';
import { duplicate, invalid, notSupported, required } from '../../validation/errors.ts';
import { checkCsiDriverName } from '../core/volume-source-validation.ts';
import { contentChanged, setGeneration } from '../strategy.ts';

const minTokenSeconds = 600;
const maxTokenSeconds = 2 ** 32;
const minUpdateSeconds = 10;
const flags = ['attachRequired', 'podInfoOnMount', 'storageCapacity'] as const;

export type CSIDriver = t.CSIDriver;
export const CSIDriver = defineKind<CSIDriver>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'CSIDriver',
  plural: 'csidrivers',
  scope: 'Cluster',
  allowUnconditionalUpdate: false,
  returnsDeletedObject: true,
  applyDefaults(driver) {
    const spec = (driver.spec ??= {});
    spec.attachRequired ??= true;
    spec.podInfoOnMount ??= false;
    spec.storageCapacity ??= false;
    spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType';
    if (!spec.volumeLifecycleModes?.length) spec.volumeLifecycleModes = ['Persistent'];
    spec.requiresRepublish ??= false;
    spec.seLinuxMount ??= false;
  },
  prepareForUpdate(next, previous) {
    setGeneration(next, previous, contentChanged(next, previous));
  },
  validate: validateDriver,
  validateUpdate({ spec: next }, { spec: previous }) {
    const errors: FieldError[] = [];
    checkImmutable(errors, 'spec.attachedRequired', next.attachRequired, previous.attachRequired);
    checkImmutable(errors, 'spec.volumeLifecycleModes', next.volumeLifecycleModes, previous.volumeLifecycleModes);
    return errors;
  },
  warnings({ spec = {} }, previous) {
    const isSame = previous && semanticEqual(spec.tokenRequests, previous.spec.tokenRequests);
    if (isSame || !spec.tokenRequests?.length || spec.serviceAccountTokenInSecrets !== undefined) return [];
    const advice = 'if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes';
    return [`spec.serviceAccountTokenInSecrets is unset; ${advice}`];
  },
  columns: [
    nameColumn,
    { name: 'AttachRequired', type: 'boolean', cell: ({ spec }) => spec?.attachRequired ?? true },
    { name: 'PodInfoOnMount', type: 'boolean', cell: ({ spec }) => spec?.podInfoOnMount ?? false },
    { name: 'StorageCapacity', type: 'boolean', cell: ({ spec }) => spec?.storageCapacity ?? false },
    { name: 'TokenRequests', type: 'string', cell: ({ spec }) => spec?.tokenRequests?.map((r) => r.audience).join(',') ?? unset },
    { name: 'RequiresRepublish', type: 'boolean', cell: ({ spec }) => spec?.requiresRepublish ?? false },
    { name: 'Modes', type: 'string', cell: ({ spec }) => spec?.volumeLifecycleModes?.join(',') || none },
    ageColumn,
  ],
});

function validateDriver({ metadata, spec = {} }: CSIDriver): FieldError[] {
  const errors: FieldError[] = [];
  checkCsiDriverName(errors, 'metadata.name', metadata.name);
  for (const flag of flags) if (spec[flag] === undefined) errors.push(required(`spec.${flag}`));
  checkEnum(errors, 'spec.fsGroupPolicy', spec.fsGroupPolicy, ['File', 'None', 'ReadWriteOnceWithFSType']);
  for (const mode of spec.volumeLifecycleModes ?? []) {
    if (mode === 'Persistent' || mode === 'Ephemeral') continue;
    errors.push(notSupported('spec.volumeLifecycleModes', mode, ['Persistent', 'Ephemeral']));
  }
  const period = spec.nodeAllocatableUpdatePeriodSeconds;
  if (period !== undefined && period < minUpdateSeconds) {
    const detail = `must be greater than or equal to ${minUpdateSeconds} seconds`;
    errors.push(invalid('spec.nodeAllocatableUpdatePeriodSeconds', period, detail));
  }
  checkTokens(errors, spec.tokenRequests ?? []);
  return errors;
}

function checkTokens(errors: FieldError[], requests: readonly t.StorageTokenRequest[]): void {
  const audiences = new Set<string>();
  requests.forEach(({ audience, expirationSeconds: seconds }, i) => {
    const at = `spec.tokenRequests[${i}]`;
    if (audiences.has(audience)) errors.push(duplicate(`${at}.audience`, audience));
    audiences.add(audience);
    if (seconds === undefined) return;
    if (seconds < minTokenSeconds) {
      errors.push(invalid(`${at}.expirationSeconds`, seconds, 'may not specify a duration less than 10 minutes'));
    }
    if (seconds > maxTokenSeconds) {
      errors.push(invalid(`${at}.expirationSeconds`, seconds, 'may not specify a duration larger than 2^32 seconds'));
    }
  });
}
