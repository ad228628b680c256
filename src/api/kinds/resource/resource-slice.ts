import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn } from '../../table/columns.ts';
import { checkGiven, checkImmutable, checkText } from '../../validation/checks.ts';
import { duplicate, invalid, required, tooLong, tooMany } from '../../validation/errors.ts';
import { dns1123Label, dns1123Subdomain } from '../../validation/names.ts';
import { keyed } from '../../validation/quantities.ts';
import { checkNodeSelector } from '../core/scheduling-validation.ts';
import { checkCsiDriverName } from '../core/volume-source-validation.ts';
import { counted } from '../strategy.ts';
import { checkDeviceProperty } from './device-requests.ts';
import { checkPoolName } from './device-status.ts';

const maxDevices = 128;
const placements = ['nodeName', 'nodeSelector', 'allNodes', 'perDeviceNodeSelection'] as const;

export type ResourceSlice = t.ResourceSlice;
export const ResourceSlice = defineKind<ResourceSlice>({
  group: 'resource.k8s.io',
  version: 'v1',
  kind: 'ResourceSlice',
  plural: 'resourceslices',
  scope: 'Cluster',
  returnsDeletedObject: true,
  applyDefaults(slice) {
    // A feature that 1.36 leaves off.
    for (const device of slice.spec?.devices ?? []) {
      if (device.nodeAllocatableResourceMappings) delete device.nodeAllocatableResourceMappings;
    }
  },
  ...counted,
  validate: validateSlice,
  validateUpdate({ spec: next }, { spec: previous }) {
    const errors: FieldError[] = [];
    checkImmutable(errors, 'spec.pool.name', next?.pool?.name, previous?.pool?.name);
    checkImmutable(errors, 'spec.driver', next?.driver, previous?.driver);
    checkImmutable(errors, 'spec.nodeName', next?.nodeName, previous?.nodeName);
    return errors;
  },
  fieldRefusal: (field) => `field label not supported for resource.k8s.io/v1, Kind=ResourceSlice: ${field}`,
  selectableFields: {
    'spec.nodeName': (slice) => slice.spec?.nodeName ?? '',
    'spec.driver': (slice) => slice.spec?.driver ?? '',
  },
  columns: [
    nameColumn,
    { name: 'Node', type: 'string', cell: ({ spec }) => spec?.nodeName ?? '' },
    { name: 'Driver', type: 'string', cell: ({ spec }) => spec?.driver ?? '' },
    { name: 'Pool', type: 'string', cell: ({ spec }) => spec?.pool?.name ?? '' },
    ageColumn,
  ],
});

/** kubernetes: pkg/apis/resource/validation/validation.go (ValidateResourceSlice). */
function validateSlice({ spec }: ResourceSlice): FieldError[] {
  const errors: FieldError[] = [];
  if (!spec) return errors;
  checkCsiDriverName(errors, 'spec.driver', spec.driver);
  checkPool(errors, spec.pool);
  if (spec.nodeName === '') errors.push(invalid('spec.nodeName', '', 'must be either unset or set to a non-empty string'));
  const set = placements.filter((field) => spec[field] !== undefined && spec[field] !== false && spec[field] !== '');
  if (set.length !== 1) {
    const detail = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required';
    const names = set.map((field) => `\`${field}\``).join(', ');
    const tooMuch = `${detail}, but multiple fields are set`;
    errors.push(set.length === 0 ? required('spec', detail) : invalid('spec', `{${names}}`, tooMuch));
  }
  for (const field of ['allNodes', 'perDeviceNodeSelection'] as const) {
    if (spec[field] === false) errors.push(invalid(`spec.${field}`, false, 'must be either unset or set to true'));
  }
  if (spec.sharedCounters?.length && spec.devices?.length) {
    errors.push(invalid('spec', '', 'only one of `sharedCounters` or `devices` is allowed'));
  }
  checkText(errors, 'spec.nodeName', spec.nodeName, dns1123Subdomain);
  if (spec.nodeSelector) checkNodeSelector(errors, 'spec.nodeSelector', spec.nodeSelector);
  const devices = spec.devices ?? [];
  if (devices.length > maxDevices) errors.push(tooMany('spec.devices', devices.length, maxDevices));
  const names = new Set<string>();
  devices.forEach((device, i) => {
    const { name } = device;
    checkGiven(errors, `spec.devices[${i}].name`, name ?? '', dns1123Label);
    checkProperties(errors, `spec.devices[${i}]`, device);
    checkPlacement(errors, `spec.devices[${i}]`, device, spec.perDeviceNodeSelection === true);
    checkBinding(errors, `spec.devices[${i}]`, device);
    if (names.has(name)) errors.push(duplicate(`spec.devices[${i}]`, name));
    names.add(name);
  });
  return errors;
}

