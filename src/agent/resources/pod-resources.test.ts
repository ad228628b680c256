import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResourceRequirements } from '../../api/generated/types.ts';
import { testPod } from '../testing.ts';
import { cpuQuota, cpuShares, oomScoreAdj, podLimits } from './pod-resources.ts';
import { qosClass } from './qos.ts';

const pod = (...all: ResourceRequirements[]) =>
  testPod({ containers: all.map((resources, i) => ({ name: `c${i}`, image: 'x', resources })) });
const both = { cpu: '500m', memory: '64Mi' };

for (const [name, resources, expected] of [
  ['nothing asked for', [{}], 'BestEffort'],
  ['a request', [{ requests: { cpu: '1' } }], 'Burstable'],
  ['limits are requests too', [{ limits: both }], 'Guaranteed'],
  ['both equal', [{ limits: both, requests: both }], 'Guaranteed'],
  ['both differ', [{ limits: both, requests: { cpu: '1m', memory: '64Mi' } }], 'Burstable'],
  ['only one container has limits', [{ limits: both }, {}], 'Burstable'],
  ['zero is nothing', [{ requests: { cpu: '0' } }], 'BestEffort'],
] as const)
  test(`quality of service: ${name}`, () => assert.equal(qosClass(pod(...resources)), expected));

for (const [milli, shares, quota] of [
  [0, 2, undefined],
  [1, 2, 1000],
  [100, 102, 10_000],
  [1000, 1024, 100_000],
  [1_000_000, 262_144, 100_000_000],
] as const)
  test(`${milli}m of a core`, () => {
    assert.equal(cpuShares(milli), shares);
    assert.equal(cpuQuota(milli), quota);
  });

test('a pod is limited only where all its containers are', () => {
  assert.deepEqual(podLimits(pod({ limits: both }, { limits: both })), {
    cpuShares: 1024,
    cpuQuota: 100_000,
    cpuPeriod: 100_000,
    memoryBytes: 128 * 1024 * 1024,
  });
  assert.deepEqual(podLimits(pod({ limits: both }, {})), { cpuShares: 512 });
});

test('a large init container counts, sidecars add up', () => {
  const limits = (memory: string) => ({ limits: { memory, cpu: '1' } });
  const made = testPod({
    initContainers: [
      { name: 'side', restartPolicy: 'Always', resources: limits('10Mi') },
      { name: 'init', resources: limits('100Mi') },
    ],
    containers: [{ name: 'app', resources: limits('20Mi') }],
    overhead: { memory: '5Mi' },
  });
  assert.equal(podLimits(made).memoryBytes, 115 * 1024 * 1024);
});

test('who asked for little memory is killed first', () => {
  const score = (resources: ResourceRequirements) => {
    const made = pod(resources);
    return oomScoreAdj(made, made.spec.containers[0]!, 1024 * 1024 * 1024);
  };
  assert.equal(score({}), 1000);
  assert.equal(score({ limits: both }), -997);
  assert.equal(score({ requests: { memory: '512Mi' } }), 500);
  assert.equal(score({ requests: { cpu: '1m' } }), 999);
  assert.equal(score({ requests: { memory: '1Gi' } }), 3);
});
