import assert from 'node:assert/strict';
import { beforeEach, describe, test } from 'node:test';
import { FakeReader, type Sketch } from '../../../test/support/fake-reader.ts';
import type { Kind } from '../../api/kind.ts';
import { CertificateSigningRequest } from '../../api/kinds/certificates/certificate-signing-request.ts';
import { ConfigMap } from '../../api/kinds/core/config-map.ts';
import { LimitRange } from '../../api/kinds/core/limit-range.ts';
import { Namespace } from '../../api/kinds/core/namespace.ts';
import { Node } from '../../api/kinds/core/node.ts';
import { PersistentVolumeClaim } from '../../api/kinds/core/persistent-volume-claim.ts';
import { Pod } from '../../api/kinds/core/pod.ts';
import { ResourceQuota } from '../../api/kinds/core/resource-quota.ts';
import { ServiceAccount } from '../../api/kinds/core/service-account.ts';
import { Ingress } from '../../api/kinds/networking/ingress.ts';
import { IngressClass } from '../../api/kinds/networking/ingress-class.ts';
import { RuntimeClass } from '../../api/kinds/node/runtime-class.ts';
import { ClusterRole } from '../../api/kinds/rbac/cluster-role.ts';
import { ClusterRoleBinding } from '../../api/kinds/rbac/cluster-role-binding.ts';
import { Role } from '../../api/kinds/rbac/role.ts';
import { RoleBinding } from '../../api/kinds/rbac/role-binding.ts';
import { ResourceClaim } from '../../api/kinds/resource/resource-claim.ts';
import { PriorityClass } from '../../api/kinds/scheduling/priority-class.ts';
import { CSIDriver } from '../../api/kinds/storage/csi-driver.ts';
import { StorageClass } from '../../api/kinds/storage/storage-class.ts';
import type { AnyObject, KubeObject } from '../../api/meta.ts';
import { conflict, type StatusError } from '../../api/status-error.ts';
import type { Client } from '../../client/client.ts';
import { FakeClock } from '../../lib/clock.ts';
import { createRequest } from '../../pki/csr.ts';
import { generatePrivateKey } from '../../pki/keys.ts';
import { createAuthorization } from '../auth/authorization.ts';
import type { UserInfo } from '../auth/user.ts';
import type { AdmissionPlugin, AdmissionRequest, Operation } from './admission.ts';
import { createAdmissionChain } from './chain.ts';

const master: UserInfo = { name: 'root', groups: ['system:masters', 'system:authenticated'], extra: {} };
const bob: UserInfo = { name: 'bob', groups: ['system:authenticated'], extra: {} };
const piNode: UserInfo = { name: 'system:node:pi', groups: ['system:nodes', 'system:authenticated'], extra: {} };

interface Asked {
  readonly operation?: Operation;
  readonly subresource?: string;
  readonly old?: unknown;
  readonly user?: UserInfo;
  readonly dryRun?: boolean;
}

