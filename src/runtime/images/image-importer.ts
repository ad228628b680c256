import { randomBytes } from 'node:crypto';
import { type FileHandle, open } from 'node:fs/promises';
import { type ContainerdClient, callTimeoutMs } from '../cri/clients.ts';
import type { WriteContentResponse } from '../generated/containerd.ts';
import { GrpcError, grpcStatus, isGrpcStatus } from '../grpc/grpc-error.ts';
import { type BlobSource, type ImageArchive, pieces, readDocument, readImageArchive } from './image-archive.ts';
import type { OciDescriptor } from './oci-image.ts';

const writePieceBytes = 256 * 1024;
/** Blobs of an import that is cut off are collected after this. */
const leaseMs = 3_600_000;

/** What CRI and its garbage collection read of an image: it is CRI's, and it is not to be removed. */
const imageLabels = { 'io.cri-containerd.image': 'managed', 'io.cri-containerd.pinned': 'pinned' };

interface Manifest {
  readonly manifests?: readonly OciDescriptor[];
  readonly config?: OciDescriptor;
  readonly layers?: readonly OciDescriptor[];
}

/** Writes the images of a tar file into containerd's content store, pinned. Returns their references. The layers are unpacked at first use. */
export async function importImages(client: ContainerdClient, tarFile: string): Promise<string[]> {
  const file = await open(tarFile, 'r');
  try {
    return await withLease(client, async (leaseId) => {
      const archive = await readImageArchive(file);
      const writer = new BlobWriter({ client, file, archive, leaseId });
      for (const image of archive.images) {
        await writer.writeTree(image.target);
        await nameImage(client, image.name, image.target, leaseId);
      }
      return archive.images.map((image) => image.name);
    });
  } catch (cause) {
    throw new Error(`importing the images of ${tarFile}: ${cause instanceof Error ? cause.message : cause}`, { cause });
  } finally {
    await file.close();
  }
}

/** Until something refers to a blob, only the lease keeps containerd from collecting it. */
async function withLease<T>(client: ContainerdClient, work: (leaseId: string) => Promise<T>): Promise<T> {
  const expires = new Date(Date.now() + leaseMs).toISOString().replace(/\.\d+/, '');
  const id = `skiff-import-${randomBytes(6).toString('hex')}`;
  const options = { timeoutMs: callTimeoutMs.change };
  await client.unary(
    'containerd.services.leases.v1.Leases/Create',
    { id, labels: { 'containerd.io/gc.expire': expires } },
    options,
  );
  try {
    return await work(id);
  } finally {
    await client.unary('containerd.services.leases.v1.Leases/Delete', { id }, options);
  }
}

async function nameImage(client: ContainerdClient, name: string, target: OciDescriptor, leaseId: string): Promise<void> {
  const image = {
    name,
    target: { media_type: target.mediaType, digest: target.digest, size: target.size },
    labels: imageLabels,
  };
  const options = { timeoutMs: callTimeoutMs.change, metadata: { 'containerd-lease': leaseId } };
  try {
    await client.unary('containerd.services.images.v1.Images/Create', { image }, options);
  } catch (error) {
    if (!isGrpcStatus(error, grpcStatus.alreadyExists)) throw error;
    await client.unary('containerd.services.images.v1.Images/Update', { image }, options);
  }
}

class BlobWriter {
  readonly #client: ContainerdClient;
  readonly #file: FileHandle;
  readonly #archive: ImageArchive;
  readonly #leaseId: string;

  constructor(deps: {
    readonly client: ContainerdClient;
    readonly file: FileHandle;
    readonly archive: ImageArchive;
    readonly leaseId: string;
  }) {
    this.#client = deps.client;
    this.#file = deps.file;
    this.#archive = deps.archive;
    this.#leaseId = deps.leaseId;
  }

