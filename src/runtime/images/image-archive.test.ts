import assert from 'node:assert/strict';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { buildPauseImageTar, pauseImageReference } from '../pause-image.ts';
import { readDocument, readImageArchive } from './image-archive.ts';
import { normalizeReference } from './image-reference.ts';
import { blobPath, imageNameAnnotation, sha256 } from './oci-image.ts';
import { indexTar, readSlice } from './tar-index.ts';
import { writeTar } from './tar-writer.ts';

describe('image archives', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'skiff-archive-'));
  });
  after(() => rm(folder, { recursive: true }));

  const withFile = async <T>(data: Uint8Array, work: (file: Awaited<ReturnType<typeof open>>) => Promise<T>): Promise<T> => {
    const path = join(folder, 'archive.tar');
    await writeFile(path, data);
    const file = await open(path);
    try {
      return await work(file);
    } finally {
      await file.close();
    }
  };

  test('a tar is indexed with links, long names and pax headers', async () => {
    const long = `${'deep/'.repeat(30)}file`;
    const record = (key: string, value: string): string => {
      const length = key.length + value.length + 3;
      return `${length + String(length + 3).length} ${key}=${value}\n`;
    };
    const header = (name: string, type: string, data: Buffer): Buffer => {
      const block = writeTar([{ name, data }]).subarray(0, 512 + Math.ceil(data.length / 512) * 512);
      block.write(type, 156);
      block.write('        ', 148);
      const sum = block.subarray(0, 512).reduce((total, byte) => total + byte, 0);
      block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
      return block;
    };
    const tar = Buffer.concat([
      header('PaxHeader', 'x', Buffer.from(record('path', long))),
      writeTar([{ name: 'short', data: Buffer.from('pax') }]).subarray(0, 1024),
      header('././@LongLink', 'L', Buffer.from(`./${long}2\0`)),
      writeTar([
        { name: 'short2', data: Buffer.from('gnu') },
        { name: './dir/', type: 'directory' },
        { name: './dir/a', data: Buffer.from('content') },
        { name: 'dir/link', type: 'symlink', target: '../dir/./a' },
      ]),
    ]);
    await withFile(tar, async (file) => {
      const slices = await indexTar(file);
      assert.deepEqual([...slices.keys()], [long, `${long}2`, 'dir/a', 'dir/link']);
      const content = async (name: string): Promise<string> => (await readSlice(file, slices.get(name)!)).toString();
      assert.deepEqual([await content(long), await content(`${long}2`), await content('dir/link')], ['pax', 'gnu', 'content']);
    });
  });

  test('the pause image is an OCI layout, the same bytes each time, for both CPUs', async () => {
    for (const arch of ['amd64', 'arm64'] as const) {
      const tar = buildPauseImageTar(arch);
      assert.deepEqual(tar, buildPauseImageTar(arch));
      assert.ok(tar.length < 16 * 1024);
      await withFile(tar, async (file) => {
        const archive = await readImageArchive(file);
        assert.deepEqual(
          archive.images.map((image) => image.name),
          [pauseImageReference],
        );
        const manifest = await readDocument<{ config: { digest: string }; layers: { digest: string }[] }>(
          file,
          archive.blobs.get(archive.images[0]!.target.digest)!,
        );
        const config = await readDocument<{ architecture: string }>(file, archive.blobs.get(manifest.config.digest)!);
        assert.equal(config.architecture, arch);
        assert.ok(archive.blobs.has(manifest.layers[0]!.digest));
      });
    }
  });

  test('an archive of docker save gets the manifests it lacks', async () => {
    const config = Buffer.from('{}');
    const layer = Buffer.from('layer');
    const tar = writeTar([
      { name: 'config.json', data: config },
      { name: 'layer.tar', data: layer },
      {
        name: 'manifest.json',
        data: Buffer.from(JSON.stringify([{ Config: 'config.json', RepoTags: ['a:1', 'b.c/d:2'], Layers: ['layer.tar'] }])),
      },
    ]);
    await withFile(tar, async (file) => {
      const { images, blobs } = await readImageArchive(file);
      assert.deepEqual(
        images.map((image) => image.name),
        ['docker.io/library/a:1', 'b.c/d:2'],
      );
      assert.ok(blobs.has(sha256(config)) && blobs.has(sha256(layer)) && blobs.has(images[0]!.target.digest));
    });
  });

  for (const [what, entries, message] of [
    ['with nothing we know', [{ name: 'x' }], /neither index.json nor manifest.json/],
    [
      'of images without names',
      [
        {
          name: 'index.json',
          data: Buffer.from('{"manifests":[{"digest":"sha256:0","annotations":{"org.opencontainers.image.ref.name":"latest"}}]}'),
        },
      ],
      /has a name/,
    ],
    ['of docker save without tags', [{ name: 'manifest.json', data: Buffer.from('[]') }], /has a tag/],
    [
      'with a missing layer',
      [{ name: 'c' }, { name: 'manifest.json', data: Buffer.from('[{"Config":"c","RepoTags":["a"],"Layers":["l"]}]') }],
      /l is missing/,
    ],
  ] as const) {
    test(`an archive ${what} is refused`, async () => {
      await withFile(writeTar(entries), (file) => assert.rejects(readImageArchive(file), message));
    });
  }

  test('blobs lie where the OCI layout wants them', () => {
    assert.equal(blobPath('sha256:abc'), 'blobs/sha256/abc');
    assert.equal(imageNameAnnotation, 'io.containerd.image.name');
  });

  for (const [name, full] of [
    ['busybox', 'docker.io/library/busybox:latest'],
    ['busybox:1.36', 'docker.io/library/busybox:1.36'],
    ['bitnami/redis', 'docker.io/bitnami/redis:latest'],
    ['ghcr.io/a/b:2', 'ghcr.io/a/b:2'],
    ['localhost/a', 'localhost/a:latest'],
    ['registry:5000/a', 'registry:5000/a:latest'],
    ['a@sha256:0', 'docker.io/library/a@sha256:0'],
  ] as const) {
    test(`${name} in full is ${full}`, () => assert.equal(normalizeReference(name), full));
  }
});
