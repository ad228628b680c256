import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { checkImmutable, requireEnum } from '../../validation/checks.ts';
import { duplicate, forbidden, invalid, required, tooMany } from '../../validation/errors.ts';
import { dns1035Label, dns1123Subdomain } from '../../validation/names.ts';
import { checkWebhookClient } from '../webhook-client.ts';
import { checkSchema } from './schema-validation.ts';

const columnTypes = ['boolean', 'date', 'integer', 'number', 'string'];
const columnFormats = ['byte', 'date', 'date-time', 'double', 'float', 'int32', 'int64', 'password'];
const maxSelectableFields = 8;
const maxDeprecationWarning = 256;

/** kubernetes: staging/src/k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation/validation.go. */
export function validateDefinition({ metadata, spec }: t.CustomResourceDefinition): FieldError[] {
  const errors: FieldError[] = [];
  if (!spec) return errors;
  const name = `${spec.names?.plural}.${spec.group}`;
  if (metadata.name !== name) {
    errors.push(invalid('metadata.name', metadata.name ?? '', 'must be spec.names.plural+"."+spec.group'));
  }
  checkGroup(errors, spec.group);
  requireEnum(errors, 'spec.scope', spec.scope, ['Cluster', 'Namespaced']);
  checkVersions(errors, spec);
  checkNames(errors, 'spec.names', spec.names ?? { kind: '', plural: '' });
  checkConversion(errors, spec.conversion);
  return errors;
}

function checkGroup(errors: FieldError[], group: string | undefined): void {
  if (!group) {
    errors.push(required('spec.group'));
    return;
  }
  const problems = dns1123Subdomain(group);
  if (problems.length > 0) errors.push(invalid('spec.group', group, problems.join(',')));
  else if (!group.includes('.')) errors.push(invalid('spec.group', group, 'should be a domain with at least one dot'));
}

function checkVersions(errors: FieldError[], spec: t.CustomResourceDefinitionSpec): void {
  const versions = spec.versions ?? [];
  const names = versions.map((version) => version.name);
  versions.forEach((version, i) => {
    const at = `spec.versions[${i}]`;
    const problems = dns1035Label(version.name ?? '');
    if (problems.length > 0) errors.push(invalid(`${at}.name`, version.name ?? '', problems.join(',')));
    checkVersion(errors, at, version);
  });
  if (new Set(names).size < names.length) errors.push(invalid('spec.versions', versions, 'must contain unique version names'));
  if (versions.filter((version) => version.storage).length !== 1) {
    errors.push(invalid('spec.versions', versions, 'must have exactly one version marked as storage version'));
  }
  if (spec.preserveUnknownFields) {
    errors.push(
      invalid(
        'spec.preserveUnknownFields',
        true,
        'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
      ),
    );
  }
}

function checkVersion(errors: FieldError[], at: string, version: t.CustomResourceDefinitionVersion): void {
  const schema = version.schema?.openAPIV3Schema;
  if (!schema) errors.push(required(`${at}.schema.openAPIV3Schema`, 'schemas are required'));
  else checkSchema(errors, `${at}.schema.openAPIV3Schema`, schema);
  checkDeprecation(errors, at, version);
  version.additionalPrinterColumns?.forEach((column, i) => {
    checkColumn(errors, `${at}.additionalPrinterColumns[${i}]`, column);
  });
  const scale = version.subresources?.scale;
  if (scale) checkScale(errors, `${at}.subresources.scale`, scale);
  checkSelectable(errors, `${at}.selectableFields`, version.selectableFields ?? []);
}

function checkDeprecation(errors: FieldError[], at: string, version: t.CustomResourceDefinitionVersion): void {
  const { deprecated, deprecationWarning: warning } = version;
  if (warning === undefined) return;
  const field = `${at}.deprecationWarning`;
  if (!deprecated) errors.push(invalid(field, warning, 'can only be set for deprecated versions'));
  if (warning.length > maxDeprecationWarning) {
    errors.push(invalid(field, warning, `must be <= ${maxDeprecationWarning} characters, was ${warning.length}`));
  }
  if (warning === '') errors.push(invalid(field, warning, 'must not be an empty string'));
}

function checkColumn(errors: FieldError[], at: string, column: t.CustomResourceColumnDefinition): void {
  if (!column.name) errors.push(required(`${at}.name`));
  const types = `must be one of ${columnTypes.join(',')}`;
  if (!column.type) errors.push(required(`${at}.type`, types));
  else if (!columnTypes.includes(column.type)) errors.push(invalid(`${at}.type`, column.type, types));
  if (column.format && !columnFormats.includes(column.format)) {
    errors.push(invalid(`${at}.format`, column.format, `must be one of ${columnFormats.join(',')}`));
  }
  if (!column.jsonPath) errors.push(required(`${at}.jsonPath`));
  else checkSimplePath(errors, `${at}.jsonPath`, column.jsonPath);
}

/** JSON paths of columns start at the object. */
function checkSimplePath(errors: FieldError[], field: string, path: string): void {
  if (!path.startsWith('.')) errors.push(invalid(field, path, 'must be a simple json path starting with .'));
}

