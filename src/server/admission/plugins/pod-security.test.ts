import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { admissionBench, refuses, shopPod } from '../../../../test/support/admission-bench.ts';
import type { FakeReader, Sketch } from '../../../../test/support/fake-reader.ts';
import { Deployment } from '../../../api/kinds/apps/deployment.ts';
import { Namespace } from '../../../api/kinds/core/namespace.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import { ServiceAccount } from '../../../api/kinds/core/service-account.ts';

describe('pod security', () => {
  const demand = (reader: FakeReader, labels: Record<string, string>): void => {
    const full = Object.fromEntries(Object.entries(labels).map(([k, v]) => [`pod-security.kubernetes.io/${k}`, v]));
    reader.put(Namespace, { metadata: { name: 'shop', labels: full } });
  };

  test('baseline is enforced, restricted only warned about', async () => {
    const { reader, warnings, admit } = admissionBench();
    demand(reader, { enforce: 'baseline', warn: 'restricted' });
    await refuses(
      admit(Pod, shopPod({ hostNetwork: true })),
      'pods "p" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostNetwork=true)',
    );
    await admit(Pod, shopPod());
    assert.deepEqual(warnings, [
      'would violate PodSecurity "restricted:latest": allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), ' +
        'unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), ' +
        'runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), ' +
        'seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
    ]);
  });

  test('an older version of the standard asks less', async () => {
    const { reader, admit } = admissionBench();
    demand(reader, { enforce: 'baseline', 'enforce-version': 'v1.26' });
    const sysctls = [{ name: 'net.ipv4.tcp_rmem', value: '1' }];
    await refuses(
      admit(Pod, shopPod({ securityContext: { sysctls } })),
      /violates PodSecurity "baseline:v1.26": forbidden sysctls/,
    );
    await admit(Pod, shopPod({ containers: [{ name: 'c', livenessProbe: { tcpSocket: { host: 'h', port: 1 } } }] }));
  });

  test('updates are looked at when they bring another image or container', async () => {
    const { reader, admit } = admissionBench();
    demand(reader, { enforce: 'baseline' });
    const old = shopPod({ hostNetwork: true });
    await admit(Pod, shopPod({ hostNetwork: true }, { labels: { a: 'b' } }), { old });
    const other = shopPod({ hostNetwork: true, containers: [{ name: 'c', image: 'other' }] });
    await refuses(admit(Pod, other, { old }), /violates PodSecurity "baseline:latest"/);
    const ephemeralContainers = [{ name: 'd', image: 'i', securityContext: { privileged: true } }];
    const account = { serviceAccountName: 'default' };
    const debugging = { old: shopPod(account), subresource: 'ephemeralcontainers' };
    const debugged = admit(Pod, shopPod({ ...account, ephemeralContainers }), debugging);
    await refuses(debugged, /privileged \(container "d" must not set securityContext.privileged=true\)/);
  });

  test('controllers are only warned about', async () => {
    const { reader, warnings, admit } = admissionBench();
    demand(reader, { enforce: 'baseline' });
    await admit(Deployment, {
      metadata: { name: 'd', namespace: 'shop' },
      spec: { template: { metadata: {}, spec: { hostPID: true, containers: [] } } },
    });
    assert.deepEqual(warnings, ['would violate PodSecurity "baseline:latest": host namespaces (hostPID=true)']);
  });

  test('labels are checked, and existing pods are mentioned', async () => {
    const { reader, warnings, admit } = admissionBench();
    const space = (enforce: string) => ({
      metadata: { name: 'shop', labels: { 'pod-security.kubernetes.io/enforce': enforce } },
    });
    await refuses(admit(Namespace, space('strict')), /must be one of privileged, baseline, restricted/, 422);
    reader.put(Pod, shopPod({ hostNetwork: true }, { name: 'one' }) as unknown as Sketch<Pod>);
    reader.put(Pod, shopPod({ hostNetwork: true }, { name: 'two' }) as unknown as Sketch<Pod>);
    await admit(Namespace, space('baseline'), { old: { metadata: { name: 'shop' } } });
    assert.deepEqual(warnings, [
      'existing pods in namespace "shop" violate the new PodSecurity enforce level "baseline:latest"',
      'one (and 1 other pod): host namespaces',
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
    ['sysctl', { securityContext: { sysctls: [{ name: 'kernel.msgmax', value: '1' }] } }, /forbidden sysctls \(kernel.msgmax\)/],
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
      const { reader, admit } = admissionBench();
      demand(reader, { enforce: 'restricted' });
      reader.put(ServiceAccount, { metadata: { name: 'default', namespace: 'shop' }, automountServiceAccountToken: false });
      if (expected) await refuses(admit(Pod, shopPod(spec)), expected);
      else await admit(Pod, shopPod(spec));
    });
});
