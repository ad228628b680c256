import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn } from '../../table/columns.ts';
import { invalid } from '../../validation/errors.ts';
import { isExtendedResource } from '../../validation/quantities.ts';
import { counted } from '../strategy.ts';
import { checkConfiguration, checkSelectors } from './device-requests.ts';

export type DeviceClass = t.DeviceClass;
export const DeviceClass = defineKind<DeviceClass>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'DeviceClass',
  plural: 'deviceclasses',
  scope: 'Cluster',
  returnsDeletedObject: true,
  applyDefaults(deviceClass) {
    deviceClass.spec ??= {};
  },
  ...counted,
  validate({ spec = {} }) {
    const errors: FieldError[] = [];
    checkSelectors(errors, 'spec.selectors', spec.selectors);
    spec.config?.forEach((entry, i) => {
      checkConfiguration(errors, `spec.config[${i}]`, entry);
    });
    const name = spec.extendedResourceName;
    if (name !== undefined && !isExtendedResource(name)) {
      errors.push(invalid('spec.extendedResourceName', name, 'must be a valid extended resource name'));
    }
    return errors;
  },
  columns: [nameColumn, ageColumn],
});
