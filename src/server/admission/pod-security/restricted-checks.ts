import type { Volume } from '../../../api/generated/types.ts';
import { procMount, seccompProfile } from './baseline-checks.ts';
import type { Check } from './check.ts';
import { containerNames, failing, type PodView, plural, quoted, setters, sortedSet, type Violation } from './pod-view.ts';

const harmlessVolumes = new Set([
  ...['configMap', 'csi', 'downwardAPI', 'emptyDir', 'ephemeral', 'image', 'persistentVolumeClaim', 'projected', 'secret'],
]);

/** Windows knows none of these settings; since 1.25 its pods need not make them. */
const isWindows = ({ spec }: PodView, minor: number): boolean => minor >= 25 && spec.os?.name === 'windows';
/** Root in a user namespace is nobody outside. */
const hasOwnUsers = ({ spec }: PodView, minor: number): boolean => minor >= 35 && spec.hostUsers === false;

/** What the restricted standard demands besides baseline: current hardening practice. By id. */
export const restrictedChecks: readonly Check[] = [
  { id: 'allowPrivilegeEscalation', since: 8, run: allowPrivilegeEscalation },
  { id: 'capabilities_restricted', since: 22, replaces: 'capabilities_baseline', run: capabilities },
  { id: 'procMount_restricted', since: 35, replaces: 'procMount', run: procMount },
  { id: 'restrictedVolumes', since: 0, replaces: 'hostPathVolumes', run: restrictedVolumes },
  { id: 'runAsNonRoot', since: 0, run: runAsNonRoot },
  { id: 'runAsUser', since: 23, run: runAsUser },
  { id: 'seccompProfile_restricted', since: 19, replaces: 'seccompProfile_baseline', run: seccompRequired },
];

function allowPrivilegeEscalation(pod: PodView, minor: number): Violation | undefined {
  if (isWindows(pod, minor)) return undefined;
  const names = failing(pod, (context) => context?.allowPrivilegeEscalation !== false);
  if (names.length === 0) return undefined;
  const detail = `${containerNames(names)} must set securityContext.allowPrivilegeEscalation=false`;
  return { reason: 'allowPrivilegeEscalation != false', detail };
}

function capabilities(pod: PodView, minor: number): Violation | undefined {
  if (isWindows(pod, minor)) return undefined;
  const keeping = failing(pod, (context) => !context?.capabilities?.drop?.includes('ALL'));
  const added: string[] = [];
  const adding = failing(pod, (context) => {
    const bad = (context?.capabilities?.add ?? []).filter((c) => c !== 'NET_BIND_SERVICE');
    added.push(...bad);
    return bad.length > 0;
  });
  const details: string[] = [];
  if (keeping.length > 0) details.push(`${containerNames(keeping)} must set securityContext.capabilities.drop=["ALL"]`);
  if (adding.length > 0)
    details.push(`${containerNames(adding)} must not include ${quoted(sortedSet(added))} in securityContext.capabilities.add`);
  return details.length > 0 ? { reason: 'unrestricted capabilities', detail: details.join('; ') } : undefined;
}

function restrictedVolumes({ spec }: PodView): Violation | undefined {
  const bad = (spec.volumes ?? []).filter((volume) => !harmlessVolumes.has(volumeType(volume)));
  if (bad.length === 0) return undefined;
  const types = sortedSet(bad.map(volumeType));
  const names = bad.map((volume) => volume.name);
  const verb = names.length === 1 ? 'uses' : 'use';
  const detail = `${plural('volume', names.length)} ${quoted(names)} ${verb} ${plural('restricted volume type', types.length)} ${quoted(types)}`;
  return { reason: 'restricted volume types', detail };
}

const volumeType = (volume: Volume): string => Object.keys(volume).find((field) => field !== 'name') ?? 'unknown';

function runAsNonRoot(pod: PodView, minor: number): Violation | undefined {
  if (hasOwnUsers(pod, minor)) return undefined;
  const reason = 'runAsNonRoot != true';
  const explicit = setters(pod, (context) => (context.runAsNonRoot === false ? ['false'] : []));
  if (explicit) return { reason, detail: `${explicit.who} must not set securityContext.runAsNonRoot=false` };
  if (pod.spec.securityContext?.runAsNonRoot) return undefined;
  const silent = failing(pod, (context) => context?.runAsNonRoot === undefined);
  if (silent.length === 0) return undefined;
  return { reason, detail: `pod or ${containerNames(silent)} must set securityContext.runAsNonRoot=true` };
}

function runAsUser(pod: PodView, minor: number): Violation | undefined {
  if (hasOwnUsers(pod, minor)) return undefined;
  const found = setters(pod, (context) => (context.runAsUser === 0 ? ['0'] : []));
  return found ? { reason: 'runAsUser=0', detail: `${found.who} must not set runAsUser=0` } : undefined;
}

function seccompRequired(pod: PodView, minor: number): Violation | undefined {
  if (isWindows(pod, minor)) return undefined;
  const bad = seccompProfile(pod);
  if (bad || pod.spec.securityContext?.seccompProfile) return bad;
  const silent = failing(pod, (context) => context?.seccompProfile === undefined);
  if (silent.length === 0) return undefined;
  const detail = `pod or ${containerNames(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`;
  return { reason: 'seccompProfile', detail };
}
