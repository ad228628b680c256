/** Images of a real registry, and what happens to pods without them, without memory, or with new configuration. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { describe as describeBlob, mediaTypes } from '../../../src/runtime/images/oci-image.ts';
import { writeTar } from '../../../src/runtime/images/tar-writer.ts';
import { busyboxFiles } from '../../support/containerd-fixture.ts';
import { eventually } from '../../support/eventually.ts';
import { ImageRegistry } from '../../support/image-registry.ts';
import { isolated } from '../../support/isolated.ts';
import { exampleImage, type Machine, Machines } from '../../support/machines.ts';

/** The switch's own address, which every machine reaches. */
const host = '192.168.77.1';
const waitMs = 60_000;

isolated(import.meta.url, (place) => {
  describe('images and configuration of pods', () => {
    const machines = new Machines(place);
    const registry = new ImageRegistry(join(place.folder, 'registry'), { host });
    let pi: Machine;

    before(async () => {
      execFileSync('ip', ['address', 'add', `${host}/24`, 'dev', 'sw0']);
      await registry.start();
      await push('app', 'v1');
      pi = machines.add('pi1');
      for (const address of [registry.address, registry.guardedAddress]) trustPlainHttp(pi, address);
      pi.startServer();
      await pi.nodeReady(pi);
    });
    after(async () => {
      if (process.env['SKIFF_TEST_DEBUG']) console.error(pi.log);
      await machines.stop();
      await registry.stop();
    });

    const push = (name: string, tag: string): Promise<void> => {
      const { manifest, blobs } = busyboxFor(tag);
      return registry.push(name, tag, manifest, blobs);
    };
    const run = async (name: string, image: string, spec: object = {}, container: object = {}): Promise<void> => {
      const main = { name: 'main', image, command: ['sleep', '1000'], ...container };
      const pod = {
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name },
        spec: { terminationGracePeriodSeconds: 0, containers: [main], ...spec },
      };
      await pi.kubectlWith({ input: JSON.stringify(pod) }, 'apply', '-f', '-');
    };
    const field = (pod: string, path: string): Promise<string> => pi.kubectl('get', 'pod', pod, '-o', `jsonpath={${path}}`);
    const running = (pod: string): Promise<unknown> =>
      eventually(`${pod} runs`, async () => (await field(pod, '.status.phase')) === 'Running', waitMs);
    const waiting = (pod: string, reason: RegExp): Promise<unknown> =>
      eventually(
        `${pod} waits for ${reason}`,
        async () => reason.test(await field(pod, '.status.containerStatuses[0].state.waiting.reason')),
        waitMs,
      );

    it('pulls an image', async () => {
      await run('pulled', `${registry.address}/app:v1`);
      await running('pulled');
      assert.match(await field('pulled', '.status.containerStatuses[0].imageID'), /app@sha256:[0-9a-f]{64}$/);
      assert.match(await pi.kubectl('events', '--for', 'pod/pulled'), /Successfully pulled image/);
    });

    it('pulls with the secrets of the pod only', async () => {
      const image = `${registry.guardedAddress}/app:v1`;
      const { username, password } = registry.credentials;
      const login = [
        `--docker-server=${registry.guardedAddress}`,
        `--docker-username=${username}`,
        `--docker-password=${password}`,
      ];
      await pi.kubectl('create', 'secret', 'docker-registry', 'login', ...login);
      await run('stranger', image);
      await waiting('stranger', /ErrImagePull|ImagePullBackOff/);
      await run('guest', image, { imagePullSecrets: [{ name: 'login' }] });
      await running('guest');
    });

    it('tells of a missing image, waits longer, and goes on when it appears', async () => {
      await run('early', `${registry.address}/app:v2`);
      await waiting('early', /ErrImagePull/);
      await waiting('early', /ImagePullBackOff/);
      assert.match(await pi.kubectl('events', '--for', 'pod/early'), /app:v2/);
      await push('app', 'v2');
      await running('early');
    });

    it('ends what takes more memory than it may, and says so', async () => {
      const command = ['sh', '-c', 'x=x; while :; do x=$x$x; done'];
      await run('greedy', exampleImage, { restartPolicy: 'Never' }, { command, resources: { limits: { memory: '16Mi' } } });
      await eventually(
        'OOMKilled',
        async () => (await field('greedy', '.status.containerStatuses[0].state.terminated.reason')) === 'OOMKilled',
        waitMs,
      );
    });

    it('brings changed configuration into running containers', async () => {
      await pi.kubectl('create', 'configmap', 'settings', '--from-literal=colour=red');
      await pi.kubectl('create', 'secret', 'generic', 'password', '--from-literal=word=open');
      const volumes = [
        { name: 'settings', configMap: { name: 'settings' } },
        { name: 'password', secret: { secretName: 'password' } },
      ];
      const volumeMounts = volumes.map(({ name }) => ({ name, mountPath: `/etc/${name}` }));
      const env = [{ name: 'COLOUR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'colour' } } }];
      await run('reader', exampleImage, { volumes }, { volumeMounts, env });
      await running('reader');
      const read = (): Promise<string> =>
        pi.kubectl('exec', 'reader', '--', 'sh', '-c', 'echo $COLOUR; cat /etc/settings/colour /etc/password/word');
      assert.equal(await read(), 'red\nredopen');
      await pi.kubectl('patch', 'configmap', 'settings', '-p', '{"data":{"colour":"blue"}}');
      await pi.kubectl('patch', 'secret', 'password', '-p', '{"stringData":{"word":"sesame"}}');
      await eventually('the new values', async () => (await read()) === 'red\nbluesesame', waitMs);
    });

    it('removes them all', async () => {
      await pi.kubectl('delete', 'pods', '--all');
      assert.equal(await pi.kubectl('get', 'pods', '-o', 'name'), '');
    });
  });
});

/** containerd's own form of "this registry speaks plain HTTP". */
function trustPlainHttp(machine: Machine, address: string): void {
  const folder = join(machine.dataDir, 'agent/registries', address);
  mkdirSync(folder, { recursive: true });
  writeFileSync(
    join(folder, 'hosts.toml'),
    `server = "http://${address}"\n[host."http://${address}"]\n  capabilities = ["pull", "resolve"]\n`,
  );
}

/** A busybox image that differs by its tag. */
function busyboxFor(tag: string): { manifest: { mediaType: string; data: Buffer }; blobs: Map<string, Buffer> } {
  const layer = writeTar([...busyboxFiles(), { name: 'version', data: Buffer.from(tag) }]);
  const packed = gzipSync(layer, { level: 1 });
  const diffId = `sha256:${createHash('sha256').update(layer).digest('hex')}`;
  const config = Buffer.from(
    JSON.stringify({
      architecture: 'amd64',
      os: 'linux',
      config: { Env: ['PATH=/bin'] },
      rootfs: { type: 'layers', diff_ids: [diffId] },
    }),
  );
  const parts = { config: describeBlob(mediaTypes.config, config), layers: [describeBlob(mediaTypes.layerGzip, packed)] };
  const data = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.manifest, ...parts }));
  return {
    manifest: { mediaType: mediaTypes.manifest, data },
    blobs: new Map([
      [parts.config.digest, config],
      [parts.layers[0]!.digest, packed],
    ]),
  };
}
