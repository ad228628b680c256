import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { admissionBench, refuses, shopPod } from '../../../../test/support/admission-bench.ts';
import { Node } from '../../../api/kinds/core/node.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import { ServiceAccount } from '../../../api/kinds/core/service-account.ts';
import { RuntimeClass } from '../../../api/kinds/node/runtime-class.ts';
import { PriorityClass } from '../../../api/kinds/scheduling/priority-class.ts';

describe('admission of pods', () => {
  test('a pod gets account, token, priority and tolerations', async () => {
    const { admit } = admissionBench();
    const { spec } = await admit(Pod, shopPod());
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
    const { reader, admit } = admissionBench();
    reader.put(ServiceAccount, {
      metadata: { name: 'quiet', namespace: 'shop' },
      automountServiceAccountToken: false,
      imagePullSecrets: [{ name: 'reg' }],
    });
    const tolerations = [{ operator: 'Exists' }];
    const { spec } = await admit(Pod, shopPod({ serviceAccountName: 'quiet', tolerations }));
    assert.equal(spec.volumes, undefined);
    assert.deepEqual(spec.imagePullSecrets, [{ name: 'reg' }]);
    assert.deepEqual(spec.tolerations, tolerations);
  });

  test('the first pod of a namespace waits for its account, not for ever', async () => {
    const { reader, clock, admit } = admissionBench();
    reader.remove(ServiceAccount, { namespace: 'shop', name: 'default' });
    const first = admit(Pod, shopPod());
    await new Promise(setImmediate);
    reader.put(ServiceAccount, { metadata: { name: 'default', namespace: 'shop' } });
    assert.equal((await first).spec.serviceAccountName, 'default');
    reader.remove(ServiceAccount, { namespace: 'shop', name: 'default' });
    const second = refuses(admit(Pod, shopPod()), /serviceaccount "default" not found/);
    await new Promise(setImmediate);
    clock.advance(2_000);
    await second;
  });

  test('accounts that limit secrets limit those of containers for debugging, too', async () => {
    const { reader, admit } = admissionBench();
    const annotations = { 'kubernetes.io/enforce-mountable-secrets': 'true' };
    reader.put(ServiceAccount, { metadata: { name: 'strict', namespace: 'shop', annotations } });
    const envFrom = [{ secretRef: { name: 'hidden' } }];
    const old = shopPod({ serviceAccountName: 'strict' });
    const debugged = shopPod({ serviceAccountName: 'strict', ephemeralContainers: [{ name: 'd', image: 'i', envFrom }] });
    await refuses(admit(Pod, debugged, { old, subresource: 'ephemeralcontainers' }), /ephemeral container d .*hidden/);
  });

  test('classes that do not exist', async () => {
    const { admit } = admissionBench();
    await refuses(
      admit(Pod, shopPod({ priorityClassName: 'nope' })),
      'pods "p" is forbidden: no PriorityClass with name nope was found',
    );
    await refuses(
      admit(Pod, shopPod({ serviceAccountName: 'nope' })),
      'pods "p" is forbidden: error looking up service account shop/nope: serviceaccount "nope" not found',
    );
    await refuses(
      admit(Pod, shopPod({ runtimeClassName: 'nope' })),
      'pods "p" is forbidden: pod rejected: RuntimeClass "nope" not found',
    );
  });

  test('priority classes', async () => {
    const { reader, admit } = admissionBench();
    reader.put(PriorityClass, { metadata: { name: 'high' }, value: 1000, preemptionPolicy: 'Never' });
    reader.put(PriorityClass, { metadata: { name: 'normal' }, value: 5, globalDefault: true });
    assert.deepEqual(
      ((p) => [p.spec.priority, p.spec.preemptionPolicy])(await admit(Pod, shopPod({ priorityClassName: 'high' }))),
      [1000, 'Never'],
    );
    assert.deepEqual(((p) => [p.spec.priority, p.spec.priorityClassName])(await admit(Pod, shopPod())), [5, 'normal']);
    await refuses(admit(Pod, shopPod({ priority: 7 })), /the integer value of priority \(7\) must not be provided/);
    const old = shopPod({ priority: 5, preemptionPolicy: 'Never' });
    const { spec } = await admit(Pod, shopPod(), { old });
    assert.deepEqual([spec.priority, spec.preemptionPolicy], [5, 'Never'], 'clients that do not know the fields leave them');
    const another = { metadata: { name: 'other' }, value: 1, globalDefault: true };
    await refuses(admit(PriorityClass, another), /PriorityClass normal is already marked as default/);
  });

  test('runtime classes bring overhead and scheduling', async () => {
    const { reader, admit } = admissionBench();
    reader.put(RuntimeClass, {
      metadata: { name: 'kata' },
      handler: 'kata',
      overhead: { podFixed: { memory: '100Mi' } },
      scheduling: { nodeSelector: { kata: 'yes' }, tolerations: [{ key: 'kata', operator: 'Exists' }] },
    });
    const { spec } = await admit(Pod, shopPod({ runtimeClassName: 'kata', nodeSelector: { a: 'b' } }));
    assert.deepEqual(spec.overhead, { memory: '100Mi' });
    assert.deepEqual(spec.nodeSelector, { a: 'b', kata: 'yes' });
    assert.ok(spec.tolerations?.some((t) => t.key === 'kata'));
    const own = { runtimeClassName: 'kata', tolerations: [{ key: 'kata', operator: 'Exists' }] };
    const tolerating = (await admit(Pod, shopPod(own))).spec.tolerations;
    assert.equal(tolerating?.filter((t) => t.key === 'kata').length, 1, 'once is enough');
    await refuses(
      admit(Pod, shopPod({ runtimeClassName: 'kata', nodeSelector: { kata: 'no' } })),
      /conflict: runtimeClass.scheduling.nodeSelector\[kata\]/,
    );
    await refuses(admit(Pod, shopPod({ overhead: { cpu: '1' } })), /Pod Overhead set without corresponding RuntimeClass/);
  });

  test('a pod does not grow beyond its node; it learns the zone of its node', async () => {
    const { reader, admit } = admissionBench();
    reader.put(Node, {
      metadata: { name: 'pi', labels: { 'topology.kubernetes.io/zone': 'shed', other: 'x' } },
      status: { allocatable: { cpu: '2', memory: '1Gi' } },
    });
    const sized = (cpu: string, generation: number) =>
      shopPod({ nodeName: 'pi', containers: [{ name: 'c', resources: { requests: { cpu } } }] }, { generation });
    await admit(Pod, sized('2', 2), { old: sized('1', 1), subresource: 'resize' });
    await refuses(
      admit(Pod, sized('3', 2), { old: sized('1', 1), subresource: 'resize' }),
      'pods "p" is forbidden: node didn\'t have enough allocatable resources: cpu, requested: 3000, allocatable: 2000',
    );
    const binding = { metadata: { name: 'p', namespace: 'shop' }, target: { kind: 'Node', name: 'pi' } };
    const { metadata } = await admit(Pod, binding, { subresource: 'binding' });
    assert.deepEqual(metadata.labels, { 'topology.kubernetes.io/zone': 'shed' });
  });
});
