import type { PodTemplateSpec } from '../../../api/generated/types.ts';
import { Namespace } from '../../../api/kinds/core/namespace.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import type { AnyObject } from '../../../api/meta.ts';
import { invalid } from '../../../api/status-error.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../admission.ts';
import { isAbout } from '../concern.ts';
import type { AdmissionDeps } from '../deps.ts';
import { violations, violationText } from '../pod-security/evaluate.ts';
import { namespaceWarnings } from '../pod-security/namespace-warnings.ts';
import type { PodView } from '../pod-security/pod-view.ts';
import { isStricter, levelText, type Policy, policyOf } from '../pod-security/policy.ts';
import { refuse } from '../refusal.ts';

const auditPrefix = 'pod-security.kubernetes.io/';
/** Sub-resources that do not change what the pod is. */
const ignored = new Set(['exec', 'attach', 'binding', 'eviction', 'log', 'portforward', 'proxy', 'status']);
/** Where the pods of a controller are described. */
const templates: ReadonlyMap<string, (object: AnyObject) => unknown> = new Map([
  ['podtemplates', (o) => o['template']],
  ['cronjobs.batch', (o) => at(o.spec, 'jobTemplate', 'spec', 'template')],
  ...['replicationcontrollers', 'replicasets.apps', 'deployments.apps', 'statefulsets.apps', 'daemonsets.apps', 'jobs.batch'].map(
    (name): [string, (object: AnyObject) => unknown] => [name, (o) => at(o.spec, 'template')],
  ),
]);

/** Holds pods to the standard their namespace names in its labels; warns about controllers that would make other pods. */
export function podSecurity({ reader }: AdmissionDeps): AdmissionPlugin {
  const policyFor = (request: AdmissionRequest): Policy =>
    policyOf(reader.get(Namespace, { name: request.namespace ?? '' })?.metadata.labels).policy;
  return {
    name: 'PodSecurity',
    validate(request) {
      if (request.operation !== 'CREATE' && request.operation !== 'UPDATE') return;
      if (isAbout(request, Namespace)) return checkNamespace(request, reader);
      if (!request.namespace || !request.object) return;
      if (isAbout(request, Pod)) {
        if (ignored.has(request.subresource)) return;
        if (request.operation === 'UPDATE' && !isSignificant(request)) return;
        return checkPod(request, request.object as unknown as PodView, policyFor(request));
      }
      const { kind, subresource } = request;
      const template = subresource === '' ? templates.get(kind.group ? `${kind.plural}.${kind.group}` : kind.plural) : undefined;
      const { metadata = {}, spec } = (template?.(request.object) ?? {}) as Partial<PodTemplateSpec>;
      if (spec) remark(request, { metadata, spec }, policyFor(request));
    },
  };
}

function at(value: unknown, ...path: readonly string[]): unknown {
  return path.reduce((v, field) => (v as Record<string, unknown> | undefined)?.[field], value);
}

function checkPod(request: AdmissionRequest, pod: PodView, policy: Policy): void {
  const broken = violations(pod, policy.enforce);
  request.auditAnnotation?.(`${auditPrefix}enforce-policy`, levelText(policy.enforce));
  if (broken.length > 0) {
    remarkAudit(request, pod, policy);
    const why = `violates PodSecurity "${levelText(policy.enforce)}": ${violationText(broken)}`;
    throw refuse(request, why);
  }
  remark(request, pod, policy);
}

/** The parts of the policy that refuse nothing. */
function remark(request: AdmissionRequest, pod: PodView, policy: Policy): void {
  remarkAudit(request, pod, policy);
  const found = violations(pod, policy.warn);
  if (found.length > 0) request.warn(`would violate PodSecurity "${levelText(policy.warn)}": ${violationText(found)}`);
}

function remarkAudit(request: AdmissionRequest, pod: PodView, policy: Policy): void {
  const found = violations(pod, policy.audit);
  if (found.length === 0) return;
  const text = `would violate PodSecurity "${levelText(policy.audit)}": ${violationText(found)}`;
  request.auditAnnotation?.(`${auditPrefix}audit-violations`, text);
}

/** Pods change little after they are made; of what may change only images and added containers matter here. */
function isSignificant({ object, oldObject }: AdmissionRequest): boolean {
  const images = (pod: AnyObject | undefined): string => {
    const { initContainers = [], containers = [], ephemeralContainers = [] } = (pod as unknown as Pod | undefined)?.spec ?? {};
    return JSON.stringify([initContainers, containers, ephemeralContainers].map((list) => list.map((c) => [c.name, c.image])));
  };
  return images(object) !== images(oldObject);
}

function checkNamespace(request: AdmissionRequest, reader: AdmissionDeps['reader']): void {
  if (request.subresource !== '' || !request.object) return;
  const next = policyOf(request.object.metadata.labels);
  const previous = request.oldObject ? policyOf(request.oldObject.metadata.labels) : undefined;
  const isOld = previous !== undefined && JSON.stringify(previous.errors) === JSON.stringify(next.errors);
  if (next.errors.length > 0 && !isOld) throw invalid(request.kind, request.name, next.errors);
  if (!previous) return;
  const after = next.policy.enforce;
  const before = previous.policy.enforce;
  if (after.level === 'privileged') return;
  if (after.minor === before.minor && !isStricter(after.level, before.level)) return;
  for (const warning of namespaceWarnings(request.name, reader.list(Pod, request.name), after)) request.warn(warning);
}
