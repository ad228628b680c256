import type * as t from '../../generated/types.ts';
import { semanticEqual } from '../../validation/equal.ts';

/** Before there was a field, an annotation per container named its profile. */
export const appArmorPrefix = 'container.apparmor.security.beta.kubernetes.io/';
export const appArmorAdvice = 'deprecated since v1.30; use the "appArmorProfile" field instead';
const localhostPrefix = 'localhost/';

/** Fills the fields of containers from annotations that say something else than the pod. kubernetes: applyAppArmorVersionSkew. */
export function readAppArmorAnnotations({ metadata, spec }: t.Pod, warn?: (message: string) => void): void {
  const { annotations } = metadata;
  if (!annotations || spec.os?.name === 'windows') return;
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    const key = `${appArmorPrefix}${container.name}`;
    const profile = annotatedProfile(annotations[key]);
    if (!profile || container.securityContext?.appArmorProfile) continue;
    if (semanticEqual(profile, spec.securityContext?.appArmorProfile)) continue;
    (container.securityContext ??= {}).appArmorProfile = profile;
    warn?.(`metadata.annotations[${key}]: ${appArmorAdvice}`);
  }
}

/** The profile an annotation names; undefined when it names none. */
export function annotatedProfile(value = ''): t.AppArmorProfile | undefined {
  if (value === 'unconfined') return { type: 'Unconfined' };
  if (value === 'runtime/default') return { type: 'RuntimeDefault' };
  const localhostProfile = value.startsWith(localhostPrefix) ? value.slice(localhostPrefix.length) : '';
  return localhostProfile ? { type: 'Localhost', localhostProfile } : undefined;
}
