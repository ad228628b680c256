import type * as t from '../../generated/types.ts';
import { warnOfFraction } from '../../validation/warnings.ts';

const gone = (deprecated: string, removed: string): string => `deprecated in v${deprecated}, non-functional in v${removed}+`;

/** Sources of volumes that work no more; `claims` is what PersistentVolumes are warned of, too. */
const retired: readonly { source: keyof t.Volume; field?: string; fate: string; isClaimed: boolean }[] = [
  { source: 'photonPersistentDisk', fate: gone('1.11', '1.16'), isClaimed: true },
  { source: 'gitRepo', fate: 'deprecated in v1.11, and disabled by default in v1.33+', isClaimed: false },
  { source: 'scaleIO', fate: gone('1.16', '1.22'), isClaimed: true },
  { source: 'flocker', fate: gone('1.22', '1.25'), isClaimed: false },
  { source: 'storageos', field: 'storageOS', fate: gone('1.22', '1.25'), isClaimed: true },
  { source: 'quobyte', fate: gone('1.22', '1.25'), isClaimed: false },
  { source: 'glusterfs', fate: gone('1.25', '1.26'), isClaimed: true },
  { source: 'cephfs', fate: gone('1.28', '1.31'), isClaimed: true },
  { source: 'rbd', fate: gone('1.28', '1.31'), isClaimed: true },
];

/** Sources of a PersistentVolume that work no more. */
export function warnOfRetiredSource(warnings: string[], at: string, spec: t.PersistentVolumeSpec | undefined): void {
  for (const { source, field = source, fate, isClaimed } of retired) {
    if (isClaimed && spec?.[source as keyof t.PersistentVolumeSpec]) warnings.push(`${at}.${field}: ${fate}`);
  }
}

/** The volumes of a pod: retired sources, fractions of bytes, files that hide each other. */
export function warnOfVolumes(warnings: string[], field: string, volumes: readonly t.Volume[]): void {
  volumes.forEach((volume, i) => {
    const at = `${field}[${i}]`;
    for (const { source, field: name = source, fate } of retired) {
      if (volume[source]) warnings.push(`${at}.${name}: ${fate}`);
    }
    const template = volume.ephemeral?.volumeClaimTemplate;
    if (template) warnOfClaimSpec(warnings, `${at}.ephemeral.volumeClaimTemplate.spec`, template.spec);
  });
  for (const volume of volumes) warnOfFiles(warnings, volume);
}

export function warnOfClaimSpec(warnings: string[], at: string, spec: t.PersistentVolumeClaimSpec | undefined): void {
  warnOfFraction(warnings, `${at}.resources.requests`, spec?.resources?.requests, ['storage']);
  warnOfFraction(warnings, `${at}.resources.limits`, spec?.resources?.limits, ['storage']);
}

interface File {
  readonly path: string;
  /** What brings it, in a volume of several sources. */
  readonly from?: string;
}

type Items = readonly { path: string }[] | undefined;

const filesOf = (items: Items, from?: string): File[] =>
  (items ?? []).map(({ path }) => ({ path, ...(from === undefined ? {} : { from }) }));

function warnOfFiles(warnings: string[], { name, configMap, secret, downwardAPI, projected }: t.Volume): void {
  const say = (what: string, files: readonly File[]): void => {
    for (const overlap of overlaps(files)) warnings.push(`volume "${name}" (${what}): overlapping paths: ${overlap}`);
  };
  if (configMap?.items) say(`ConfigMap "${configMap.name ?? ''}"`, filesOf(configMap.items));
  if (secret?.items) say(`Secret "${secret.secretName ?? ''}"`, filesOf(secret.items));
  if (downwardAPI?.items) say('DownwardAPI', filesOf(downwardAPI.items));
  for (const source of projected?.sources ?? []) {
    if (Object.keys(source).length === 0) warnings.push(`volume "${name}" (Projected) has no sources provided`);
  }
  say('Projected', (projected?.sources ?? []).flatMap(projectedFiles));
}

function projectedFiles(source: t.VolumeProjection): File[] {
  const { configMap, secret, downwardAPI, serviceAccountToken } = source;
  if (configMap?.items) return filesOf(configMap.items, `ConfigMap "${configMap.name ?? ''}"`);
  if (secret?.items) return filesOf(secret.items, `Secret "${secret.name ?? ''}"`);
  if (downwardAPI?.items) return filesOf(downwardAPI.items, 'DownwardAPI');
  return serviceAccountToken ? [{ path: serviceAccountToken.path, from: 'ServiceAccountToken' }] : [];
}

/** By hand: an expression would try every run of slashes from each of its slashes. */
function withoutSlashesAtEnd(path: string): string {
  let end = path.length;
  while (path[end - 1] === '/') end--;
  return path.slice(0, end);
}

/** Files that are the same, or of which one is in the folder that the other is. */
function overlaps(files: readonly File[]): string[] {
  const text = ({ path, from }: File): string => JSON.stringify(path) + (from === undefined ? '' : ` (${from})`);
  const trimmed = files.map(({ path, ...rest }) => ({ path: withoutSlashesAtEnd(path ?? ''), ...rest }));
  return trimmed.flatMap((file, i) =>
    trimmed
      .slice(0, i)
      .filter(
        ({ path }) => path && file.path && (`${path}/`.startsWith(`${file.path}/`) || `${file.path}/`.startsWith(`${path}/`)),
      )
      .map((other) => `${text(file)} with ${text(other)}`),
  );
}
