import type { Container, LimitRangeItem, Pod as PodType } from '../../../api/generated/types.ts';
import { LimitRange } from '../../../api/kinds/core/limit-range.ts';
import { PersistentVolumeClaim } from '../../../api/kinds/core/persistent-volume-claim.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import { resourceListOf } from '../../../api/quota/amounts.ts';
import { podResources } from '../../../api/quota/pod-resources.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../admission.ts';
import { objectOf } from '../concern.ts';
import type { AdmissionDeps } from '../deps.ts';
import { limitViolations } from '../limit-violations.ts';
import { refuse } from '../refusal.ts';

/** Lists what was defaulted, for people who wonder. */
const annotation = 'kubernetes.io/limit-ranger';

/** Gives containers the namespace's default requests and limits, and holds pods and volume claims to its minima and maxima. */
export function limitRanger({ reader }: AdmissionDeps): AdmissionPlugin {
  const limitsFor = (request: AdmissionRequest): LimitRangeItem[] =>
    reader.list(LimitRange, request.namespace ?? '').flatMap((range) => range.spec?.limits ?? []);
  return {
    name: 'LimitRanger',
    admit(request) {
      const pod = objectOf(request, Pod, ['CREATE']);
      if (!pod) return;
      for (const range of reader.list(LimitRange, request.namespace ?? '')) applyDefaults(pod, range.spec?.limits ?? []);
    },
    validate(request) {
      if (request.oldObject?.metadata.deletionTimestamp !== undefined) return;
      const pod = objectOf(request, Pod, ['CREATE']) ?? objectOf(request, Pod, ['UPDATE'], 'resize');
      const claim = objectOf(request, PersistentVolumeClaim, ['CREATE', 'UPDATE']);
      if (!pod && !claim) return;
      const found = limitsFor(request).flatMap((limit) => (pod ? podProblems(pod, limit) : claimProblems(claim!, limit)));
      const problems = [...new Set(found)];
      const [only] = problems;
      if (only !== undefined) throw refuse(request, problems.length === 1 ? only : `[${problems.join(', ')}]`);
    },
  };
}

function applyDefaults(pod: PodType, limits: readonly LimitRangeItem[]): void {
  const requests: Record<string, string> = {};
  const maxima: Record<string, string> = {};
  for (const limit of limits) {
    if (limit.type !== 'Container') continue;
    Object.assign(requests, limit.defaultRequest);
    Object.assign(maxima, limit.default);
  }
  const set: string[] = [];
  const fill = (container: Container, what: string): void => {
    const resources = (container.resources ??= {});
    for (const [field, word, defaults] of [
      ['requests', 'request', requests],
      ['limits', 'limit', maxima],
    ] as const) {
      const missing = Object.keys(defaults).filter((name) => resources[field]?.[name] === undefined);
      if (missing.length === 0) continue;
      const list = (resources[field] ??= {});
      for (const name of missing) list[name] = defaults[name]!;
      set.push(`${missing.sort().join(', ')} ${word} for ${what} ${container.name}`);
    }
  };
  for (const container of pod.spec?.containers ?? []) fill(container, 'container');
  for (const container of pod.spec?.initContainers ?? []) fill(container, 'init container');
  if (set.length === 0) return;
  pod.metadata.annotations = { ...pod.metadata.annotations, [annotation]: `LimitRanger plugin set: ${set.join('; ')}` };
}

function podProblems(pod: PodType, limit: LimitRangeItem): string[] {
  if (limit.type === 'Container') {
    const containers = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])];
    return containers.flatMap((c) => limitViolations(limit, c.resources?.requests ?? {}, c.resources?.limits ?? {}));
  }
  if (limit.type !== 'Pod') return [];
  return limitViolations(limit, resourceListOf(podResources(pod, 'requests')), resourceListOf(podResources(pod, 'limits')));
}

function claimProblems(claim: PersistentVolumeClaim, limit: LimitRangeItem): string[] {
  if (limit.type !== 'PersistentVolumeClaim') return [];
  const requests = claim.spec?.resources?.requests ?? {};
  return limitViolations({ ...limit, maxLimitRequestRatio: {} }, requests, undefined);
}
