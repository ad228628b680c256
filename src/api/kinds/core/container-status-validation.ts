import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { checkEnum, checkRange, maxInt32 } from '../../validation/checks.ts';
import { duplicate, forbidden, invalid } from '../../validation/errors.ts';

interface ContainerContext {
  readonly spec: t.PodSpec;
  readonly container: t.Container | undefined;
  readonly isEphemeral: boolean;
}

/** What a node says of one container: as whom it runs, and how the devices do that were given to it. */
export function checkContainerStatus(
  errors: FieldError[],
  at: string,
  status: t.ContainerStatus,
  context: ContainerContext,
): void {
  if (status.user?.linux) checkUser(errors, `${at}.user.linux`, status.user.linux, context.spec);
  const devices = status.allocatedResourcesStatus;
  if (!devices?.length) return;
  if (context.isEphemeral) {
    errors.push(forbidden(`${at}.allocatedResourcesStatus`, 'must not be specified in container status'));
    return;
  }
  devices.forEach((device, i) => {
    checkDevice(errors, `${at}.allocatedResourcesStatus[${i}]`, device, context.container);
  });
}

function checkUser(errors: FieldError[], at: string, user: t.LinuxContainerUser, spec: t.PodSpec): void {
  if (spec.os?.name === 'windows') {
    errors.push(forbidden(at, 'cannot be set for a windows pod'));
    return;
  }
  checkRange(errors, `${at}.uid`, user.uid ?? 0, [0, maxInt32]);
  checkRange(errors, `${at}.gid`, user.gid ?? 0, [0, maxInt32]);
  user.supplementalGroups?.forEach((gid, i) => {
    checkRange(errors, `${at}.supplementalGroups[${i}]`, gid, [0, maxInt32]);
  });
}

function checkDevice(errors: FieldError[], at: string, device: t.ResourceStatus, container: t.Container | undefined): void {
  const { name = '' } = device;
  if (container && !isAskedFor(container, name)) {
    const detail = name.startsWith('claim:')
      ? "must match one of the container's resource claims in a format 'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty"
      : "must match one of the container's resource requests";
    errors.push(invalid(`${at}.name`, name, detail));
  }
  const seen = new Set<string>();
  device.resources?.forEach(({ resourceID, health }, i) => {
    checkEnum(errors, `${at}.resources[${i}].health`, health ?? '', ['Healthy', 'Unhealthy', 'Unknown']);
    if (seen.has(resourceID)) errors.push(duplicate(`${at}.resources[${i}].resourceID`, resourceID));
    seen.add(resourceID);
  });
}

function isAskedFor({ resources }: t.Container, name: string): boolean {
  if (!name.startsWith('claim:')) return resources?.requests?.[name] !== undefined;
  return resources?.claims?.some((c) => `claim:${c.name}${c.request ? `/${c.request}` : ''}` === name) ?? false;
}
