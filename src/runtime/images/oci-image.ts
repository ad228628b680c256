import { createHash } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { type TarEntry, writeTar } from './tar-writer.ts';

export const mediaTypes = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layerGzip: 'application/vnd.oci.image.layer.v1.tar+gzip',
  layer: 'application/vnd.oci.image.layer.v1.tar',
  dockerManifest: 'application/vnd.docker.distribution.manifest.v2+json',
  dockerManifestList: 'application/vnd.docker.distribution.manifest.list.v2+json',
} as const;

/** A reference to a blob, as the OCI image specification writes it. */
export interface OciDescriptor {
  readonly mediaType: string;
  readonly digest: string;
  readonly size: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly platform?: { readonly architecture: string; readonly os: string; readonly variant?: string };
}

/** The annotation that carries a whole image reference in an index. */
export const imageNameAnnotation = 'io.containerd.image.name';

/** An image of one layer as a tar in OCI layout. The same input gives the same bytes. */
export function buildOciImageTar(options: {
  readonly reference: string;
  readonly arch: 'amd64' | 'arm64';
  readonly files: readonly TarEntry[];
  readonly config: Readonly<Record<string, unknown>>;
}): Buffer {
  const layerTar = writeTar(options.files);
  const layer = gzipSync(layerTar, { level: 9 });
  const platform = { architecture: options.arch, os: 'linux' };
  const config = json({ ...platform, config: options.config, rootfs: { type: 'layers', diff_ids: [sha256(layerTar)] } });
  const manifest = json({
    schemaVersion: 2,
    mediaType: mediaTypes.manifest,
    config: describe(mediaTypes.config, config),
    layers: [describe(mediaTypes.layerGzip, layer)],
  });
  const annotations = { [imageNameAnnotation]: options.reference };
  const index = json({
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: [{ ...describe(mediaTypes.manifest, manifest), platform, annotations }],
  });
  return writeTar([
    { name: 'oci-layout', data: json({ imageLayoutVersion: '1.0.0' }) },
    { name: 'index.json', data: index },
    ...[manifest, config, layer].map((blob) => ({ name: blobPath(sha256(blob)), data: blob })),
  ]);
}

/** Where a blob lies in an OCI layout. */
export function blobPath(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`;
}

export function sha256(data: Uint8Array): string {
  return `sha256:${createHash('sha256').update(data).digest('hex')}`;
}

export function describe(mediaType: string, blob: Uint8Array): OciDescriptor {
  return { mediaType, digest: sha256(blob), size: blob.length };
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}