  /** Writes what a manifest or index refers to, then itself with labels that keep the rest from being collected. */
  async writeTree(root: OciDescriptor): Promise<void> {
    const source = this.#archive.blobs.get(root.digest);
    if (!source) throw new Error(`the manifest ${root.digest} is missing in it`);
    const manifest = await readDocument<Manifest>(this.#file, source);
    const labels: Record<string, string> = {};
    // An index may name images for CPUs whose content the file does not have.
    const present = (manifest.manifests ?? []).filter((child) => this.#archive.blobs.has(child.digest));
    for (const [i, child] of present.entries()) {
      await this.writeTree(child);
      labels[`containerd.io/gc.ref.content.m.${i}`] = child.digest;
    }
    if (manifest.config) {
      await this.#writeBlob(manifest.config, {});
      labels['containerd.io/gc.ref.content.config'] = manifest.config.digest;
    }
    for (const [i, layer] of (manifest.layers ?? []).entries()) {
      await this.#writeBlob(layer, {});
      labels[`containerd.io/gc.ref.content.l.${i}`] = layer.digest;
    }
    await this.#writeBlob(root, labels);
  }

  async #writeBlob(blob: OciDescriptor, labels: Readonly<Record<string, string>>): Promise<void> {
    const source = this.#archive.blobs.get(blob.digest);
    if (!source) throw new Error(`the blob ${blob.digest} is missing in it`);
    try {
      await this.#write(blob, source, labels);
    } catch (error) {
      if (!isGrpcStatus(error, grpcStatus.alreadyExists)) throw error;
      await this.#label(blob.digest, labels);
    }
  }

  async #write(blob: OciDescriptor, source: BlobSource, labels: Readonly<Record<string, string>>): Promise<void> {
    const { size } = source;
    const session = new WriteSession(this.#client, this.#leaseId);
    try {
      const ref = `skiff-${blob.digest}`;
      const status = await session.ask({ action: 'STAT', ref, total: size, expected: blob.digest });
      for await (const { offset, data } of pieces(this.#file, source, writePieceBytes)) {
        // A former import may have got this far.
        if (offset + data.length <= status.offset) continue;
        const skip = Math.max(0, status.offset - offset);
        await session.ask({ action: 'WRITE', offset: offset + skip, data: data.subarray(skip) });
      }
      await session.ask({ action: 'COMMIT', total: size, expected: blob.digest, offset: size, labels });
    } finally {
      session.close();
    }
  }

  async #label(digest: string, labels: Readonly<Record<string, string>>): Promise<void> {
    if (Object.keys(labels).length === 0) return;
    const update_mask = { paths: Object.keys(labels).map((key) => `labels.${key}`) };
    await this.#client.unary(
      'containerd.services.content.v1.Content/Update',
      { info: { digest, labels }, update_mask },
      { timeoutMs: callTimeoutMs.change },
    );
  }
}

type WriteRequest = Parameters<ReturnType<typeof openWrite>['send']>[0];

function openWrite(client: ContainerdClient, leaseId: string, answer: WriteSession) {
  return client.duplex(
    'containerd.services.content.v1.Content/Write',
    {
      onMessage: (message) => answer.resolve(message),
      onEnd: (error) => answer.fail(error ?? new GrpcError(grpcStatus.unavailable, 'the write ended early', 'Content/Write')),
    },
    { 'containerd-lease': leaseId },
  );
}

/** One blob being written: each request is answered before the next is sent. */
class WriteSession {
  readonly #call: ReturnType<typeof openWrite>;
  #waiting: { resolve(answer: WriteContentResponse): void; reject(error: Error): void } | undefined;
  #error: Error | undefined;

  constructor(client: ContainerdClient, leaseId: string) {
    this.#call = openWrite(client, leaseId, this);
  }

  ask(request: WriteRequest): Promise<WriteContentResponse> {
    return new Promise((resolve, reject) => {
      if (this.#error) return reject(this.#error);
      this.#waiting = { resolve, reject };
      this.#call.send(request);
    });
  }

  resolve(answer: WriteContentResponse): void {
    this.#waiting?.resolve(answer);
    this.#waiting = undefined;
  }

  fail(error: Error): void {
    this.#error = error;
    this.#waiting?.reject(error);
    this.#waiting = undefined;
  }

  close(): void {
    this.#call.cancel();
  }
}
