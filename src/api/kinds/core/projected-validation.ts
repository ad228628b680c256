import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { forbidden, invalid, required } from '../../validation/errors.ts';
import { checkFileMode, checkVolumeFilePath } from '../../validation/paths.ts';
import { checkDownwardFile, checkKeyToPath } from './volume-file-validation.ts';

const minTokenSeconds = 600;
const maxTokenSeconds = 2 ** 32;

/** A projected volume: sources of files, none of which may collide. */
export function checkProjected(errors: FieldError[], at: string, projected: t.ProjectedVolumeSource): void {
  checkFileMode(errors, `${at}.defaultMode`, projected.defaultMode);
  const paths = new Set<string>();
  const claim = (path: string | undefined, shown: unknown = path): void => {
    if (!path) return;
    if (paths.has(path)) errors.push(invalid(at, shown, 'conflicting duplicate paths'));
    paths.add(path);
  };
  projected.sources?.forEach((source, i) => {
    checkProjection(errors, `${at}.sources[${i}]`, source, claim);
  });
}

type Claim = (path: string | undefined, shown?: unknown) => void;

function checkProjection(errors: FieldError[], at: string, source: t.VolumeProjection, claim: Claim): void {
  for (const kind of ['secret', 'configMap'] as const) {
    const projection = source[kind];
    if (!projection) continue;
    if (!projection.name) errors.push(required(`${at}.${kind}.name`));
    projection.items?.forEach((item, i) => {
      checkKeyToPath(errors, `${at}.${kind}.items[${i}]`, item);
      claim(item.path, projection.name);
    });
  }
  for (const file of source.downwardAPI?.items ?? []) {
    checkDownwardFile(errors, `${at}.downwardAPI`, file);
    claim(file.path);
  }
  if (source.serviceAccountToken) checkToken(errors, at, source.serviceAccountToken);
  if (Object.values(source).filter(Boolean).length > 1) {
    errors.push(forbidden(at, 'may not specify more than 1 volume type per source'));
  }
}

function checkToken(errors: FieldError[], at: string, token: t.ServiceAccountTokenProjection): void {
  const own = `${at}.serviceAccountToken`;
  // Upstream reports the path as one of the volume.
  const path = at.replace(/\.sources\[\d+\]$/, '.path');
  const seconds = token.expirationSeconds ?? 0;
  if (seconds < minTokenSeconds) {
    errors.push(invalid(`${own}.expirationSeconds`, seconds, 'may not specify a duration less than 10 minutes'));
  }
  if (seconds > maxTokenSeconds) {
    errors.push(invalid(`${own}.expirationSeconds`, seconds, 'may not specify a duration larger than 2^32 seconds'));
  }
  if (!token.path) errors.push(required(path));
  else checkVolumeFilePath(errors, path, token.path);
}
