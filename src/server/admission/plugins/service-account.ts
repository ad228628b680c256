import type { Pod as PodType, ServiceAccount as ServiceAccountType } from '../../../api/generated/types.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import { ServiceAccount } from '../../../api/kinds/core/service-account.ts';
import type { Clock } from '../../../lib/clock.ts';
import { podReferences } from '../../auth/node/pod-references.ts';
import type { Reader } from '../../registry/reader.ts';
import type { AdmissionPlugin, AdmissionRequest } from '../admission.ts';
import { objectOf } from '../concern.ts';
import type { AdmissionDeps } from '../deps.ts';
import { forbiddenContainerSecret, forbiddenSecret, limitsSecrets } from '../mountable-secrets.ts';
import { refuse } from '../refusal.ts';

const mountPath = '/var/run/secrets/kubernetes.io/serviceaccount';
const volumePrefix = 'kube-api-access-';
const mirrorAnnotation = 'kubernetes.io/config.mirror';
/** Tokens of pods last this long before they are renewed; the server really gives them a year (see the token issuer). */
const tokenSeconds = 3607;

/** How long the first pod of a new namespace waits for its default account to be made. */
const defaultAccountWaitMs = 2_000;

/** Every pod runs under a service account of its namespace and finds that account's token in a volume. */
export function serviceAccount({ reader, randomText, clock }: AdmissionDeps): AdmissionPlugin {
  const accountOf = (request: AdmissionRequest, pod: PodType): ServiceAccountType => {
    const namespace = request.namespace ?? '';
    const name = pod.spec?.serviceAccountName ?? '';
    const account = reader.get(ServiceAccount, { namespace, name });
    if (account) return account;
    throw refuse(request, `error looking up service account ${namespace}/${name}: serviceaccount "${name}" not found`);
  };
  /** Pods of an account that says so mount and name only what the account names. */
  const checkSecrets = (request: AdmissionRequest, pod: PodType, account: ServiceAccountType): void => {
    if (!limitsSecrets(account)) return;
    const reason =
      request.operation === 'CREATE'
        ? forbiddenSecret(pod, account)
        : forbiddenContainerSecret('ephemeral container', pod.spec?.ephemeralContainers, account);
    if (reason !== undefined) throw refuse(request, reason);
  };
  return {
    name: 'ServiceAccount',
    admit(request) {
      const pod = objectOf(request, Pod, ['CREATE']);
      if (!pod?.spec) return;
      if (isMirror(pod)) return refuseMirrorSecrets(request, pod);
      pod.spec.serviceAccountName ||= 'default';
      pod.spec.serviceAccount = pod.spec.serviceAccountName;
      const complete = (): void => {
        const account = accountOf(request, pod);
        useAccount(pod, account, randomText);
        checkSecrets(request, pod, account);
      };
      const namespace = request.namespace ?? '';
      const isNew = pod.spec.serviceAccountName === 'default' && !reader.get(ServiceAccount, { namespace, name: 'default' });
      return isNew ? defaultAccount(namespace, reader, clock).then(complete) : complete();
    },
    validate(request) {
      const pod = objectOf(request, Pod, ['CREATE']);
      const debugged = objectOf(request, Pod, ['UPDATE'], 'ephemeralcontainers');
      if (pod && isMirror(pod)) return refuseMirrorSecrets(request, pod);
      if (!pod && !debugged) return;
      const checked = (pod ?? debugged)!;
      checkSecrets(request, checked, accountOf(request, checked));
    },
  };
}

/** Mounts the account's token and takes over its image pull secrets, unless the pod says otherwise. */
function useAccount(pod: PodType, account: ServiceAccountType, randomText: (length: number) => string): void {
  const { spec } = pod;
  if (!spec) return;
  const mounts = spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true;
  if (mounts) mountToken(pod, randomText);
  if (!spec.imagePullSecrets?.length && account.imagePullSecrets?.length)
    spec.imagePullSecrets = account.imagePullSecrets.map(({ name }) => (name === undefined ? {} : { name }));
}

/** Resolves when the namespace gets its default account, or after a while. */
function defaultAccount(namespace: string, reader: Reader, clock: Clock): Promise<void> {
  return new Promise((resolve) => {
    const finish = (): void => {
      stop();
      cancel();
      resolve();
    };
    const stop = reader.onChange(ServiceAccount, (next) => {
      if (next?.metadata.namespace === namespace && next.metadata.name === 'default') finish();
    });
    const cancel = clock.after(defaultAccountWaitMs, finish);
  });
}

const isMirror = (pod: PodType): boolean => pod.metadata.annotations?.[mirrorAnnotation] !== undefined;

/** The copy of a static pod cannot use anything its node would have to be allowed to read because of it. */
function refuseMirrorSecrets(request: AdmissionRequest, pod: PodType): void {
  if (pod.spec?.serviceAccountName) throw refuse(request, 'a mirror pod may not reference service accounts');
  if (podReferences(pod).secrets.size > 0) throw refuse(request, 'a mirror pod may not reference secrets');
  const sources = (pod.spec?.volumes ?? []).flatMap((volume) => volume.projected?.sources ?? []);
  if (sources.some((source) => source.serviceAccountToken))
    throw refuse(request, 'a mirror pod may not use ServiceAccountToken volume projections');
}

function mountToken(pod: PodType, randomText: (length: number) => string): void {
  const { spec } = pod;
  if (!spec) return;
  const existing = spec.volumes?.find((volume) => volume.name.startsWith(volumePrefix))?.name;
  const name = existing ?? `${volumePrefix}${randomText(5)}`;
  let isNeeded = false;
  for (const container of [...(spec.initContainers ?? []), ...(spec.containers ?? [])]) {
    if (container.volumeMounts?.some((mount) => mount.mountPath === mountPath)) continue;
    container.volumeMounts = [...(container.volumeMounts ?? []), { name, readOnly: true, mountPath }];
    isNeeded = true;
  }
  if (!isNeeded || existing !== undefined) return;
  const sources = [
    { serviceAccountToken: { expirationSeconds: tokenSeconds, path: 'token' } },
    { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
    { downwardAPI: { items: [{ path: 'namespace', fieldRef: { apiVersion: 'v1', fieldPath: 'metadata.namespace' } }] } },
  ];
  spec.volumes = [...(spec.volumes ?? []), { name, projected: { sources, defaultMode: 0o644 } }];
}
