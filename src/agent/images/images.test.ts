import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Secret } from '../../api/generated/types.ts';
import { FakeClock } from '../../lib/clock.ts';
import { silentLogger } from '../../lib/log.ts';
import { FakeRuntime } from '../../runtime/fake-runtime.ts';
import { ImageError } from '../../runtime/runtime.ts';
import { ImageCollector } from './image-collector.ts';
import { importImages } from './image-import.ts';
import { defaultPullPolicy, isValidImageName, splitImage } from './image-name.ts';
import { ImagePuller } from './image-puller.ts';
import { credentialsFor } from './pull-secrets.ts';

for (const [image, valid, host, path, policy] of [
  ['busybox', true, 'docker.io', 'library/busybox', 'Always'],
  ['busybox:1.36', true, 'docker.io', 'library/busybox', 'IfNotPresent'],
  ['busybox:latest', true, 'docker.io', 'library/busybox', 'Always'],
  ['grafana/grafana:9', true, 'docker.io', 'grafana/grafana', 'IfNotPresent'],
  ['ghcr.io/a/b:1', true, 'ghcr.io', 'a/b', 'IfNotPresent'],
  ['localhost:5000/x', true, 'localhost:5000', 'x', 'Always'],
  [`x@sha256:${'a'.repeat(64)}`, true, 'docker.io', 'library/x', 'IfNotPresent'],
  ['Nginx', false, 'docker.io', 'library/Nginx', 'Always'],
  ['a//b', false, 'docker.io', 'a//b', 'Always'],
  ['x:', false, 'docker.io', 'library/x:', 'Always'],
] as const)
  test(`the image name ${image.slice(0, 30)}`, () => {
    assert.equal(isValidImageName(image), valid);
    assert.deepEqual(splitImage(image), { host, path });
    assert.equal(defaultPullPolicy(image), policy);
  });

test('credentials: the most specific key first, other registries not at all', () => {
  const auths = {
    'https://index.docker.io/v1/': { auth: 'hub' },
    'ghcr.io': { username: 'u', password: 'p' },
    'ghcr.io/team': { identitytoken: 't' },
    '*.example.com': { auth: 'wild' },
  };
  const secret = {
    type: 'kubernetes.io/dockerconfigjson',
    data: { '.dockerconfigjson': Buffer.from(JSON.stringify({ auths })).toString('base64') },
  } as unknown as Secret;
  const of = (image: string): unknown => credentialsFor(image, [secret]);
  assert.deepEqual(of('busybox'), [{ auth: 'hub' }]);
  assert.deepEqual(of('ghcr.io/team/app:1'), [{ identityToken: 't' }, { username: 'u', password: 'p' }]);
  assert.deepEqual(of('ghcr.io/teams/app:1'), [{ username: 'u', password: 'p' }]);
  assert.deepEqual(of('r.example.com/x'), [{ auth: 'wild' }]);
  assert.deepEqual(of('quay.io/x'), []);
});

function puller(): {
  ensure(image: string, policy?: string): Promise<unknown>;
  events: string[];
  runtime: FakeRuntime;
  clock: FakeClock;
} {
  const clock = new FakeClock();
  const runtime = new FakeRuntime({ clock, images: ['there:1'] });
  const pulls = new ImagePuller({ runtime, clock });
  const events: string[] = [];
  const ensure = (image: string, policy = 'IfNotPresent'): Promise<unknown> =>
    pulls.ensure(
      { name: 'main', image, imagePullPolicy: policy },
      { podUid: 'u', secrets: async () => [], event: (_, reason, message) => events.push(`${reason}: ${message}`) },
    );
  return { ensure, events, runtime, clock };
}

test('an image that is there is not pulled, unless always', async () => {
  const { ensure, events, runtime } = puller();
  await ensure('there:1');
  assert.deepEqual(events, ['Pulled: Container image "there:1" already present on machine and can be accessed by the pod']);
  await ensure('there:1', 'Always');
  assert.ok(runtime.calls.includes('pullImage there:1'));
});

test('with policy Never it has to be there', async () => {
  const { ensure, events } = puller();
  await assert.rejects(ensure('other:1', 'Never'), { reason: 'ErrImageNeverPull' });
  assert.deepEqual(events, ['ErrImageNeverPull: Container image "other:1" is not present with pull policy of Never']);
});

test('a name that is none is said to be', async () => {
  await assert.rejects(puller().ensure('Nginx:1'), { reason: 'InvalidImageName' });
});

test('a pull that failed is tried again after growing pauses', async () => {
  const { ensure, events, runtime, clock } = puller();
  const refuse = (): void => runtime.failNext('pullImage', new ImageError('ErrImagePull', 'no such tag'));
  refuse();
  await assert.rejects(ensure('new:1'), { reason: 'ErrImagePull', message: 'no such tag', retryAtMs: clock.now() + 2_000 });
  await assert.rejects(ensure('new:1'), {
    reason: 'ImagePullBackOff',
    message: 'Back-off pulling image "new:1": ErrImagePull: no such tag',
    retryAtMs: clock.now() + 10_000,
  });
  clock.advance(10_000);
  refuse();
  await assert.rejects(ensure('new:1'), { reason: 'ErrImagePull' });
  await assert.rejects(ensure('new:1'), { reason: 'ImagePullBackOff', retryAtMs: clock.now() + 20_000 });
  clock.advance(20_000);
  await ensure('new:1');
  assert.deepEqual(
    events.map((e) => e.split(':')[0]),
    ['Pulling', 'Failed', 'BackOff', 'Pulling', 'Failed', 'BackOff', 'Pulling', 'Pulled'],
  );
});

test('archives are imported once', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'skiff-images-'));
  try {
    writeFileSync(join(folder, 'a.tar'), 'x');
    const runtime = new FakeRuntime();
    await importImages(folder, { runtime, log: silentLogger });
    await importImages(folder, { runtime, log: silentLogger });
    assert.equal(runtime.calls.filter((c) => c.startsWith('importImages')).length, 1);
    await runtime.removeImage('a');
    await importImages(folder, { runtime, log: silentLogger });
    assert.equal(runtime.calls.filter((c) => c.startsWith('importImages')).length, 2);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a full disk is freed of images nobody uses, pinned ones stay', async () => {
  const clock = new FakeClock();
  const runtime = new FakeRuntime({ clock, images: ['unused:1', 'unused:2'] });
  await runtime.importImages('/pinned.tar');
  let used = 84;
  const collector = new ImageCollector({
    runtime,
    clock,
    log: silentLogger,
    diskUse: async () => ({ capacityBytes: 100e6, availableBytes: (100 - used) * 1e6 }),
  });
  assert.equal(await collector.collect(), 0);
  used = 86;
  assert.equal(await collector.collect(), 0, 'images just seen may be about to be used');
  clock.advance(120_000);
  assert.equal(await collector.collect(), 2_000_000);
  assert.deepEqual(
    (await runtime.listImages()).map((i) => i.pinned),
    [true],
  );
});
