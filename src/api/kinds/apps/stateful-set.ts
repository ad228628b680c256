import { defineKind } from '../../define-kind.ts';
import type { FieldError } from '../../field-error.ts';
import type * as t from '../../generated/types.ts';
import { ageColumn, nameColumn } from '../../table/columns.ts';
import { checkEnum, checkNonNegative, checkText } from '../../validation/checks.ts';
import { semanticEqual } from '../../validation/equal.ts';
import { forbidden, invalid, required } from '../../validation/errors.ts';
import { dns1123Label } from '../../validation/names.ts';
import { checkClaimSpec } from '../core/persistent-volume-claim-validation.ts';
import { defaultClaimSpec, defaultPodTemplate } from '../core/pod-spec.ts';
import { templateWarnings } from '../core/pod-warnings.ts';
import { warnOfClaimSpec } from '../core/volume-warnings.ts';
import { countedWithStatus } from '../strategy.ts';
import { scaleSubresource, statusSubresource } from '../subresources.ts';
import { templateColumns } from '../template-columns.ts';
import { checkCollisionCount, checkReplicaCounts, checkSelectorAndTemplate } from './workload-validation.ts';

const defaultHistory = 10;

export type StatefulSet = t.StatefulSet;
export const StatefulSet = defineKind<StatefulSet>({
  group: 'apps',
  version: 'v1',
  kind: 'StatefulSet',
  plural: 'statefulsets',
  shortNames: ['sts'],
  categories: ['all'],
  scope: 'Namespaced',
  subresources: [scaleSubresource, statusSubresource],
  nameRule: 'dns1123Label',
  applyDefaults: defaultStatefulSet,
  prepareForCreate(set, context) {
    countedWithStatus.prepareForCreate(set, context);
    set.status = { replicas: 0, availableReplicas: 0 };
  },
  prepareForUpdate: countedWithStatus.prepareForUpdate,
  validate: validateStatefulSet,
  validateCreate({ spec }) {
    const errors: FieldError[] = [];
    spec?.volumeClaimTemplates?.forEach((claim, i) => {
      checkClaimSpec(errors, `spec.volumeClaimTemplates[${i}].spec`, claim.spec ?? {});
    });
    checkText(errors, 'spec.serviceName', spec?.serviceName, dns1123Label);
    return errors;
  },
  validateUpdate({ spec: next }, { spec: previous }) {
    if (semanticEqual(fixed(next), fixed(previous))) return [];
    const detail =
      "updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden";
    return [forbidden('spec', detail)];
  },
  validateStatusUpdate(next, previous) {
    const errors: FieldError[] = [];
    checkReplicaCounts(errors, next.status, ['readyReplicas', 'currentReplicas', 'updatedReplicas', 'availableReplicas']);
    checkCollisionCount(errors, next.status?.collisionCount, previous.status?.collisionCount);
    return errors;
  },
  warnings: setWarnings,
  columns: [
    nameColumn,
    { name: 'Ready', type: 'string', cell: ({ spec, status }) => `${status?.readyReplicas ?? 0}/${spec?.replicas ?? 0}` },
    ageColumn,
    ...templateColumns<StatefulSet>(({ spec }) => spec?.template),
  ],
});

function defaultStatefulSet(set: StatefulSet): void {
  const spec = (set.spec ??= {} as t.StatefulSetSpec);
  defaultPodTemplate(spec);
  spec.podManagementPolicy ||= 'OrderedReady';
  const strategy = (spec.updateStrategy ??= {});
  if (!strategy.type) {
    strategy.type = 'RollingUpdate';
    strategy.rollingUpdate ??= {};
  }
  if (strategy.type === 'RollingUpdate' && strategy.rollingUpdate) strategy.rollingUpdate.partition ??= 0;
  // A feature that 1.36 leaves off.
  if (strategy.rollingUpdate?.maxUnavailable !== undefined) delete strategy.rollingUpdate.maxUnavailable;
  const retention = (spec.persistentVolumeClaimRetentionPolicy ??= {});
  retention.whenDeleted ||= 'Retain';
  retention.whenScaled ||= 'Retain';
  spec.replicas ??= 1;
  spec.revisionHistoryLimit ??= defaultHistory;
  for (const claim of spec.volumeClaimTemplates ?? []) {
    claim.apiVersion = 'v1';
    claim.kind = 'PersistentVolumeClaim';
    claim.spec ??= {};
    defaultClaimSpec(claim.spec);
    claim.status ??= {};
    claim.status.phase ||= 'Pending';
  }
}

