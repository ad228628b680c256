import { kubernetesVersion } from '../../src/lib/version.ts';
import { absent } from './compare.ts';

/** A place of an answer (JSON pointer into status, headers, body) where Skiff answers something else, and what. */
export interface Difference {
  readonly at: string;
  readonly skiff: unknown;
  /** The entry of docs/deviations.md that says why. */
  readonly because: string;
}

const becauseOf = (because: string, places: Readonly<Record<string, unknown>>): Difference[] =>
  Object.entries(places).map(([at, skiff]) => ({ at, skiff, because }));

const noProbeTime = becauseOf('Nulls', { '/body/status/conditions/0/lastProbeTime': absent });

const podUpdateRefused =
  'Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,' +
  '`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` ' +
  '(allow it to be set to 1 if it was previously negative)\nchanged: spec.hostNetwork';

/** By case, every difference there is: one that is not listed fails the case, and so does one that is listed and not there. */
export const differences: Readonly<Record<string, readonly Difference[]>> = {
  'status-put-ignores-spec': becauseOf('Nulls', {
    '/body/status/conditions/0/lastTransitionTime': absent,
    '/body/status/conditions/0/lastUpdateTime': absent,
  }),
  'delete-scheduled-pod': noProbeTime,
  'delete-scheduled-pod-force': noProbeTime,
  'pod-immutable': becauseOf('Pod updates that are refused', {
    '/body/details/causes/0/message': podUpdateRefused,
    '/body/message': `Pod "lp" is invalid: spec: ${podUpdateRefused}`,
  }),
  'component-statuses': becauseOf('`componentstatuses`', {
    '/body/items/0/conditions/0/message': 'ok',
    '/body/items/0/conditions/0/status': 'True',
    '/body/items/1/conditions/0/message': 'ok',
    '/body/items/1/conditions/0/status': 'True',
  }),
  version: becauseOf('`/version`', {
    '/body/compiler': `node ${process.version}`,
    '/body/gitCommit': '',
    '/body/gitTreeState': 'clean',
    '/body/gitVersion': kubernetesVersion,
    '/body/goVersion': '',
  }),
  healthz: becauseOf('`/readyz?verbose`', {
    '/body': [
      '[+]ping ok',
      '[+]etcd ok',
      '[+]informer-sync ok',
      '[+]poststarthook/generic-apiserver-start-informers ok',
      '[+]poststarthook/priority-and-fairness-config-consumer ok',
      '[+]poststarthook/priority-and-fairness-filter ok',
      '[+]poststarthook/start-system-namespaces-controller ok',
      '[+]poststarthook/storage-readiness ok',
      '[+]poststarthook/start-service-ip-repair-controllers ok',
      '[+]poststarthook/scheduling/bootstrap-system-priority-classes ok',
      '[+]poststarthook/priority-and-fairness-config-producer ok',
      '[+]poststarthook/bootstrap-controller ok',
      '[+]poststarthook/start-kubernetes-service-cidr-controller ok',
      '[+]shutdown ok',
      'readyz check passed',
      '',
    ],
  }),
  oidc: becauseOf('Tokens of service accounts', { '/body/id_token_signing_alg_values_supported/0': 'ES256' }),
};
