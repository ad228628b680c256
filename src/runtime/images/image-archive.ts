import { createHash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import { normalizeReference } from './image-reference.ts';
import { describe, imageNameAnnotation, mediaTypes, type OciDescriptor } from './oci-image.ts';
import { indexTar, readSlice, type TarSlice } from './tar-index.ts';

/** The content of a blob: a part of the file, or made here. */
export type BlobSource = TarSlice | { readonly size: number; readonly data: Buffer };

/** The images of a tar file, whichever of the two formats it has. */
export interface ImageArchive {
  readonly blobs: ReadonlyMap<string, BlobSource>;
  readonly images: readonly { readonly name: string; readonly target: OciDescriptor }[];
}

/** Manifests and indexes are JSON documents of a few KB; what is larger is no such document. */
const maxDocumentBytes = 4 * 1024 * 1024;
const hashPieceBytes = 1024 * 1024;

/** Reads what a tar file in OCI layout or of `docker save` holds. Throws with a text for the operator when it is neither. */
export async function readImageArchive(file: FileHandle): Promise<ImageArchive> {
  const entries = await indexTar(file);
  if (entries.has('index.json')) return readOciLayout(file, entries);
  if (entries.has('manifest.json')) return readDockerArchive(file, entries);
  throw new Error('neither index.json nor manifest.json inside: not an image made by "docker save" or an OCI tool');
}

/** A JSON document among the blobs. */
export async function readDocument<T>(file: FileHandle, source: BlobSource): Promise<T> {
  if (source.size > maxDocumentBytes) throw new Error(`a manifest of ${source.size} bytes`);
  const data = 'data' in source ? source.data : await readSlice(file, source);
  return JSON.parse(data.toString('utf8')) as T;
}

async function readOciLayout(file: FileHandle, entries: ReadonlyMap<string, TarSlice>): Promise<ImageArchive> {
  const index = await readDocument<{ manifests?: OciDescriptor[] }>(file, entries.get('index.json')!);
  const blobs = new Map<string, BlobSource>();
  for (const [name, slice] of entries) {
    const [, algorithm, hash] = /^blobs\/([^/]+)\/([^/]+)$/.exec(name) ?? [];
    if (algorithm && hash) blobs.set(`${algorithm}:${hash}`, slice);
  }
  const images = (index.manifests ?? []).flatMap((target) => {
    const name = imageName(target.annotations ?? {});
    return name === undefined ? [] : [{ name, target }];
  });
  if (images.length === 0) throw new Error(`no image in it has a name (annotation ${imageNameAnnotation})`);
  return { blobs, images };
}

function imageName(annotations: Readonly<Record<string, string>>): string | undefined {
  const name = annotations[imageNameAnnotation] ?? annotations['org.opencontainers.image.ref.name'];
  // Some tools put only the tag there.
  return name === undefined || !/[/:]/.test(name) ? undefined : normalizeReference(name);
}

interface DockerImage {
  readonly Config: string;
  readonly RepoTags: readonly string[] | null;
  readonly Layers: readonly string[];
}

/** `docker save` before version 25 has no manifests: they are made from the configuration and the layer files. */
async function readDockerArchive(file: FileHandle, entries: ReadonlyMap<string, TarSlice>): Promise<ImageArchive> {
  const blobs = new Map<string, BlobSource>();
  const images: { name: string; target: OciDescriptor }[] = [];
  const add = async (name: string, mediaType: (gzipped: boolean) => string): Promise<OciDescriptor> => {
    const slice = entries.get(name);
    if (!slice) throw new Error(`${name} is missing in it`);
    const { digest, gzipped } = await hashSlice(file, slice);
    blobs.set(digest, slice);
    return { mediaType: mediaType(gzipped), digest, size: slice.size };
  };
  for (const image of await readDocument<DockerImage[]>(file, entries.get('manifest.json')!)) {
    const config = await add(image.Config, () => mediaTypes.config);
    const layers: OciDescriptor[] = [];
    for (const layer of image.Layers)
      layers.push(await add(layer, (gzipped) => (gzipped ? mediaTypes.layerGzip : mediaTypes.layer)));
    const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers }));
    const target = describe(mediaTypes.manifest, manifest);
    blobs.set(target.digest, { size: manifest.length, data: manifest });
    for (const tag of image.RepoTags ?? []) images.push({ name: normalizeReference(tag), target });
  }
  if (images.length === 0) throw new Error('no image in it has a tag');
  return { blobs, images };
}

async function hashSlice(file: FileHandle, slice: TarSlice): Promise<{ digest: string; gzipped: boolean }> {
  const hash = createHash('sha256');
  let gzipped = false;
  for await (const piece of pieces(file, slice, hashPieceBytes)) {
    if (piece.offset === 0) gzipped = piece.data[0] === 0x1f && piece.data[1] === 0x8b;
    hash.update(piece.data);
  }
  return { digest: `sha256:${hash.digest('hex')}`, gzipped };
}

/** The content of a blob in pieces, with the offset of each. */
export async function* pieces(
  file: FileHandle,
  source: BlobSource,
  pieceBytes: number,
): AsyncGenerator<{ readonly offset: number; readonly data: Buffer }> {
  for (let offset = 0; offset < source.size; offset += pieceBytes) {
    const length = Math.min(pieceBytes, source.size - offset);
    const data =
      'data' in source
        ? source.data.subarray(offset, offset + length)
        : await readSlice(file, { offset: source.offset + offset, size: length });
    yield { offset, data };
  }
}
