import { defineKind, keepStatus } from '../../define-kind.ts';
import type * as t from '../../generated/types.ts';
import { nameColumn } from '../../table/columns.ts';
import { contentChanged, setGeneration } from '../strategy.ts';
import { statusSubresource } from '../subresources.ts';
import { validateDefinition, validateDefinitionUpdate, validateStoredVersions } from './definition-validation.ts';

const defaultServicePort = 443;

export type CustomResourceDefinition = t.CustomResourceDefinition;
export const CustomResourceDefinition = defineKind<CustomResourceDefinition>({
  group: 'apiextensions.k8s.io',
  version: 'v1',
  kind: 'CustomResourceDefinition',
  plural: 'customresourcedefinitions',
  shortNames: ['crd', 'crds'],
  categories: ['api-extensions'],
  scope: 'Cluster',
  freeFinalizers: true,
  subresources: [statusSubresource],
  allowUnconditionalUpdate: false,
  applyDefaults(definition) {
    const spec = (definition.spec ??= {} as t.CustomResourceDefinitionSpec);
    const names = (spec.names ??= { kind: '', plural: '' });
    names.singular ||= names.kind?.toLowerCase() ?? '';
    if (names.kind) names.listKind ||= `${names.kind}List`;
    spec.conversion ??= { strategy: 'None' };
    const service = spec.conversion.webhook?.clientConfig?.service;
    if (service) service.port ??= defaultServicePort;
  },
  prepareForCreate(definition) {
    definition.status = { storedVersions: [] };
    definition.metadata.generation = 1;
    rememberStorageVersion(definition);
  },
  prepareForUpdate(next, previous) {
    keepStatus(next, previous);
    setGeneration(next, previous, contentChanged(next, previous));
    rememberStorageVersion(next);
  },
  validate: validateDefinition,
  validateUpdate: validateDefinitionUpdate,
  validateStatusUpdate: (next) => validateStoredVersions(next),
  columns: [nameColumn, { name: 'Created At', type: 'date', cell: ({ metadata }) => metadata.creationTimestamp ?? null }],
});

/** Objects may lie in the store in every version that was ever the storage version. */
function rememberStorageVersion(definition: CustomResourceDefinition): void {
  const current = definition.spec?.versions?.find((version) => version.storage)?.name;
  const stored = definition.status?.storedVersions ?? [];
  if (!current || stored.includes(current)) return;
  definition.status = { ...definition.status, storedVersions: [...stored, current] };
}
