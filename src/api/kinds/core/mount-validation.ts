import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { checkEnum } from '../../validation/checks.ts';
import { forbidden, invalid, notFound, required } from '../../validation/errors.ts';
import { checkDescendingPath } from '../../validation/paths.ts';

const propagations = ['Bidirectional', 'HostToContainer', 'None'];
const recursiveModes = ['Disabled', 'Enabled', 'IfPossible'];

type Container = Pick<t.Container, 'volumeMounts' | 'volumeDevices' | 'securityContext'>;
type Volumes = ReadonlyMap<string, t.Volume>;

/** Mounts and block devices of a container against the volumes of its pod. */
export function checkMounts(errors: FieldError[], at: string, container: Container, volumes: Volumes): void {
  const { volumeMounts = [], volumeDevices = [] } = container;
  const paths = new Set<string>();
  for (let i = 0; i < volumeMounts.length; i++) {
    const mount = volumeMounts[i]!;
    checkMount(errors, `${at}.volumeMounts`, i, mount, volumes);
    if (paths.has(mount.mountPath)) {
      errors.push(invalid(`${at}.volumeMounts[${i}].mountPath`, mount.mountPath, 'must be unique'));
    }
    paths.add(mount.mountPath);
    checkPropagation(errors, `${at}.volumeMounts.mountPropagation`, mount, container);
  }
  if (volumeDevices.length > 0) checkDevices(errors, at, container, volumes);
}

function checkMount(errors: FieldError[], field: string, i: number, mount: t.VolumeMount, volumes: Volumes): void {
  const at = `${field}[${i}]`;
  if (!mount.name) errors.push(required(`${at}.name`));
  if (!volumes.has(mount.name)) errors.push(notFound(`${at}.name`, mount.name ?? ''));
  if (!mount.mountPath) errors.push(required(`${at}.mountPath`));
  if (mount.subPath) checkDescendingPath(errors, `${field}.subPath`, mount.subPath);
  if (mount.subPathExpr) {
    if (mount.subPath) {
      errors.push(invalid(`${at}.subPathExpr`, mount.subPathExpr, 'subPathExpr and subPath are mutually exclusive'));
    }
    checkDescendingPath(errors, `${field}.subPathExpr`, mount.subPathExpr);
  }
  checkRecursive(errors, `${field}.recursiveReadOnly`, mount);
}

function checkPropagation(errors: FieldError[], field: string, mount: t.VolumeMount, container: Container): void {
  checkEnum(errors, field, mount.mountPropagation, propagations);
  if (mount.mountPropagation === 'Bidirectional' && !container.securityContext?.privileged) {
    errors.push(forbidden(field, 'Bidirectional mount propagation is available only to privileged containers'));
  }
}

function checkRecursive(errors: FieldError[], field: string, mount: t.VolumeMount): void {
  const mode = mount.recursiveReadOnly;
  if (mode === undefined || mode === null) return;
  checkEnum(errors, field, mode, recursiveModes);
  if (mode !== 'Enabled' && mode !== 'IfPossible') return;
  if (!mount.readOnly) errors.push(forbidden(field, 'may only be specified when readOnly is true'));
  if (mount.mountPropagation && mount.mountPropagation !== 'None') {
    errors.push(forbidden(field, 'may only be specified when mountPropagation is None or not specified'));
  }
}

function checkDevices(errors: FieldError[], at: string, container: Container, volumes: Volumes): void {
  const { volumeMounts = [], volumeDevices = [] } = container;
  const names = new Set<string>();
  const paths = new Set<string>();
  volumeDevices.forEach((device, i) => {
    const field = `${at}.volumeDevices[${i}]`;
    const volume = volumes.get(device.name);
    if (!device.name) errors.push(required(`${field}.name`));
    if (!volume) errors.push(notFound(`${field}.name`, device.name ?? ''));
    else if (!volume.persistentVolumeClaim && !volume.ephemeral) {
      const detail = 'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode';
      errors.push(invalid(`${field}.name`, device.name, detail));
    }
    if (names.has(device.name)) errors.push(invalid(`${field}.name`, device.name, 'must be unique'));
    if (!device.devicePath) errors.push(required(`${field}.devicePath`));
    else if (paths.has(device.devicePath)) errors.push(invalid(`${field}.devicePath`, device.devicePath, 'must be unique'));
    if (device.devicePath?.split('/').includes('..')) {
      errors.push(invalid(`${field}.devicePath`, device.devicePath, "can not contain backsteps ('..')"));
    }
    if (volumeMounts.some((m) => m.name === device.name)) {
      errors.push(invalid(`${field}.name`, device.name, 'must not already exist in volumeMounts'));
    }
    if (volumeMounts.some((m) => m.mountPath === device.devicePath)) {
      errors.push(invalid(`${field}.devicePath`, device.devicePath, 'must not already exist as a path in volumeMounts'));
    }
    names.add(device.name);
    paths.add(device.devicePath);
  });
}