const deviceText = 'in the ResourceSlice spec';

/** Devices say themselves where they are when the slice does not. */
function checkPlacement(errors: FieldError[], at: string, device: t.Device, perDevice: boolean): void {
  const { nodeName, nodeSelector, allNodes } = device;
  const set = [nodeName, nodeSelector, allNodes].filter((value) => value !== undefined).length;
  if (!perDevice && set > 0) {
    const detail = `\`nodeName\`, \`nodeSelector\` and \`allNodes\` can only be set if \`perDeviceNodeSelection\` is set to true ${deviceText}`;
    errors.push(invalid(at, device, detail));
  }
  if (!perDevice || set === 1) return;
  const detail = `exactly one of \`nodeName\`, \`nodeSelector\`, or \`allNodes\` is required when \`perDeviceNodeSelection\` is set to true ${deviceText}`;
  errors.push(set === 0 ? required(at, detail) : invalid(at, device, detail));
}

/** What must hold before a pod is bound goes together with what makes that hopeless. */
function checkBinding(errors: FieldError[], at: string, device: t.Device): void {
  const { bindingConditions: conditions = [], bindingFailureConditions: failures = [] } = device;
  if (conditions.length > 0 && failures.length === 0) {
    const detail = 'bindingFailureConditions are required to use bindingConditions';
    errors.push(invalid(`${at}.bindingFailureConditions`, device.bindingFailureConditions, detail));
  }
  if (failures.length > 0 && conditions.length === 0) {
    const detail = 'bindingConditions are required to use bindingFailureConditions';
    errors.push(invalid(`${at}.bindingConditions`, device.bindingConditions, detail));
  }
}

const version =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(?:-(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?$/;
const maxValueLength = 64;
const maxProperties = 32;

/** What a device says of itself: each attribute has one value. */
function checkProperties(errors: FieldError[], at: string, { attributes = {}, capacity = {} }: t.Device): void {
  for (const [name, value] of Object.entries(attributes)) {
    const field = keyed(`${at}.attributes`, name);
    checkDeviceProperty(errors, field, name);
    const given = Object.keys(value);
    if (given.length === 0) errors.push(invalid(field, '', 'exactly one value must be specified'));
    else if (given.length !== 1) errors.push(invalid(field, value, 'exactly one value must be specified'));
    for (const kind of ['string', 'version'] as const) {
      if ((value[kind]?.length ?? 0) > maxValueLength) errors.push(tooLong(`${field}.${kind}`, maxValueLength));
    }
    if (value.version !== undefined && !version.test(value.version)) {
      errors.push(invalid(`${field}.version`, value.version, 'must be a string compatible with semver.org spec 2.0.0'));
    }
  }
  for (const name in capacity) checkDeviceProperty(errors, keyed(`${at}.capacity`, name), name);
  const count = Object.keys(attributes).length + Object.keys(capacity).length;
  if (count <= maxProperties) return;
  const detail = `the total number of attributes and capacities must not exceed ${maxProperties}`;
  errors.push(invalid(at, count, detail));
}

function checkPool(errors: FieldError[], pool: t.ResourcePool | undefined): void {
  checkPoolName(errors, 'spec.pool.name', pool?.name);
  const count = pool?.resourceSliceCount ?? 0;
  if (count <= 0) errors.push(invalid('spec.pool.resourceSliceCount', count, 'must be greater than zero'));
  const generation = pool?.generation ?? 0;
  if (generation < 0) errors.push(invalid('spec.pool.generation', generation, 'must be greater than or equal to zero'));
}
