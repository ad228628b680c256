import { defineKind, keepAllButStatus, keepMetadata } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn } from '../../table/columns.ts';
import { checkImmutable } from '../../validation/checks.ts';
import { semanticEqual } from '../../validation/equal.ts';
import { duplicate, forbidden, required, tooMany } from '../../validation/errors.ts';
import { statusSubresource } from '../subresources.ts';
import { checkDeviceClaim, defaultDeviceClaim } from './device-requests.ts';
import { checkDeviceStatuses } from './device-status.ts';

const maxConsumers = 256;

export type ResourceClaim = t.ResourceClaim;
export const ResourceClaim = defineKind<ResourceClaim>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceClaim',
  plural: 'resourceclaims',
  scope: 'Namespaced',
  resetFields: { status: ['metadata', 'spec'] },
  subresources: [statusSubresource],
  returnsDeletedObject: true,
  applyDefaults(claim) {
    claim.spec ??= {};
    defaultDeviceClaim(claim.spec);
  },
  prepareForStatusUpdate(next, previous) {
    keepAllButStatus(next, previous);
    keepMetadata(next, previous);
  },
  validateCreate({ spec }) {
    const errors: FieldError[] = [];
    checkDeviceClaim(errors, 'spec', spec);
    return errors;
  },
  validateUpdate(next, previous) {
    const errors: FieldError[] = [];
    checkImmutable(errors, 'spec', next.spec, previous.spec);
    return errors;
  },
  validateStatusUpdate({ metadata, status = {} }, previous) {
    const errors: FieldError[] = [];
    const { allocation, reservedFor = [] } = status;
    if (reservedFor.length > maxConsumers) errors.push(tooMany('status.reservedFor', reservedFor.length, maxConsumers));
    if (reservedFor.length > 0 && !allocation) {
      errors.push(forbidden('status.reservedFor', 'may not be specified when `allocated` is not set'));
    }
    const added = reservedFor.length > (previous.status?.reservedFor?.length ?? 0);
    if (metadata.deletionTimestamp && added) {
      errors.push(
        forbidden(
          'status.reservedFor',
          'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set',
        ),
      );
    }
    const uids = new Set<string>();
    reservedFor.forEach(({ resource, name, uid }, i) => {
      const at = `status.reservedFor[${i}]`;
      if (uid && uids.has(uid)) errors.push(duplicate(at, uid));
      uids.add(uid);
      if (!resource) errors.push(required(`${at}.resource`));
      if (!name) errors.push(required(`${at}.name`));
      if (!uid) errors.push(required(`${at}.uid`));
    });
    const before = previous.status?.allocation;
    // A changed allocation is refused below: what no longer fits it is not the mistake.
    if (!before || semanticEqual(allocation, before)) checkDeviceStatuses(errors, status);
    if (allocation && before) {
      checkImmutable(errors, 'status.allocation', allocation, before);
    }
    return errors;
  },
  columns: [nameColumn, { name: 'State', type: 'string', cell: stateText }, ageColumn],
});

function stateText({ metadata, status }: ResourceClaim): string {
  const states = metadata.deletionTimestamp ? ['deleted'] : [];
  if (status?.allocation) states.push('allocated', ...(status.reservedFor?.length ? ['reserved'] : []));
  else if (!metadata.deletionTimestamp) states.push('pending');
  return states.join(',');
}
