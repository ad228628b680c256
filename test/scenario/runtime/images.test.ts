import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { describe as describeBlob, mediaTypes } from '../../../src/runtime/images/oci-image.ts';
import { writeTar } from '../../../src/runtime/images/tar-writer.ts';
import { pauseImageReference } from '../../../src/runtime/pause-image.ts';
import { ImageError } from '../../../src/runtime/runtime.ts';
import { busyboxFiles, busyboxImage, ContainerdFixture } from '../../support/containerd-fixture.ts';
import { eventually } from '../../support/eventually.ts';
import { ImageRegistry } from '../../support/image-registry.ts';
import { isolated } from '../../support/isolated.ts';

isolated(import.meta.url, (place) => {
  describe('images', () => {
    let fixture: ContainerdFixture;
    let registry: ImageRegistry;
    before(async () => {
      fixture = new ContainerdFixture({ ...place, version: '1.7', sharedShim: false });
      registry = new ImageRegistry(join(place.folder, 'registry'));
      await Promise.all([fixture.start(), registry.start()]);
      await registry.push('library/busybox', '1.36', image.manifest, image.blobs);
    });
    after(async () => {
      await fixture.stop();
      await registry.stop();
    });

    const runs = async (reference: string): Promise<void> => {
      const { containerId, sandboxId } = await fixture.runPod(['sh', '-c', 'exit 3'], { container: { image: reference } });
      await eventually('it has run', async () => (await fixture.runtime.containerStatus(containerId))?.exitCode === 3);
      await fixture.runtime.removeSandbox(sandboxId);
    };

    test('the imported ones are pinned', async () => {
      assert.equal((await fixture.runtime.imageStatus(pauseImageReference))?.pinned, true);
      assert.equal((await fixture.runtime.imageStatus(busyboxImage))?.pinned, true);
    });

    test('an archive of docker save is imported under its full name, twice without harm', async () => {
      const tar = join(place.folder, 'docker.tar');
      writeFileSync(tar, dockerArchive('busybox:docker'));
      assert.deepEqual(await fixture.runtime.importImages(tar), ['docker.io/library/busybox:docker']);
      assert.deepEqual(await fixture.runtime.importImages(tar), ['docker.io/library/busybox:docker']);
      await runs('busybox:docker');
    });

    test('what is no image archive is refused with its name', async () => {
      const tar = join(place.folder, 'wrong.tar');
      writeFileSync(tar, gzipSync('no tar'));
      await assert.rejects(fixture.runtime.importImages(tar), /wrong\.tar: not a tar file/);
      writeFileSync(tar, writeTar([{ name: 'readme', data: Buffer.from('hi') }]));
      await assert.rejects(fixture.runtime.importImages(tar), /wrong\.tar: neither index\.json nor manifest\.json/);
    });

    test('an image is pulled from a registry, runs, and is removed', async () => {
      const reference = `${registry.address}/library/busybox:1.36`;
      const pulled = await fixture.runtime.pullImage(reference);
      const found = await fixture.runtime.imageStatus(reference);
      assert.ok(found);
      assert.equal(found.pinned, false);
      assert.ok(pulled.includes('sha256:'));
      await runs(reference);
      assert.ok((await fixture.runtime.imageFilesystem()).mountpoint.startsWith(place.folder));
      await fixture.runtime.removeImage(reference);
      assert.equal(await fixture.runtime.imageStatus(reference), undefined);
      await fixture.runtime.removeImage(reference);
    });

    test('a registry may ask for a password', async () => {
      const reference = `${registry.guardedAddress}/library/busybox:1.36`;
      await assert.rejects(fixture.runtime.pullImage(reference), isImageError('ErrImagePull'));
      await assert.rejects(
        fixture.runtime.pullImage(reference, { username: 'user', password: 'wrong' }),
        isImageError('ErrImagePull'),
      );
      await fixture.runtime.pullImage(reference, registry.credentials);
      await fixture.runtime.removeImage(reference);
      const auth = Buffer.from(`${registry.credentials.username}:${registry.credentials.password}`).toString('base64');
      await fixture.runtime.pullImage(reference, { auth });
    });

    for (const [what, name, reason] of [
      ['a tag that is not there', 'library/busybox:none', 'ErrImagePull'],
      ['a repository that is not there', 'library/none:1', 'ErrImagePull'],
      ['a name in capitals', 'Library/Busybox:1', 'InvalidImageName'],
    ] as const) {
      test(`${what} is ${reason}`, async () => {
        await assert.rejects(fixture.runtime.pullImage(`${registry.address}/${name}`), isImageError(reason));
      });
    }

    test('a registry that is away is ErrImagePull', async () => {
      await assert.rejects(fixture.runtime.pullImage('127.0.0.1:9/library/busybox:1'), isImageError('ErrImagePull'));
    });
  });
});

function isImageError(reason: ImageError['reason']): (error: unknown) => boolean {
  return (error) => {
    assert.ok(error instanceof ImageError, String(error));
    assert.equal(error.reason, reason);
    return true;
  };
}

const layer = writeTar(busyboxFiles());
/** Images of equal configuration are one image with several names, and pinned together. */
const configOf = (author: string): Buffer =>
  Buffer.from(
    JSON.stringify({
      author,
      architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
      os: 'linux',
      config: { Env: ['PATH=/bin'] },
      rootfs: { type: 'layers', diff_ids: [`sha256:${createHash('sha256').update(layer).digest('hex')}`] },
    }),
  );
const config = configOf('registry');
const packedLayer = gzipSync(layer);
const parts = { config: describeBlob(mediaTypes.config, config), layer: describeBlob(mediaTypes.layerGzip, packedLayer) };
const image = {
  manifest: {
    mediaType: mediaTypes.manifest,
    data: Buffer.from(
      JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.manifest, config: parts.config, layers: [parts.layer] }),
    ),
  },
  blobs: new Map([
    [parts.config.digest, config],
    [parts.layer.digest, packedLayer],
  ]),
};

/** The form `docker save` had before it wrote OCI layouts too, with a layer that is a link. */
function dockerArchive(tag: string): Buffer {
  return writeTar([
    { name: 'config.json', data: configOf('docker save') },
    { name: 'first/', type: 'directory' },
    { name: 'first/layer.tar', data: layer },
    { name: 'second/', type: 'directory' },
    { name: 'second/layer.tar', type: 'symlink', target: '../first/layer.tar' },
    {
      name: 'manifest.json',
      data: Buffer.from(JSON.stringify([{ Config: 'config.json', RepoTags: [tag], Layers: ['second/layer.tar'] }])),
    },
  ]);
}
