import type { LifecycleHandler, Probe, SELinuxOptions } from '../../../api/generated/types.ts';
import { lookup } from '../../../lib/lookup.ts';
import type { Check } from './check.ts';
import {
  containerNames,
  containersOf,
  failing,
  type PodView,
  plural,
  quoted,
  setters,
  sortedSet,
  type Violation,
} from './pod-view.ts';

const appArmorAnnotation = 'container.apparmor.security.beta.kubernetes.io/';

const defaultCapabilities = new Set([
  ...['AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'MKNOD', 'NET_BIND_SERVICE'],
  ...['SETFCAP', 'SETGID', 'SETPCAP', 'SETUID', 'SYS_CHROOT'],
]);

/** Harmless sysctls, and the minor version since which they count as such. */
const safeSysctls: Readonly<Record<string, number>> = lookup({
  'kernel.shm_rmid_forced': 0,
  'net.ipv4.ip_local_port_range': 0,
  'net.ipv4.tcp_syncookies': 0,
  'net.ipv4.ping_group_range': 0,
  'net.ipv4.ip_unprivileged_port_start': 0,
  'net.ipv4.ip_local_reserved_ports': 27,
  'net.ipv4.tcp_keepalive_time': 29,
  'net.ipv4.tcp_fin_timeout': 29,
  'net.ipv4.tcp_keepalive_intvl': 29,
  'net.ipv4.tcp_keepalive_probes': 29,
  'net.ipv4.tcp_rmem': 32,
  'net.ipv4.tcp_wmem': 32,
});

/** The baseline standard: no known way to take over the node. In the order in which upstream reports (by id). */
export const baselineChecks: readonly Check[] = [
  { id: 'appArmorProfile', since: 0, run: appArmorProfile },
  { id: 'capabilities_baseline', since: 0, run: capabilities },
  { id: 'hostNamespaces', since: 0, run: hostNamespaces },
  { id: 'hostPathVolumes', since: 0, run: hostPathVolumes },
  { id: 'hostPorts', since: 0, run: hostPorts },
  { id: 'hostProbesAndHostLifecycle', since: 34, run: probeHosts },
  { id: 'privileged', since: 0, run: privileged },
  { id: 'procMount', since: 0, run: (pod, minor) => (minor >= 35 && pod.spec.hostUsers === false ? undefined : procMount(pod)) },
  { id: 'seLinuxOptions', since: 0, run: seLinuxOptions },
  { id: 'seccompProfile_baseline', since: 0, run: (pod, minor) => (minor < 19 ? seccompAnnotations(pod) : seccompProfile(pod)) },
  { id: 'sysctls', since: 0, run: sysctls },
  { id: 'windowsHostProcess', since: 0, run: windowsHostProcess },
];

function appArmorProfile(pod: PodView): Violation | undefined {
  const found = setters(pod, ({ appArmorProfile: profile }) =>
    profile && profile.type !== 'RuntimeDefault' && profile.type !== 'Localhost' ? [profile.type] : [],
  );
  const annotations = Object.entries(pod.metadata.annotations ?? {})
    .filter(([key, value]) => key.startsWith(appArmorAnnotation) && !/^$|^runtime\/default$|^localhost\//.test(value))
    .map(([key, value]) => `${key}="${value}"`)
    .sort();
  const who = [...(found ? [found.who] : []), ...(annotations.length > 0 ? [plural('annotation', annotations.length)] : [])];
  if (who.length === 0) return undefined;
  const values = [...(found?.values ?? []), ...annotations];
  return {
    reason: `forbidden AppArmor ${plural('profile', values.length)}`,
    detail: `${who.join(' and ')} must not set AppArmor profile type to ${quoted(values)}`,
  };
}

function capabilities(pod: PodView): Violation | undefined {
  const added: string[] = [];
  const names = failing(pod, (context) => {
    const bad = (context?.capabilities?.add ?? []).filter((c) => !defaultCapabilities.has(c));
    added.push(...bad);
    return bad.length > 0;
  });
  if (names.length === 0) return undefined;
  const detail = `${containerNames(names)} must not include ${quoted(sortedSet(added))} in securityContext.capabilities.add`;
  return { reason: 'non-default capabilities', detail };
}

function hostNamespaces({ spec }: PodView): Violation | undefined {
  const used = (['hostNetwork', 'hostPID', 'hostIPC'] as const).filter((field) => spec[field]).map((field) => `${field}=true`);
  return used.length > 0 ? { reason: 'host namespaces', detail: used.join(', ') } : undefined;
}

function hostPathVolumes({ spec }: PodView): Violation | undefined {
  const names = (spec.volumes ?? []).filter((volume) => volume.hostPath).map((volume) => volume.name);
  if (names.length === 0) return undefined;
  return { reason: 'hostPath volumes', detail: `${plural('volume', names.length)} ${quoted(names)}` };
}

function hostPorts(pod: PodView): Violation | undefined {
  const ports: string[] = [];
  const names: string[] = [];
  for (const container of containersOf(pod)) {
    const used = (container.ports ?? []).filter((p) => p.hostPort).map((p) => String(p.hostPort));
    if (used.length > 0) names.push(container.name);
    ports.push(...used);
  }
  if (names.length === 0) return undefined;
  const used = sortedSet(ports);
  const verb = names.length === 1 ? 'uses' : 'use';
  return { reason: 'hostPort', detail: `${containerNames(names)} ${verb} ${plural('hostPort', used.length)} ${used.join(', ')}` };
}

function probeHosts(pod: PodView): Violation | undefined {
  const hostsOf = (handler: Probe | LifecycleHandler | undefined): string[] =>
    [handler?.httpGet?.host, handler?.tcpSocket?.host].filter((host): host is string => Boolean(host));
  const hosts: string[] = [];
  const names: string[] = [];
  for (const container of containersOf(pod)) {
    const { livenessProbe, readinessProbe, startupProbe, lifecycle } = container;
    const found = [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop].flatMap(hostsOf);
    if (found.length > 0) names.push(container.name);
    hosts.push(...found);
  }
  if (names.length === 0) return undefined;
  const containers = sortedSet(names);
  const values = sortedSet(hosts);
  const reason = 'probe or lifecycle host';
  const verb = containers.length === 1 ? 'uses' : 'use';
  return { reason, detail: `${containerNames(containers)} ${verb} ${plural(reason, values.length)} ${quoted(values)}` };
}

function privileged(pod: PodView): Violation | undefined {
  const names = failing(pod, (context) => context?.privileged === true);
  if (names.length === 0) return undefined;
  return { reason: 'privileged', detail: `${containerNames(names)} must not set securityContext.privileged=true` };
}

/** Also a check of the restricted standard, where user namespaces excuse nothing. */
export function procMount(pod: PodView): Violation | undefined {
  const types: string[] = [];
  const names = failing(pod, (context) => {
    const bad = context?.procMount !== undefined && context.procMount !== 'Default';
    if (bad) types.push(context.procMount!);
    return bad;
  });
  if (names.length === 0) return undefined;
  return {
    reason: 'procMount',
    detail: `${containerNames(names)} must not set securityContext.procMount to ${quoted(sortedSet(types))}`,
  };
}

function seLinuxOptions(pod: PodView, minor: number): Violation | undefined {
  const allowed = ['', 'container_t', 'container_init_t', 'container_kvm_t', ...(minor >= 31 ? ['container_engine_t'] : [])];
  const badParts = ({ type = '', user, role }: SELinuxOptions): string[] => [
    ...(allowed.includes(type) ? [] : [`type:${type}`]),
    ...(user ? ['user'] : []),
    ...(role ? ['role'] : []),
  ];
  const found = setters(pod, (context) => (context.seLinuxOptions ? badParts(context.seLinuxOptions) : []));
  if (!found) return undefined;
  const types = found.values.filter((v) => v.startsWith('type:')).map((v) => v.slice('type:'.length));
  const data = [
    ...(types.length > 0 ? [`${plural('type', types.length)} ${quoted(types)}`] : []),
    ...(found.values.includes('user') ? ['user may not be set'] : []),
    ...(found.values.includes('role') ? ['role may not be set'] : []),
  ];
  return { reason: 'seLinuxOptions', detail: `${found.who} set forbidden securityContext.seLinuxOptions: ${data.join('; ')}` };
}

/** Bad values only; the restricted standard also demands one. */
export function seccompProfile(pod: PodView): Violation | undefined {
  const found = setters(pod, ({ seccompProfile: profile }) =>
    profile && profile.type !== 'RuntimeDefault' && profile.type !== 'Localhost' ? [profile.type] : [],
  );
  if (!found) return undefined;
  const detail = `${found.who} must not set securityContext.seccompProfile.type to ${quoted(found.values)}`;
  return { reason: 'seccompProfile', detail };
}

/** Before there was a field for it. */
function seccompAnnotations(pod: PodView): Violation | undefined {
  const keys = ['pod', ...containersOf(pod).map(({ name }) => name)].map((name, i) => `${seccompAnnotation(i)}${name}`);
  const bad = sortedSet(
    keys.flatMap((key) => {
      const value = pod.metadata.annotations?.[key];
      return value === undefined || /^runtime\/default$|^docker\/default$|^localhost\//.test(value) ? [] : [`${key}="${value}"`];
    }),
  );
  if (bad.length === 0) return undefined;
  return { reason: 'seccompProfile', detail: `forbidden ${plural('annotation', bad.length)} ${bad.join(', ')}` };
}

/** The first key is that of the pod. */
const seccompAnnotation = (i: number): string => `${i === 0 ? '' : 'container.'}seccomp.security.alpha.kubernetes.io/`;

function sysctls({ spec }: PodView, minor: number): Violation | undefined {
  const names = (spec.securityContext?.sysctls ?? []).map((s) => s.name);
  const bad = names.filter((name) => !Object.hasOwn(safeSysctls, name) || safeSysctls[name]! > minor);
  return bad.length > 0 ? { reason: 'forbidden sysctls', detail: bad.join(', ') } : undefined;
}

function windowsHostProcess(pod: PodView): Violation | undefined {
  const found = setters(pod, (context) => (context.windowsOptions?.hostProcess === true ? ['true'] : []));
  if (!found) return undefined;
  return { reason: 'hostProcess', detail: `${found.who} must not set securityContext.windowsOptions.hostProcess=true` };
}
