import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { forbidden, invalid, notSupported, required } from '../../validation/errors.ts';
import { checkLabelSelector } from '../../validation/labels.ts';
import { checkFileMode, checkVolumeFilePath } from '../../validation/paths.ts';
import { checkSignerName } from '../certificates/signer-name.ts';
import { checkDownwardFile, checkKeyToPath } from './volume-file-validation.ts';

const minTokenSeconds = 600;
const maxTokenSeconds = 2 ** 32;
const minCertificateSeconds = 3600;
const keyTypes = ['RSA3072', 'RSA4096', 'ECDSAP256', 'ECDSAP384', 'ECDSAP521', 'ED25519'];

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
  if (source.serviceAccountToken) checkToken(errors, `${at}.serviceAccountToken`, source.serviceAccountToken);
  if (source.clusterTrustBundle) {
    checkTrustBundle(errors, `${at}.clusterTrustBundle`, source.clusterTrustBundle);
    claim(source.clusterTrustBundle.path);
  }
  if (source.podCertificate) checkPodCertificate(errors, `${at}.podCertificate`, source.podCertificate, claim);
  if (Object.values(source).filter(Boolean).length > 1) {
    errors.push(forbidden(at, 'may not specify more than 1 volume type per source'));
  }
}

function checkToken(errors: FieldError[], at: string, token: t.ServiceAccountTokenProjection): void {
  const seconds = token.expirationSeconds ?? 0;
  if (seconds < minTokenSeconds) {
    errors.push(invalid(`${at}.expirationSeconds`, seconds, 'may not specify a duration less than 10 minutes'));
  }
  if (seconds > maxTokenSeconds) {
    errors.push(invalid(`${at}.expirationSeconds`, seconds, 'may not specify a duration larger than 2^32 seconds'));
  }
  if (!token.path) errors.push(required(`${at}.path`));
  else checkVolumeFilePath(errors, `${at}.path`, token.path);
}

function checkTrustBundle(errors: FieldError[], at: string, bundle: t.ClusterTrustBundleProjection): void {
  const { name, signerName, labelSelector, path } = bundle;
  if (name !== undefined && signerName !== undefined) {
    errors.push(invalid(at, bundle, 'only one of name and signerName may be used'));
  } else if (name !== undefined) {
    if (name === '') errors.push(required(`${at}.name`, 'must be a valid object name'));
    if (labelSelector) {
      errors.push(invalid(`${at}.labelSelector`, labelSelector, 'labelSelector must be unset if name is specified'));
    }
  } else if (signerName !== undefined) {
    checkSignerName(errors, `${at}.signerName`, signerName);
    checkLabelSelector(errors, `${at}.labelSelector`, labelSelector);
  } else errors.push(required(at, 'either name or signerName must be specified'));
  if (!path) errors.push(required(`${at}.path`));
  else checkVolumeFilePath(errors, `${at}.path`, path);
}

function checkPodCertificate(errors: FieldError[], at: string, projection: t.PodCertificateProjection, claim: Claim): void {
  checkSignerName(errors, `${at}.signerName`, projection.signerName);
  if (!keyTypes.includes(projection.keyType)) errors.push(notSupported(`${at}.keyType`, projection.keyType, keyTypes));
  const seconds = projection.maxExpirationSeconds;
  if (seconds !== undefined && seconds < minCertificateSeconds) {
    const detail = `if provided, maxExpirationSeconds must be >= ${minCertificateSeconds}`;
    errors.push(invalid(`${at}.maxExpirationSeconds`, seconds, detail));
  }
  const files = (['credentialBundlePath', 'keyPath', 'certificateChainPath'] as const).filter((file) => projection[file]);
  for (const file of files) {
    checkVolumeFilePath(errors, `${at}.${file}`, projection[file] ?? '');
    claim(projection[file]);
  }
  if (files.length === 0) {
    errors.push(required(at, 'specify at least one of credentialBundlePath, keyPath, and certificateChainPath'));
  }
}