function checkScale(errors: FieldError[], at: string, scale: t.CustomResourceSubresourceScale): void {
  const rules = [
    ['specReplicasPath', '.spec.'],
    ['statusReplicasPath', '.status.'],
  ] as const;
  for (const [field, prefix] of rules) {
    const path = scale[field];
    if (!path) errors.push(required(`${at}.${field}`));
    else if (!path.startsWith(prefix)) {
      errors.push(invalid(`${at}.${field}`, path, `should be a json path under ${prefix.slice(0, -1)}`));
    }
  }
  const selector = scale.labelSelectorPath;
  if (selector && !selector.startsWith('.spec.') && !selector.startsWith('.status.')) {
    errors.push(invalid(`${at}.labelSelectorPath`, selector, 'should be a json path under either .spec or .status'));
  }
}

function checkSelectable(errors: FieldError[], field: string, fields: readonly t.SelectableField[]): void {
  if (fields.length > maxSelectableFields) errors.push(tooMany(field, fields.length, maxSelectableFields));
  const seen = new Set<string>();
  fields.forEach(({ jsonPath }, i) => {
    const at = `${field}[${i}].jsonPath`;
    if (!jsonPath) errors.push(required(at));
    else if (!jsonPath.startsWith('.')) {
      errors.push(invalid(at, jsonPath, 'is an invalid path: must be a simple json path starting with .'));
    } else if (jsonPath.startsWith('.metadata')) {
      errors.push(invalid(at, jsonPath, 'must not point to fields in metadata'));
    }
    if (seen.has(jsonPath)) errors.push(duplicate(at, jsonPath));
    seen.add(jsonPath);
  });
}

function checkNames(errors: FieldError[], at: string, names: t.CustomResourceDefinitionNames): void {
  for (const field of ['plural', 'singular', 'kind', 'listKind'] as const) {
    const value = names[field];
    if (!value) {
      errors.push(required(`${at}.${field}`));
      continue;
    }
    const isKind = field === 'kind' || field === 'listKind';
    const problems = dns1035Label(isKind ? value.toLowerCase() : value);
    if (problems.length === 0) continue;
    const detail = problems.join(',');
    const hint = isKind ? `may have mixed case, but should otherwise match: ${detail}` : detail;
    errors.push(invalid(`${at}.${field}`, value, hint));
  }
  for (const list of ['shortNames', 'categories'] as const) {
    names[list]?.forEach((name, i) => {
      const problems = dns1035Label(name);
      if (problems.length > 0) errors.push(invalid(`${at}.${list}[${i}]`, name, problems.join(',')));
    });
  }
  if (names.kind && names.kind === names.listKind) {
    errors.push(invalid(`${at}.listKind`, names.listKind, 'kind and listKind may not be the same'));
  }
}

function checkConversion(errors: FieldError[], conversion: t.CustomResourceConversion | undefined): void {
  if (!conversion) return;
  const at = 'spec.conversion';
  requireEnum(errors, `${at}.strategy`, conversion.strategy, ['None', 'Webhook']);
  const { webhook } = conversion;
  if (conversion.strategy !== 'Webhook') {
    if (webhook) errors.push(forbidden(`${at}.webhook`, 'should not be set when strategy is not set to Webhook'));
    return;
  }
  if (!webhook?.clientConfig) {
    errors.push(required(`${at}.webhook.clientConfig`, 'required when strategy is set to Webhook'));
  } else checkWebhookClient(errors, `${at}.webhook.clientConfig`, webhook.clientConfig);
  const versions = webhook?.conversionReviewVersions ?? [];
  const field = `${at}.webhook.conversionReviewVersions`;
  if (versions.length === 0) errors.push(required(field));
  else if (!versions.some((version) => version === 'v1' || version === 'v1beta1')) {
    errors.push(invalid(field, versions, 'must include at least one of v1, v1beta1'));
  }
}

/** What a definition is called and where its objects live stays once it is established. */
export function validateDefinitionUpdate(next: t.CustomResourceDefinition, previous: t.CustomResourceDefinition): FieldError[] {
  const errors: FieldError[] = [];
  const isEstablished = previous.status?.conditions?.some((c) => c.type === 'Established' && c.status === 'True') ?? false;
  if (isEstablished) {
    checkImmutable(errors, 'spec.scope', next.spec.scope, previous.spec.scope);
    checkImmutable(errors, 'spec.names.kind', next.spec.names.kind, previous.spec.names.kind);
  }
  checkImmutable(errors, 'spec.group', next.spec.group, previous.spec.group);
  checkImmutable(errors, 'spec.names.plural', next.spec.names.plural, previous.spec.names.plural);
  return next.spec.versions?.length ? [...errors, ...validateStoredVersions(next)] : errors;
}

/** A version in which objects may still be stored cannot go. */
export function validateStoredVersions({ spec, status }: t.CustomResourceDefinition): FieldError[] {
  const errors: FieldError[] = [];
  const stored = status?.storedVersions ?? [];
  const field = 'status.storedVersions';
  if (stored.length === 0) return [invalid(field, stored, 'must have at least one stored version')];
  const names = (spec.versions ?? []).map((version) => version.name);
  const current = spec.versions?.find((version) => version.storage)?.name;
  if (current && !stored.includes(current)) {
    errors.push(invalid(field, stored, `must have the storage version ${current}`));
  }
  stored.forEach((version, i) => {
    if (names.includes(version)) return;
    const detail = `missing from spec.versions; ${version} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${version} and removes ${version} from status.storedVersions`;
    errors.push(invalid(`${field}[${i}]`, version, detail));
  });
  return errors;
}
