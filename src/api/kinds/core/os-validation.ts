import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { checkGiven } from '../../validation/checks.ts';
import { forbidden, invalid, notSupported, required } from '../../validation/errors.ts';
import { dns1123Subdomain } from '../../validation/names.ts';

const podSettings = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'fsGroup',
  'fsGroupChangePolicy',
  'sysctls',
  'runAsUser',
  'runAsGroup',
  'supplementalGroups',
  'supplementalGroupsPolicy',
  'seLinuxChangePolicy',
] as const;
const containerSettings = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
] as const;
const notForWindows = 'cannot be set for a windows pod';
const notForLinux = 'windows options cannot be set for a linux pod';

/** Settings of the other operating system, and those of Windows. kubernetes: validateOS, validateLinux, validateWindows. */
export function checkOs(errors: FieldError[], field: string, spec: t.PodSpec): void {
  checkHostProcess(errors, field, spec);
  const options = spec.securityContext?.windowsOptions;
  if (options) checkWindowsOptions(errors, `${field}.securityContext.windowsOptions`, options);
  if (!spec.os) return;
  const { name } = spec.os;
  if (!name) errors.push(required(`${field}.os.name`));
  else if (name === 'linux') checkLinux(errors, field, spec);
  else if (name === 'windows') checkWindows(errors, field, spec);
  else errors.push(notSupported(`${field}.os`, name, ['linux', 'windows']));
}

function* contextsOf(field: string, spec: t.PodSpec): Generator<{ at: string; context: t.SecurityContext }> {
  for (const list of ['initContainers', 'containers', 'ephemeralContainers'] as const) {
    for (const [i, { securityContext }] of (spec[list] ?? []).entries()) {
      yield { at: `${field}.${list}[${i}].securityContext`, context: securityContext ?? {} };
    }
  }
}

function checkLinux(errors: FieldError[], field: string, spec: t.PodSpec): void {
  if (spec.securityContext?.windowsOptions) errors.push(forbidden(`${field}.securityContext.windowsOptions`, notForLinux));
  for (const { at, context } of contextsOf(field, spec)) {
    if (context.windowsOptions) errors.push(forbidden(`${at}.windowsOptions`, notForLinux));
  }
}

function checkWindows(errors: FieldError[], field: string, spec: t.PodSpec): void {
  const isSet = (value: unknown): boolean =>
    value !== undefined && value !== null && !(Array.isArray(value) && value.length === 0);
  for (const setting of podSettings) {
    const value = spec.securityContext?.[setting];
    if (isSet(value)) errors.push(forbidden(`${field}.securityContext.${setting}`, notForWindows));
  }
  if (isSet(spec.hostUsers)) errors.push(forbidden(`${field}.hostUsers`, notForWindows));
  if (spec.hostPID) errors.push(forbidden(`${field}.hostPID`, notForWindows));
  if (spec.hostIPC) errors.push(forbidden(`${field}.hostIPC`, notForWindows));
  if (isSet(spec.shareProcessNamespace)) errors.push(forbidden(`${field}.shareProcessNamespace`, notForWindows));
  for (const { at, context } of contextsOf(field, spec)) {
    for (const setting of containerSettings) {
      if (isSet(context[setting])) errors.push(forbidden(`${at}.${setting}`, notForWindows));
    }
  }
}

/** Containers that run on the host do so all together, on its network. */
function checkHostProcess(errors: FieldError[], field: string, spec: t.PodSpec): void {
  const wanted = spec.securityContext?.windowsOptions?.hostProcess;
  let all = 0;
  let onHost = 0;
  for (const { at, context } of contextsOf(field, spec)) {
    const own = context.windowsOptions?.hostProcess;
    all++;
    if (own ?? wanted) onHost++;
    if (own === undefined || wanted === undefined || own === wanted) continue;
    const detail = `pod hostProcess value must be identical if both are specified, was ${wanted}`;
    errors.push(invalid(`${at}.windowsOptions.hostProcess`, own, detail));
  }
  if (onHost === 0) return;
  if (onHost < all) {
    const detail = 'If pod contains any hostProcess containers then all containers must be HostProcess containers';
    errors.push(invalid(field, '', detail));
  }
  if (spec.hostNetwork) return;
  errors.push(invalid(`${field}.hostNetwork`, false, 'hostNetwork must be true if pod contains any hostProcess containers'));
}

const maxUserLength = 104;
const badUserCharacters = /["/\\:;|=,+*?<>@[\]]/;

/** Of a pod or a container. */
export function checkWindowsOptions(errors: FieldError[], at: string, options: t.WindowsSecurityContextOptions): void {
  const { gmsaCredentialSpecName, gmsaCredentialSpec, runAsUserName: account } = options;
  checkGiven(errors, `${at}.gmsaCredentialSpecName`, gmsaCredentialSpecName, dns1123Subdomain);
  if (gmsaCredentialSpec === '') {
    errors.push(invalid(`${at}.gmsaCredentialSpec`, '', 'gmsaCredentialSpec cannot be an empty string'));
  }
  if (account === undefined) return;
  const problem = (detail: string): void => {
    errors.push(invalid(`${at}.runAsUserName`, account, `runAsUserName${detail}`));
  };
  const parts = account.split('\\');
  if (account === '') problem(' cannot be an empty string');
  else if (parts.length > 2) problem(' cannot contain more than one backslash');
  else {
    const user = parts.at(-1) ?? '';
    if (user === '') problem("'s User cannot be empty");
    else if (user.length > maxUserLength) problem(`'s User length must not be longer than ${maxUserLength} characters`);
    if (/^[. ]+$/.test(user)) problem("'s User cannot contain only periods or spaces");
    if (badUserCharacters.test(user)) problem('\'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]');
  }
}