describe('admission', () => {
  let reader = new FakeReader();
  let chain: readonly AdmissionPlugin[] = [];
  let warnings: string[] = [];
  let conflicts = 0;
  let clock = new FakeClock();

  beforeEach(() => {
    reader = new FakeReader();
    warnings = [];
    conflicts = 0;
    clock = new FakeClock();
    const client = {
      async update(kind: Kind<ResourceQuota>, object: ResourceQuota) {
        if (conflicts-- > 0) throw conflict(kind, object.metadata.name);
        return reader.put(kind, object);
      },
      async get(kind: Kind<ResourceQuota>, key: { namespace?: string; name: string }) {
        return reader.get(kind, key)!;
      },
    } as unknown as Client;
    chain = createAdmissionChain({
      reader,
      client,
      authorization: createAuthorization({ reader }),
      clock,
      randomText: (length) => 'x'.repeat(length),
    });
    reader.put(Namespace, { metadata: { name: 'shop' } });
    reader.put(ServiceAccount, { metadata: { name: 'default', namespace: 'shop' } });
  });

  /** Sends an object through the chain and returns what became of it. */
  async function admit<T extends KubeObject>(kind: Kind<T>, sketch: unknown, asked: Asked = {}): Promise<T> {
    const object = sketch === undefined ? undefined : (structuredClone(sketch) as AnyObject);
    const { name = '', namespace } = (object ?? (asked.old as AnyObject)).metadata;
    const request: AdmissionRequest = {
      operation: asked.operation ?? (asked.old === undefined ? 'CREATE' : 'UPDATE'),
      kind,
      subresource: asked.subresource ?? '',
      namespace: kind.scope === 'Namespaced' ? (namespace ?? 'shop') : undefined,
      name,
      object,
      oldObject: asked.old as AnyObject | undefined,
      user: asked.user ?? master,
      dryRun: asked.dryRun ?? false,
      warn: (message) => warnings.push(message),
    };
    for (const plugin of chain) await plugin.admit?.(request);
    for (const plugin of chain) await plugin.validate?.(request);
    return object as unknown as T;
  }

  const pod = (spec: object = {}, metadata: object = {}) => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'p', namespace: 'shop', ...metadata },
    spec: { containers: [{ name: 'c', image: 'i' }], ...spec },
  });
  const refuses = (promise: Promise<unknown>, message: string | RegExp, code = 403): Promise<void> =>
    assert.rejects(promise, (e: StatusError) => {
      assert.equal(e.code, code);
      if (typeof message === 'string') assert.equal(e.message, message);
      else assert.match(e.message, message);
      return true;
    });

  test('a pod gets account, token, priority and tolerations', async () => {
    const { spec } = await admit(Pod, pod());
    assert.equal(spec.serviceAccountName, 'default');
    assert.equal(spec.serviceAccount, 'default');
    assert.deepEqual(spec.containers[0]?.volumeMounts, [
      { name: 'kube-api-access-xxxxx', readOnly: true, mountPath: '/var/run/secrets/kubernetes.io/serviceaccount' },
    ]);
    assert.equal(spec.volumes?.[0]?.projected?.sources?.[0]?.serviceAccountToken?.expirationSeconds, 3607);
    assert.equal(spec.priority, 0);
    assert.equal(spec.preemptionPolicy, 'PreemptLowerPriority');
    assert.deepEqual(
      spec.tolerations?.map((t) => [t.key, t.tolerationSeconds]),
      [
        ['node.kubernetes.io/not-ready', 300],
        ['node.kubernetes.io/unreachable', 300],
      ],
    );
  });

  test('what a pod says itself stays', async () => {
    reader.put(ServiceAccount, {
      metadata: { name: 'quiet', namespace: 'shop' },
      automountServiceAccountToken: false,
      imagePullSecrets: [{ name: 'reg' }],
    });
    const tolerations = [{ operator: 'Exists' }];
    const { spec } = await admit(Pod, pod({ serviceAccountName: 'quiet', tolerations }));
    assert.equal(spec.volumes, undefined);
    assert.deepEqual(spec.imagePullSecrets, [{ name: 'reg' }]);
    assert.deepEqual(spec.tolerations, tolerations);
  });

  test('the first pod of a namespace waits for its account, not for ever', async () => {
    reader.remove(ServiceAccount, { namespace: 'shop', name: 'default' });
    const first = admit(Pod, pod());
    await new Promise(setImmediate);
    reader.put(ServiceAccount, { metadata: { name: 'default', namespace: 'shop' } });
    assert.equal((await first).spec.serviceAccountName, 'default');
    reader.remove(ServiceAccount, { namespace: 'shop', name: 'default' });
    const second = refuses(admit(Pod, pod()), /serviceaccount "default" not found/);
    await new Promise(setImmediate);
    clock.advance(2_000);
    await second;
  });

  test('classes that do not exist', async () => {
    await refuses(
      admit(Pod, pod({ priorityClassName: 'nope' })),
      'pods "p" is forbidden: no PriorityClass with name nope was found',
    );
    await refuses(
      admit(Pod, pod({ serviceAccountName: 'nope' })),
      'pods "p" is forbidden: error looking up service account shop/nope: serviceaccount "nope" not found',
    );
    await refuses(
      admit(Pod, pod({ runtimeClassName: 'nope' })),
      'pods "p" is forbidden: pod rejected: RuntimeClass "nope" not found',
    );
  });

  test('priority classes', async () => {
    reader.put(PriorityClass, { metadata: { name: 'high' }, value: 1000, preemptionPolicy: 'Never' });
    reader.put(PriorityClass, { metadata: { name: 'normal' }, value: 5, globalDefault: true });
    assert.deepEqual(((p) => [p.spec.priority, p.spec.preemptionPolicy])(await admit(Pod, pod({ priorityClassName: 'high' }))), [
      1000,
      'Never',
    ]);
    assert.deepEqual(((p) => [p.spec.priority, p.spec.priorityClassName])(await admit(Pod, pod())), [5, 'normal']);
    await refuses(admit(Pod, pod({ priority: 7 })), /the integer value of priority \(7\) must not be provided/);
    const another = { metadata: { name: 'other' }, value: 1, globalDefault: true };
    await refuses(admit(PriorityClass, another), /PriorityClass normal is already marked as default/);
  });

  test('runtime classes bring overhead and scheduling', async () => {
    reader.put(RuntimeClass, {
      metadata: { name: 'kata' },
      handler: 'kata',
      overhead: { podFixed: { memory: '100Mi' } },
      scheduling: { nodeSelector: { kata: 'yes' }, tolerations: [{ key: 'kata', operator: 'Exists' }] },
    });
    const { spec } = await admit(Pod, pod({ runtimeClassName: 'kata', nodeSelector: { a: 'b' } }));
    assert.deepEqual(spec.overhead, { memory: '100Mi' });
    assert.deepEqual(spec.nodeSelector, { a: 'b', kata: 'yes' });
    assert.ok(spec.tolerations?.some((t) => t.key === 'kata'));
    await refuses(
      admit(Pod, pod({ runtimeClassName: 'kata', nodeSelector: { kata: 'no' } })),
      /conflict: runtimeClass.scheduling.nodeSelector\[kata\]/,
    );
    await refuses(admit(Pod, pod({ overhead: { cpu: '1' } })), /Pod Overhead set without corresponding RuntimeClass/);
  });

  test('namespaces: missing, terminating, immortal', async () => {
    const inside = { metadata: { name: 'a', namespace: 'nons' } };
    await refuses(admit(ConfigMap, inside), 'namespaces "nons" not found', 404);
    reader.put(Namespace, { metadata: { name: 'nons' }, status: { phase: 'Terminating' } });
    await assert.rejects(admit(ConfigMap, inside), (e: StatusError) => {
      assert.match(e.message, /unable to create new content in namespace nons because it is being terminated/);
      assert.equal(e.details?.causes?.[0]?.reason, 'NamespaceTerminating');
      return true;
    });
    await admit(ConfigMap, inside, { old: inside });
    const system = { metadata: { name: 'kube-system' } };
    await refuses(
      admit(Namespace, undefined, { operation: 'DELETE', old: system }),
      'namespaces "kube-system" is forbidden: this namespace may not be deleted',
    );
  });

  test('limit ranges default and refuse', async () => {
    reader.put(LimitRange, {
      metadata: { name: 'l', namespace: 'shop' },
      spec: {
        limits: [
          {
            type: 'Container',
            default: { cpu: '500m' },
            defaultRequest: { cpu: '100m' },
            max: { cpu: '1' },
            min: { cpu: '50m' },
            maxLimitRequestRatio: { cpu: '5' },
          },
          { type: 'Pod', max: { memory: '1Gi' } },
          { type: 'PersistentVolumeClaim', max: { storage: '1Gi' } },
        ],
      },
    });
    const memory = { limits: { memory: '512Mi' } };
    const ok = await admit(Pod, pod({ containers: [{ name: 'c', resources: memory }] }));
    assert.deepEqual(ok.spec.containers[0]?.resources, { limits: { memory: '512Mi', cpu: '500m' }, requests: { cpu: '100m' } });
    assert.equal(
      ok.metadata.annotations?.['kubernetes.io/limit-ranger'],
      'LimitRanger plugin set: cpu request for container c; cpu limit for container c',
    );
    const with_ = (limits: object, requests: object) =>
      admit(Pod, pod({ containers: [{ name: 'c', resources: { limits: { memory: '1Mi', ...limits }, requests } }] }));
    await refuses(with_({ cpu: '2' }, { cpu: '1' }), /maximum cpu usage per Container is 1, but limit is 2/);
    await refuses(with_({ cpu: '100m' }, { cpu: '20m' }), /minimum cpu usage per Container is 50m, but request is 20m/);
    await refuses(
      with_({ cpu: '1' }, { cpu: '100m' }),
      /cpu max limit to request ratio per Container is 5, but provided ratio is 10.000000/,
    );
    await refuses(with_({ memory: '2Gi' }, {}), /maximum memory usage per Pod is 1Gi, but limit is 2Gi/);
    const claim = { metadata: { name: 'd', namespace: 'shop' }, spec: { resources: { requests: { storage: '2Gi' } } } };
    await refuses(
      admit(PersistentVolumeClaim, claim),
      /maximum storage usage per PersistentVolumeClaim is 1Gi, but request is 2Gi/,
    );
  });

  test('the newest default class wins; a claim grows only when its class lets it', async () => {
    const put = (name: string, creationTimestamp: string, isDefault: boolean) =>
      reader.put(StorageClass, {
        metadata: {
          name,
          creationTimestamp,
          annotations: isDefault ? { 'storageclass.kubernetes.io/is-default-class': 'true' } : {},
        },
        provisioner: 'x',
        allowVolumeExpansion: isDefault,
      });
    put('old', '2026-01-01T00:00:00Z', true);
    put('new', '2026-02-01T00:00:00Z', true);
    put('fixed', '2026-03-01T00:00:00Z', false);
    const claim = (storage: string, storageClassName?: string) => ({
      metadata: { name: 'd', namespace: 'shop' },
      spec: { resources: { requests: { storage } }, ...(storageClassName === undefined ? {} : { storageClassName }) },
      status: { phase: 'Bound' },
    });
    const made = await admit(PersistentVolumeClaim, claim('1Gi'));
    assert.equal(made.spec.storageClassName, 'new');
    assert.deepEqual(made.metadata.finalizers, ['kubernetes.io/pvc-protection']);
    assert.equal((await admit(PersistentVolumeClaim, claim('1Gi', ''))).spec.storageClassName, '');
    await admit(PersistentVolumeClaim, claim('2Gi', 'new'), { old: claim('1Gi', 'new') });
    await refuses(admit(PersistentVolumeClaim, claim('2Gi', 'fixed'), { old: claim('1Gi', 'fixed') }), /must support resize/);
    reader.put(IngressClass, {
      metadata: { name: 'web', annotations: { 'ingressclass.kubernetes.io/is-default-class': 'true' } },
    });
    assert.equal((await admit(Ingress, { metadata: { name: 'i', namespace: 'shop' }, spec: {} })).spec.ingressClassName, 'web');
  });

  test('quotas: charged, exceeded, retried, unknown', async () => {
    const quota = (hard: Record<string, string>, used?: Record<string, string>) =>
      reader.put(ResourceQuota, {
        metadata: { name: 'q', namespace: 'shop' },
        spec: { hard },
        status: used ? { hard, used } : { hard },
      });
    const map = { metadata: { name: 'm', namespace: 'shop' } };
    quota({ configmaps: '0' }, { configmaps: '5' });
    await refuses(
      admit(ConfigMap, map),
      'configmaps "m" is forbidden: exceeded quota: q, requested: configmaps=1, used: configmaps=5, limited: configmaps=0',
    );
    quota({ configmaps: '9' }, { configmaps: '5' });
    conflicts = 2;
    await admit(ConfigMap, map);
    assert.deepEqual(reader.get(ResourceQuota, { namespace: 'shop', name: 'q' })?.status.used, { configmaps: '6' });
    await admit(ConfigMap, map, { dryRun: true });
    await admit(ConfigMap, map, { old: map });
    assert.deepEqual(reader.get(ResourceQuota, { namespace: 'shop', name: 'q' })?.status.used, { configmaps: '6' });
    quota({ 'count/configmaps': '9' });
    await refuses(admit(ConfigMap, map), /status unknown for quota: q, resources: count\/configmaps/);
    quota(
      { 'requests.cpu': '1', pods: '10', 'limits.memory': '1Gi' },
      { 'requests.cpu': '900m', pods: '1', 'limits.memory': '0' },
    );
    await refuses(admit(Pod, pod()), /failed quota: q: must specify limits.memory for: c; requests.cpu for: c/);
    await admit(Pod, pod(), { old: pod() });
    const sized = (cpu: string) =>
      pod({ containers: [{ name: 'c', resources: { requests: { cpu }, limits: { memory: '1Mi' } } }] });
    await refuses(
      admit(Pod, sized('200m')),
      /exceeded quota: q, requested: requests.cpu=200m, used: requests.cpu=900m, limited: requests.cpu=1/,
    );
    await admit(Pod, sized('100m'));
    assert.deepEqual(reader.get(ResourceQuota, { namespace: 'shop', name: 'q' })?.status.used, {
      'requests.cpu': '1',
      pods: '2',
      'limits.memory': '1Mi',
    });
  });

  test('requests at the same time never take more than there is', async () => {
    const hard = { configmaps: '3' };
    reader.put(ResourceQuota, {
      metadata: { name: 'q', namespace: 'shop' },
      spec: { hard },
      status: { hard, used: { configmaps: '0' } },
    });
    const results = await Promise.allSettled(
      Array.from({ length: 10 }, (_, i) => admit(ConfigMap, { metadata: { name: `m${i}`, namespace: 'shop' } })),
    );
    assert.equal(results.filter((r) => r.status === 'fulfilled').length, 3);
    assert.deepEqual(reader.get(ResourceQuota, { namespace: 'shop', name: 'q' })?.status.used, { configmaps: '3' });
  });

  test('quotas with scopes count only what is within', async () => {
    reader.put(ResourceQuota, {
      metadata: { name: 'q', namespace: 'shop' },
      spec: { hard: { pods: '0' }, scopes: ['BestEffort'] },
      status: { hard: { pods: '0' }, used: { pods: '0' } },
    });
    await refuses(admit(Pod, pod()), /exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0/);
    await admit(Pod, pod({ containers: [{ name: 'c', resources: { requests: { cpu: '1m' } } }] }));
  });

  test('a pod that gets a deadline is charged to the quota of those that end', async () => {
    reader.put(ResourceQuota, {
      metadata: { name: 'q', namespace: 'shop' },
      spec: { hard: { pods: '1' }, scopes: ['Terminating'] },
      status: { hard: { pods: '1' }, used: { pods: '0' } },
    });
    const ending = pod({ containers: [{ name: 'c' }], activeDeadlineSeconds: 60 });
    await admit(Pod, ending, { old: pod() });
    assert.deepEqual(reader.get(ResourceQuota, { namespace: 'shop', name: 'q' })?.status.used, { pods: '1' });
    await admit(Pod, ending, { old: ending });
    await refuses(admit(Pod, ending), /exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1/);
  });

  test('resource claims are charged for devices of a class', async () => {
    const hard = { 'gold.deviceclass.resource.k8s.io/devices': '5', 'count/resourceclaims.resource.k8s.io': '9' };
    reader.put(ResourceQuota, {
      metadata: { name: 'q', namespace: 'shop' },
      spec: { hard },
      status: { hard, used: Object.fromEntries(Object.keys(hard).map((name) => [name, '0'])) },
    });
    const claim = (...requests: object[]) => ({ metadata: { name: 'c', namespace: 'shop' }, spec: { devices: { requests } } });
    const gold = { deviceClassName: 'gold', allocationMode: 'ExactCount' };
    const either = [
      { name: 'x', ...gold, count: 1 },
      { name: 'y', ...gold, count: 3 },
    ];
    await admit(ResourceClaim, claim({ name: 'a', exactly: { ...gold, count: 2 } }, { name: 'b', firstAvailable: either }));
    const { used } = reader.get(ResourceQuota, { namespace: 'shop', name: 'q' })!.status;
    assert.deepEqual(used, {
      'gold.deviceclass.resource.k8s.io/devices': '5',
      'count/resourceclaims.resource.k8s.io': '1',
    });
    const all = { deviceClassName: 'gold', allocationMode: 'All' };
    await refuses(
      admit(ResourceClaim, claim({ name: 'a', exactly: all })),
      /requested: gold.deviceclass.resource.k8s.io\/devices=32, used: gold.deviceclass.resource.k8s.io\/devices=5/,
    );
  });

  describe('pod security', () => {
    const demand = (labels: Record<string, string>) => {
      const full = Object.fromEntries(Object.entries(labels).map(([k, v]) => [`pod-security.kubernetes.io/${k}`, v]));
      reader.put(Namespace, { metadata: { name: 'shop', labels: full } });
    };

    test('baseline is enforced, restricted only warned about', async () => {
      demand({ enforce: 'baseline', warn: 'restricted' });
      await refuses(
        admit(Pod, pod({ hostNetwork: true })),
        'pods "p" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)',
      );
      await admit(Pod, pod());
      assert.deepEqual(warnings, [
        'would violate PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), ' +
          'unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), ' +
          'runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), ' +
          'seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
      ]);
    });

    const hard = {
      allowPrivilegeEscalation: false,
      capabilities: { drop: ['ALL'] },
      runAsNonRoot: true,
      seccompProfile: { type: 'RuntimeDefault' },
    };
    const rows: [string, object, RegExp | undefined][] = [
      ['a hardened pod', { containers: [{ name: 'c', securityContext: hard }] }, undefined],
      [
        'privileged',
        {
          containers: [
            { name: 'a', securityContext: { privileged: true } },
            { name: 'b', securityContext: { privileged: true } },
          ],
        },
        /privileged \(containers "a", "b" must not set securityContext.privileged=true\)/,
      ],
      [
        'host path',
        { volumes: [{ name: 'v', hostPath: { path: '/' } }] },
        /restricted volume types \(volume "v" uses restricted volume type "hostPath"\)/,
      ],
      [
        'host port',
        { containers: [{ name: 'c', ports: [{ containerPort: 1, hostPort: 80 }] }] },
        /hostPort \(container "c" uses hostPort 80\)/,
      ],
      [
        'capability',
        { containers: [{ name: 'c', securityContext: { capabilities: { add: ['SYS_ADMIN'] } } }] },
        /container "c" must not include "SYS_ADMIN" in securityContext.capabilities.add/,
      ],
      ['root user', { securityContext: { runAsUser: 0 } }, /runAsUser=0 \(pod must not set runAsUser=0\)/],
      [
        'unconfined',
        { securityContext: { seccompProfile: { type: 'Unconfined' } } },
        /seccompProfile \(pod must not set securityContext.seccompProfile.type to "Unconfined"\)/,
      ],
      [
        'sysctl',
        { securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } },
        /forbidden sysctls \(kernel.msgmax\)/,
      ],
      [
        'selinux',
        { securityContext: { seLinuxOptions: { type: 'x', user: 'u' } } },
        /seLinuxOptions \(pod set forbidden securityContext.seLinuxOptions: type "x"; user may not be set\)/,
      ],
      [
        'proc mount',
        { containers: [{ name: 'c', securityContext: { procMount: 'Unmasked' } }] },
        /procMount \(container "c" must not set securityContext.procMount to "Unmasked"\)/,
      ],
      [
        'probe host',
        { containers: [{ name: 'c', livenessProbe: { httpGet: { host: '1.2.3.4', port: 1 } } }] },
        /probe or lifecycle host \(container "c" uses probe or lifecycle host "1.2.3.4"\)/,
      ],
      [
        'app armor',
        { securityContext: { appArmorProfile: { type: 'Unconfined' } } },
        /forbidden AppArmor profile \(pod must not set AppArmor profile type to "Unconfined"\)/,
      ],
    ];
    for (const [name, spec, expected] of rows)
      test(`restricted: ${name}`, async () => {
        demand({ enforce: 'restricted' });
        reader.put(ServiceAccount, { metadata: { name: 'default', namespace: 'shop' }, automountServiceAccountToken: false });
        if (expected) await refuses(admit(Pod, pod(spec)), expected);
        else await admit(Pod, pod(spec));
      });

    test('an older version of the standard asks less', async () => {
      demand({ enforce: 'baseline', 'enforce-version': 'v1.26' });
      const sysctls = [{ name: 'net.ipv4.tcp_rmem', value: '1' }];
      await refuses(
        admit(Pod, pod({ securityContext: { sysctls } })),
        /violates PodSecurity "baseline:v1.26": forbidden sysctls/,
      );
      await admit(Pod, pod({ containers: [{ name: 'c', livenessProbe: { tcpSocket: { host: 'h', port: 1 } } }] }));
    });

    test('controllers are only warned about', async () => {
      demand({ enforce: 'baseline' });
      const apps = await import('../../api/kinds/apps/deployment.ts');
      await admit(apps.Deployment, {
        metadata: { name: 'd', namespace: 'shop' },
        spec: { template: { metadata: {}, spec: { hostPID: true, containers: [] } } },
      });
      assert.deepEqual(warnings, ['would violate PodSecurity "baseline:latest": host namespaces (hostPID=true)']);
    });

    test('labels are checked, and existing pods are mentioned', async () => {
      const space = (enforce: string) => ({
        metadata: { name: 'shop', labels: { 'pod-security.kubernetes.io/enforce': enforce } },
      });
      await refuses(admit(Namespace, space('strict')), /must be one of privileged, baseline, restricted/, 422);
      reader.put(Pod, pod({ hostNetwork: true }, { name: 'one' }) as unknown as Sketch<Pod>);
      reader.put(Pod, pod({ hostNetwork: true }, { name: 'two' }) as unknown as Sketch<Pod>);
      await admit(Namespace, space('baseline'), { old: { metadata: { name: 'shop' } } });
      assert.deepEqual(warnings, [
        'existing pods in namespace "shop" violate the new PodSecurity enforce level "baseline:latest"',
        'one (and 1 other pod): host namespaces',
      ]);
    });
  });

  test('a pod does not grow beyond its node; it learns the zone of its node', async () => {
    reader.put(Node, {
      metadata: { name: 'pi', labels: { 'topology.kubernetes.io/zone': 'shed', other: 'x' } },
      status: { allocatable: { cpu: '2', memory: '1Gi' } },
    });
    const sized = (cpu: string, generation: number) =>
      pod({ nodeName: 'pi', containers: [{ name: 'c', resources: { requests: { cpu } } }] }, { generation });
    await admit(Pod, sized('2', 2), { old: sized('1', 1), subresource: 'resize' });
    await refuses(
      admit(Pod, sized('3', 2), { old: sized('1', 1), subresource: 'resize' }),
      'pods "p" is forbidden: node didn\'t have enough allocatable resources: cpu, requested: 3000, allocatable: 2000',
    );
    const binding = { metadata: { name: 'p', namespace: 'shop' }, target: { kind: 'Node', name: 'pi' } };
    const { metadata } = await admit(Pod, binding, { subresource: 'binding' });
    assert.deepEqual(metadata.labels, { 'topology.kubernetes.io/zone': 'shed' });
  });

  describe('what nodes may write', () => {
    const nodeObject = (labels: Record<string, string> = {}, spec: object = {}) => ({ metadata: { name: 'pi', labels }, spec });
    const asNode = { user: piNode };

    test('a new node is tainted until it is ready', async () => {
      const made = await admit(Node, nodeObject({ 'kubernetes.io/hostname': 'pi', 'skiff.dev/model': 'pi5' }), asNode);
      assert.deepEqual(made.spec.taints, [{ key: 'node.kubernetes.io/not-ready', effect: 'NoSchedule' }]);
    });

    test('only itself, without taints and reserved labels', async () => {
      const other = { metadata: { name: 'zero' } };
      await refuses(admit(Node, other, { ...asNode, old: other }), /node "pi" is not allowed to modify node "zero"/);
      const tainted = nodeObject({}, { taints: [{ key: 'a', effect: 'NoSchedule' }] });
      await refuses(admit(Node, nodeObject(), { ...asNode, old: tainted }), /node "pi" is not allowed to modify taints/);
      const configured = nodeObject({}, { configSource: { configMap: { namespace: 'a', name: 'b', kubeletConfigKey: 'c' } } });
      await refuses(admit(Node, configured, { ...asNode, old: nodeObject() }), /not allowed to update configSource/);
      await refuses(admit(Node, configured, asNode), /with a non-nil configSource/);
      await refuses(
        admit(Node, nodeObject({ 'node-role.kubernetes.io/x': '' }), { ...asNode, old: nodeObject() }),
        'nodes "pi" is forbidden: is not allowed to modify labels: node-role.kubernetes.io/x',
      );
      await refuses(admit(Node, nodeObject({ 'a.node-restriction.kubernetes.io/b': '' }), asNode), /set the following labels/);
      await admit(Node, nodeObject({ 'node.kubernetes.io/instance-type': 'pi', 'acme.com/rack': '1' }), {
        ...asNode,
        old: nodeObject(),
      });
    });

    test('pods bound to it, tokens for them, nothing more', async () => {
      const bound = reader.put(Pod, pod({ nodeName: 'pi' }) as unknown as Sketch<Pod>);
      const elsewhere = reader.put(Pod, pod({ nodeName: 'zero' }, { name: 'far' }) as unknown as Sketch<Pod>);
      await admit(Pod, bound, { ...asNode, old: bound, subresource: 'status' });
      await refuses(
        admit(Pod, elsewhere, { ...asNode, old: elsewhere, subresource: 'status' }),
        /can only update pod status for pods with spec.nodeName set to itself/,
      );
      await refuses(
        admit(Pod, undefined, { ...asNode, operation: 'DELETE', old: elsewhere }),
        /can only delete pods with spec.nodeName set to itself/,
      );
      const evict = { metadata: { name: 'far', namespace: 'shop' } };
      await refuses(
        admit(Pod, evict, { ...asNode, old: elsewhere, subresource: 'eviction' }),
        'pods "far" is forbidden: node pi can only evict pods with spec.nodeName set to itself',
      );
      const missing = { ...evict, metadata: { name: 'gone', namespace: 'shop' } };
      await refuses(admit(Pod, missing, { ...asNode, subresource: 'eviction' }), 'pod "gone" not found', 404);
      const stranger = { name: 'bob', groups: ['system:nodes'], extra: {} };
      await admit(Pod, elsewhere, { user: stranger, old: elsewhere, subresource: 'status' });
      await refuses(admit(Pod, pod(), asNode), /can only create mirror pods/);
      const token = (of: Pod) => ({
        metadata: { name: 'default', namespace: 'shop' },
        spec: { audiences: [], boundObjectRef: { apiVersion: 'v1', kind: 'Pod', name: of.metadata.name, uid: of.metadata.uid } },
      });
      const request = { ...asNode, subresource: 'token' };
      await refuses(admit(ServiceAccount, token(elsewhere), request), /token bound to a pod scheduled on a different node/);
      await refuses(admit(ServiceAccount, { ...token(bound), spec: {} }, request), /token not bound to a pod/);
      await refuses(admit(ServiceAccount, token(bound), request), /audience "" not found in pod spec volume/);
      const projected = { sources: [{ serviceAccountToken: { path: 'token' } }] };
      const mounting = reader.put(
        Pod,
        pod({ nodeName: 'pi', volumes: [{ name: 'v', projected }] }, { name: 'mounts' }) as unknown as Sketch<Pod>,
      );
      await admit(ServiceAccount, token(mounting), request);
      const forVault = { ...token(mounting), spec: { ...token(mounting).spec, audiences: ['vault'] } };
      await refuses(admit(ServiceAccount, forVault, request), /audience "vault" not found in pod spec volume/);
      const csi = reader.put(
        Pod,
        pod(
          { nodeName: 'pi', volumes: [{ name: 'v', csi: { driver: 'vault.csi' } }] },
          { name: 'csi' },
        ) as unknown as Sketch<Pod>,
      );
      const forDriver = { ...token(csi), spec: { ...token(csi).spec, audiences: ['vault'] } };
      await refuses(admit(ServiceAccount, forDriver, request), /audience "vault" not found/);
      reader.put(CSIDriver, { metadata: { name: 'vault.csi' }, spec: { tokenRequests: [{ audience: 'vault' }] } });
      await admit(ServiceAccount, forDriver, request);
    });

    test('certificates in its own name', async () => {
      const csr = (commonName: string) => ({
        metadata: { name: 'r' },
        spec: {
          signerName: 'kubernetes.io/kubelet-serving',
          request: Buffer.from(
            createRequest({ subject: { commonName, organizations: ['system:nodes'] }, privateKey: generatePrivateKey() }),
          ).toString('base64'),
        },
      });
      await admit(CertificateSigningRequest, csr('system:node:pi'), asNode);
      await refuses(
        admit(CertificateSigningRequest, csr('system:node:zero'), asNode),
        /can only create a node CSR with CN=system:node:pi/,
      );
    });
  });

  test('approving and signing need the signer; nobody gets a certificate of the masters', async () => {
    const csr = (organization: string, status: object = {}) => ({
      metadata: { name: 'r' },
      spec: {
        signerName: 'kubernetes.io/kube-apiserver-client',
        request: Buffer.from(
          createRequest({ subject: { commonName: 'x', organizations: [organization] }, privateKey: generatePrivateKey() }),
        ).toString('base64'),
      },
      status,
    });
    await refuses(admit(CertificateSigningRequest, csr('system:masters')), /signer with system:masters group is not allowed/);
    await admit(CertificateSigningRequest, csr('dev'));
    const old = csr('dev');
    const signed = { ...old, status: { certificate: 'AAAA' } };
    await refuses(
      admit(CertificateSigningRequest, old, { old, subresource: 'approval', user: bob }),
      /user not permitted to approve requests with signerName/,
    );
    await refuses(
      admit(CertificateSigningRequest, signed, { old, subresource: 'status', user: bob }),
      /user not permitted to sign requests/,
    );
    const rules = [
      {
        verbs: ['approve', 'sign'],
        apiGroups: ['certificates.k8s.io'],
        resources: ['signers'],
        resourceNames: ['kubernetes.io/*'],
      },
    ];
    reader.put(ClusterRole, { metadata: { name: 's' }, rules });
    reader.put(ClusterRoleBinding, {
      metadata: { name: 's' },
      roleRef: { apiGroup: '', kind: 'ClusterRole', name: 's' },
      subjects: [{ kind: 'User', name: 'bob' }],
    });
    await admit(CertificateSigningRequest, old, { old, subresource: 'approval', user: bob });
    await admit(CertificateSigningRequest, signed, { old, subresource: 'status', user: bob });
  });

  test('nobody grants what they do not hold', async () => {
    const held = [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }];
    reader.put(Role, { metadata: { name: 'own', namespace: 'shop' }, rules: held });
    const ref = (name: string, kind = 'Role') => ({ apiGroup: 'rbac.authorization.k8s.io', kind, name });
    reader.put(RoleBinding, {
      metadata: { name: 'own', namespace: 'shop' },
      roleRef: ref('own'),
      subjects: [{ kind: 'User', name: 'bob' }],
    });
    reader.put(ClusterRole, { metadata: { name: 'big' }, rules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }] });
    const role = (rules: object[]) => ({ metadata: { name: 'r', namespace: 'shop' }, rules });
    const binding = (roleRef: object) => ({ metadata: { name: 'b', namespace: 'shop' }, roleRef, subjects: [] });
    const asBob = { user: bob };
    await admit(Role, role(held), asBob);
    await refuses(
      admit(Role, role([{ verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'] }]), asBob),
      'roles.rbac.authorization.k8s.io "r" is forbidden: user "bob" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n' +
        '{APIGroups:[""], Resources:["pods"], Verbs:["list"]}',
    );
    await admit(RoleBinding, binding(ref('own')), asBob);
    await refuses(
      admit(RoleBinding, binding(ref('big', 'ClusterRole')), asBob),
      /attempting to grant RBAC permissions not currently held/,
    );
    await refuses(
      admit(RoleBinding, binding(ref('none')), asBob),
      'rolebindings.rbac.authorization.k8s.io "none" not found',
      404,
    );
    await refuses(admit(RoleBinding, binding(ref('')), asBob), 'Name parameter required.', 400);
    await admit(RoleBinding, binding(ref('big', 'ClusterRole')));
    const everything = { ...role([{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }]) };
    const annotated = { ...everything, metadata: { ...everything.metadata, annotations: { a: 'b' } } };
    await refuses(admit(Role, annotated, { ...asBob, old: everything }), /attempting to grant RBAC permissions/);
    const collected = { ...everything, metadata: { ...everything.metadata, finalizers: ['a/b'] } };
    await admit(Role, collected, { ...asBob, old: everything });
    const aggregating = { metadata: { name: 'a' }, aggregationRule: { clusterRoleSelectors: [{}] } };
    await refuses(admit(ClusterRole, aggregating, asBob), /must have cluster-admin privileges to use the aggregationRule/);
    reader.put(ClusterRole, {
      metadata: { name: 'binder' },
      rules: [
        { verbs: ['bind'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['clusterroles'], resourceNames: ['big'] },
        { verbs: ['escalate'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['roles'] },
      ],
    });
    reader.put(ClusterRoleBinding, {
      metadata: { name: 'x' },
      roleRef: ref('binder', 'ClusterRole'),
      subjects: [{ kind: 'User', name: 'bob' }],
    });
    await admit(RoleBinding, binding(ref('big', 'ClusterRole')), asBob);
    await admit(Role, role([{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }]), asBob);
  });
});