function validateStatefulSet({ spec }: StatefulSet): FieldError[] {
  const errors: FieldError[] = [];
  if (!spec) return errors;
  const { podManagementPolicy: policy, persistentVolumeClaimRetentionPolicy: retention, updateStrategy } = spec;
  if (!policy) errors.push(required('spec.podManagementPolicy'));
  else if (policy !== 'OrderedReady' && policy !== 'Parallel') {
    errors.push(invalid('spec.podManagementPolicy', policy, "must be 'OrderedReady' or 'Parallel'"));
  }
  checkStrategy(errors, updateStrategy ?? {});
  for (const when of ['whenDeleted', 'whenScaled'] as const) {
    checkEnum(errors, `spec.persistentVolumeClaimRetentionPolicy.${when}`, retention?.[when], ['Retain', 'Delete']);
  }
  checkNonNegative(errors, 'spec.replicas', spec.replicas);
  checkNonNegative(errors, 'spec.minReadySeconds', spec.minReadySeconds);
  checkNonNegative(errors, 'spec.ordinals.start', spec.ordinals?.start);
  const template = asPodsHaveIt(spec);
  checkSelectorAndTemplate(errors, { ...spec, template }, { noun: 'statefulset', kind: 'StatefulSet', unreadable: '' });
  return errors;
}

/** The template with what the controller gives each pod: a name in the service, and the set's own claims. */
function asPodsHaveIt({ template = {}, volumeClaimTemplates: claims = [] }: t.StatefulSetSpec): t.PodTemplateSpec {
  if (!template.spec) return template;
  const { subdomain: _subdomain, hostname: _hostname, ...spec } = template.spec;
  if (claims.length === 0) return { ...template, spec };
  const names = [...new Set(claims.map((claim) => claim.metadata?.name ?? ''))];
  const own = names.map((name) => ({ name, persistentVolumeClaim: { claimName: name } }));
  return {
    ...template,
    spec: { ...spec, volumes: [...own, ...(spec.volumes ?? []).filter(({ name }) => !names.includes(name))] },
  };
}

function checkStrategy(errors: FieldError[], strategy: t.StatefulSetUpdateStrategy): void {
  const field = 'spec.updateStrategy';
  const { type, rollingUpdate: rolling } = strategy;
  if (!type) errors.push(required(field));
  else if (type === 'OnDelete') {
    if (rolling) errors.push(invalid(`${field}.rollingUpdate`, rolling, "only allowed for updateStrategy 'RollingUpdate'"));
  } else if (type !== 'RollingUpdate') {
    errors.push(invalid(field, strategy, "must be 'RollingUpdate' or 'OnDelete'"));
  } else if (rolling) {
    checkNonNegative(errors, `${field}.rollingUpdate.partition`, rolling.partition);
  }
}

/** What never changes of a spec. */
function fixed(spec: t.StatefulSetSpec): object {
  const {
    replicas: _replicas,
    ordinals: _ordinals,
    template: _template,
    updateStrategy: _strategy,
    revisionHistoryLimit: _limit,
    persistentVolumeClaimRetentionPolicy: _retention,
    minReadySeconds: _seconds,
    ...rest
  } = spec;
  return rest;
}

function setWarnings(next: StatefulSet, previous?: StatefulSet): string[] {
  const warnings = templateWarnings(next, previous, { at: 'spec.template', template: next.spec?.template });
  next.spec?.volumeClaimTemplates?.forEach((claim, i) => {
    warnOfClaimSpec(warnings, `spec.volumeClaimTemplates[${i}]${previous ? '.Spec' : ''}`, claim.spec);
  });
  if ((next.spec?.revisionHistoryLimit ?? 0) < 0) {
    const detail = 'a negative value retains all historical revisions; a value >= 0 is recommended';
    warnings.push(`spec.revisionHistoryLimit: ${detail}`);
  }
  return warnings;
}
