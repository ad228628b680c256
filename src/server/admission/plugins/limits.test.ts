import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { admissionBench, refuses, shopPod } from '../../../../test/support/admission-bench.ts';
import { ConfigMap } from '../../../api/kinds/core/config-map.ts';
import { LimitRange } from '../../../api/kinds/core/limit-range.ts';
import { PersistentVolumeClaim } from '../../../api/kinds/core/persistent-volume-claim.ts';
import { Pod } from '../../../api/kinds/core/pod.ts';
import { ResourceQuota } from '../../../api/kinds/core/resource-quota.ts';
import { ResourceClaim } from '../../../api/kinds/resource/resource-claim.ts';

describe('admission within limits', () => {
  test('limit ranges default and refuse', async () => {
    const { reader, admit } = admissionBench();
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
    const ok = await admit(Pod, shopPod({ containers: [{ name: 'c', resources: memory }] }));
    assert.deepEqual(ok.spec.containers[0]?.resources, { limits: { memory: '512Mi', cpu: '500m' }, requests: { cpu: '100m' } });
    assert.equal(
      ok.metadata.annotations?.['kubernetes.io/limit-ranger'],
      'LimitRanger plugin set: cpu request for container c; cpu limit for container c',
    );
    const with_ = (limits: object, requests: object) =>
      admit(Pod, shopPod({ containers: [{ name: 'c', resources: { limits: { memory: '1Mi', ...limits }, requests } }] }));
    await refuses(with_({ cpu: '2' }, { cpu: '1' }), /maximum cpu usage per Container is 1, but limit is 2/);
    await refuses(with_({ cpu: '100m' }, { cpu: '20m' }), /minimum cpu usage per Container is 50m, but request is 20m/);
    await refuses(
      with_({ cpu: '1' }, { cpu: '100m' }),
      /cpu max limit to request ratio per Container is 5, but provided ratio is 10.000000/,
    );
    await refuses(with_({ memory: '2Gi' }, {}), /maximum memory usage per Pod is 1Gi, but limit is 2Gi/);
    const large = shopPod({
      containers: [{ name: 'c', resources: { limits: { memory: '2Gi', cpu: '1' }, requests: { cpu: '1' } } }],
    });
    await refuses(admit(Pod, large, { old: shopPod(), subresource: 'resize' }), /maximum memory usage per Pod is 1Gi/);
    await admit(Pod, large, { old: large });
    const claim = { metadata: { name: 'd', namespace: 'shop' }, spec: { resources: { requests: { storage: '2Gi' } } } };
    await refuses(
      admit(PersistentVolumeClaim, claim),
      /maximum storage usage per PersistentVolumeClaim is 1Gi, but request is 2Gi/,
    );
  });

  test('quotas: charged, exceeded, retried, unknown', async () => {
    const { reader, admit, loseRaces } = admissionBench();
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
    loseRaces(2);
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
    await refuses(admit(Pod, shopPod()), /failed quota: q: must specify limits.memory for: c; requests.cpu for: c/);
    await admit(Pod, shopPod(), { old: shopPod() });
    const sized = (cpu: string) =>
      shopPod({ containers: [{ name: 'c', resources: { requests: { cpu }, limits: { memory: '1Mi' } } }] });
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
    const { reader, admit } = admissionBench();
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
    const { reader, admit } = admissionBench();
    reader.put(ResourceQuota, {
      metadata: { name: 'q', namespace: 'shop' },
      spec: { hard: { pods: '0' }, scopes: ['BestEffort'] },
      status: { hard: { pods: '0' }, used: { pods: '0' } },
    });
    await refuses(admit(Pod, shopPod()), /exceeded quota: q, requested: pods=1, used: pods=0, limited: pods=0/);
    await admit(Pod, shopPod({ containers: [{ name: 'c', resources: { requests: { cpu: '1m' } } }] }));
  });

  test('a pod that gets a deadline is charged to the quota of those that end', async () => {
    const { reader, admit } = admissionBench();
    reader.put(ResourceQuota, {
      metadata: { name: 'q', namespace: 'shop' },
      spec: { hard: { pods: '1' }, scopes: ['Terminating'] },
      status: { hard: { pods: '1' }, used: { pods: '0' } },
    });
    const ending = shopPod({ containers: [{ name: 'c' }], activeDeadlineSeconds: 60 });
    await admit(Pod, ending, { old: shopPod() });
    assert.deepEqual(reader.get(ResourceQuota, { namespace: 'shop', name: 'q' })?.status.used, { pods: '1' });
    await admit(Pod, ending, { old: ending });
    await refuses(admit(Pod, ending), /exceeded quota: q, requested: pods=1, used: pods=1, limited: pods=1/);
  });

  test('resource claims are charged for devices of a class', async () => {
    const { reader, admit } = admissionBench();
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
});
