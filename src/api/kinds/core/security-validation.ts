import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { checkEnum, checkRange, maxInt32 } from '../../validation/checks.ts';
import { duplicate, forbidden, invalid, notSupported, required, tooLong } from '../../validation/errors.ts';
import { checkDescendingPath } from '../../validation/paths.ts';
import { checkWindowsOptions } from './os-validation.ts';

const ids: readonly [number, number] = [0, maxInt32];
const profileTypes = ['Localhost', 'RuntimeDefault', 'Unconfined'];
const maxSysctlLength = 253;
const sysctlFormat = '^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$';
const sysctlName = new RegExp(sysctlFormat);
const maxLocalhostProfileBytes = 4095;

/** The security context of a container. `hostUsers`: the pod shares the host's user namespace. */
export function checkSecurityContext(errors: FieldError[], at: string, context: t.SecurityContext, hostUsers: boolean): void {
  checkRange(errors, `${at}.runAsUser`, context.runAsUser, ids);
  checkRange(errors, `${at}.runAsGroup`, context.runAsGroup, ids);
  checkEnum(errors, `${at}.procMount`, context.procMount, ['Default', 'Unmasked']);
  if (hostUsers && context.procMount === 'Unmasked') {
    errors.push(invalid(`${at}.procMount`, context.procMount, '`hostUsers` must be false to use `Unmasked`'));
  }
  checkSeccomp(errors, `${at}.seccompProfile`, context.seccompProfile);
  if (context.allowPrivilegeEscalation === false) checkNoEscalation(errors, at, context);
  if (context.windowsOptions) checkWindowsOptions(errors, `${at}.windowsOptions`, context.windowsOptions);
  checkAppArmor(errors, `${at}.appArmorProfile`, context.appArmorProfile);
}

function checkNoEscalation(errors: FieldError[], at: string, context: t.SecurityContext): void {
  if (context.privileged) {
    errors.push(invalid(at, context, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true'));
  }
  if (context.capabilities?.add?.includes('CAP_SYS_ADMIN')) {
    errors.push(invalid(at, context, 'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN'));
  }
}

/** The security context of a pod, together with the host namespaces it uses. */
export function checkPodSecurityContext(errors: FieldError[], at: string, spec: t.PodSpec): void {
  const context = spec.securityContext;
  if (!context) return;
  checkRange(errors, `${at}.fsGroup`, context.fsGroup, ids);
  checkRange(errors, `${at}.runAsUser`, context.runAsUser, ids);
  checkRange(errors, `${at}.runAsGroup`, context.runAsGroup, ids);
  context.supplementalGroups?.forEach((group, i) => {
    checkRange(errors, `${at}.supplementalGroups[${i}]`, group, ids);
  });
  if (spec.shareProcessNamespace && spec.hostPID) {
    const detail = 'ShareProcessNamespace and HostPID cannot both be enabled';
    errors.push(invalid(`${at}.shareProcessNamespace`, true, detail));
  }
  if (context.sysctls) checkSysctls(errors, `${at}.sysctls`, context.sysctls, spec);
  checkEnum(errors, `${at}.fsGroupChangePolicy`, context.fsGroupChangePolicy, ['Always', 'OnRootMismatch']);
  checkSeccomp(errors, `${at}.seccompProfile`, context.seccompProfile);
  checkAppArmor(errors, `${at}.appArmorProfile`, context.appArmorProfile);
  checkEnum(errors, `${at}.supplementalGroupsPolicy`, context.supplementalGroupsPolicy, ['Merge', 'Strict']);
  checkEnum(errors, `${at}.seLinuxChangePolicy`, context.seLinuxChangePolicy, ['Recursive']);
}

function checkSysctls(errors: FieldError[], field: string, sysctls: t.Sysctl[], spec: t.PodSpec): void {
  const seen = new Set<string>();
  sysctls.forEach(({ name }, i) => {
    const at = `${field}[${i}].name`;
    if (!name) errors.push(required(at));
    else if (name.length > maxSysctlLength || !sysctlName.test(name)) {
      errors.push(invalid(at, name, `must have at most ${maxSysctlLength} characters and match regex ${sysctlFormat}`));
    } else if (seen.has(name)) errors.push(duplicate(at, name));
    seen.add(name);
    const path = name?.replaceAll('/', '.') ?? '';
    if (spec.hostNetwork && path.startsWith('net.')) {
      errors.push(invalid(at, name, "may not be specified when 'hostNetwork' is true"));
    }
    if (spec.hostIPC && /^(kernel\.(shm|msg|sem)|fs\.mqueue\.)/.test(path)) {
      errors.push(invalid(at, name, "may not be specified when 'hostIPC' is true"));
    }
  });
}

function checkSeccomp(errors: FieldError[], at: string, profile: t.SeccompProfile | undefined): void {
  if (!profile) return;
  if (!profile.type) errors.push(required(`${at}.type`, 'type is required when seccompProfile is set'));
  else if (!profileTypes.includes(profile.type)) errors.push(notSupported(`${at}.type`, profile.type, profileTypes));
  const path = profile.localhostProfile;
  if (profile.type !== 'Localhost') {
    if (path !== undefined) {
      errors.push(invalid(`${at}.localhostProfile`, profile, 'can only be set when seccomp type is Localhost'));
    }
  } else if (path === undefined) {
    errors.push(required(`${at}.localhostProfile`, 'must be set when seccomp type is Localhost'));
  } else checkDescendingPath(errors, `${at}.localhostProfile`, path);
}

function checkAppArmor(errors: FieldError[], at: string, profile: t.AppArmorProfile | undefined): void {
  if (!profile) return;
  const { type, localhostProfile: name } = profile;
  const field = `${at}.localhostProfile`;
  if (!type) errors.push(required(`${at}.type`, 'type is required when appArmorProfile is set'));
  else if (!profileTypes.includes(type)) errors.push(notSupported(`${at}.type`, type, profileTypes));
  else if (type !== 'Localhost') {
    if (name !== undefined) errors.push(invalid(field, name, 'can only be set when AppArmor type is Localhost'));
  } else if (!name) errors.push(required(field, 'must be set when AppArmor type is Localhost'));
  else if (name !== name.trim()) errors.push(invalid(field, name, 'must not be padded with whitespace'));
  else if (name.length > maxLocalhostProfileBytes) errors.push(tooLong(field, maxLocalhostProfileBytes));
}

/** A pod with its own user namespace cannot share the host's other namespaces. */
export function checkHostUsers(errors: FieldError[], field: string, spec: t.PodSpec): void {
  if (spec.hostUsers !== false) return;
  const detail = 'when `hostUsers` is false';
  if (spec.hostNetwork) errors.push(forbidden(`${field}.hostNetwork`, detail));
  if (spec.hostPID) errors.push(forbidden(`${field}.HostPID`, detail));
  if (spec.hostIPC) errors.push(forbidden(`${field}.HostIPC`, detail));
  for (const list of ['initContainers', 'containers', 'ephemeralContainers'] as const) {
    spec[list]?.forEach((container, i) => {
      if (container.volumeDevices?.length) errors.push(forbidden(`${field}.${list}[${i}].volumeDevices`, detail));
    });
  }
}
