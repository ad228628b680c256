import { defineKind } from '../../api/define-kind.ts';
import type { LabelSelector, Scale as ScaleType } from '../../api/generated/types.ts';
import { scaleOwners, withScaleOwners } from '../../api/managed-fields/scale-owners.ts';
import type { AnyObject, KubeObject } from '../../api/meta.ts';
import { invalid } from '../../api/status-error.ts';
import { ageColumn, nameColumn } from '../../api/table/columns.ts';
import { checkNonNegative } from '../../api/validation/checks.ts';
import { validateObjectMeta } from '../../api/validation/object-meta.ts';
import type { ProjectedSubresource } from './subresource.ts';

/** The body of `/scale`; not a resource of its own. */
const Scale = defineKind<ScaleType>({
  group: 'autoscaling',
  version: 'v1',
  kind: 'Scale',
  plural: 'scales',
  scope: 'Namespaced',
  columns: [
    nameColumn,
    { name: 'Desired', type: 'integer', cell: ({ spec }) => spec?.replicas ?? 0 },
    { name: 'Available', type: 'integer', cell: ({ status }) => status?.replicas ?? 0 },
    ageColumn,
  ],
});

interface Scalable extends KubeObject {
  spec?: { replicas?: number; selector?: LabelSelector | Record<string, string> };
  status?: { replicas?: number };
}

/** `/scale` of the workloads that have `spec.replicas` and `spec.selector` (autoscaling/v1). */
export const workloadScale: ProjectedSubresource = {
  body: Scale,
  show(object) {
    const { spec, status, metadata } = object as Scalable;
    const selector = selectorText(spec?.selector);
    return {
      kind: 'Scale',
      apiVersion: 'autoscaling/v1',
      metadata: {
        name: metadata.name,
        ...(metadata.namespace === undefined ? {} : { namespace: metadata.namespace }),
        uid: metadata.uid,
        resourceVersion: metadata.resourceVersion,
        creationTimestamp: metadata.creationTimestamp,
      },
      spec: (spec?.replicas ?? 0) > 0 ? { replicas: spec?.replicas } : {},
      status: { replicas: status?.replicas ?? 0, ...(selector ? { selector } : {}) },
    } as KubeObject;
  },
  change(object, body) {
    const replicas = ((body as AnyObject).spec as ScaleType['spec'] | undefined)?.replicas ?? 0;
    const errors = validateObjectMeta(Scale, body.metadata);
    checkNonNegative(errors, 'spec.replicas', replicas);
    if (errors.length > 0) throw invalid(Scale, object.metadata.name, errors);
    const scalable = object as Scalable;
    scalable.spec = { ...scalable.spec, replicas };
    const entries = withScaleOwners(object.metadata.managedFields, body.metadata.managedFields, object.apiVersion);
    if (entries) object.metadata.managedFields = entries;
    else delete object.metadata.managedFields;
  },
  owners: (object) => scaleOwners(object.metadata.managedFields),
};

/** A selector as text, in upstream's order: labels by name, then expressions. */
function selectorText(selector: LabelSelector | Record<string, string> | undefined): string {
  if (!selector) return '';
  const isLabels = !('matchLabels' in selector) && !('matchExpressions' in selector);
  const { matchLabels = {}, matchExpressions = [] } = isLabels
    ? { matchLabels: selector as Record<string, string> }
    : (selector as LabelSelector);
  const labels = Object.entries(matchLabels).map(([key, value]) => ({ key, text: `${key}=${value}` }));
  const expressions = matchExpressions.map(({ key, operator, values = [] }) => {
    const list = `(${[...values].sort().join(',')})`;
    const texts: Record<string, string> = {
      In: `${key} in ${list}`,
      NotIn: `${key} notin ${list}`,
      Exists: key,
      DoesNotExist: `!${key}`,
    };
    return { key, text: texts[operator] ?? key };
  });
  return [...labels, ...expressions]
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map((term) => term.text)
    .join(',');
}
