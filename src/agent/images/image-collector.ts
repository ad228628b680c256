import { statfs } from 'node:fs/promises';
import type { Clock } from '../../lib/clock.ts';
import type { Component } from '../../lib/component.ts';
import type { Logger } from '../../lib/log.ts';
import type { Image, Runtime } from '../../runtime/runtime.ts';

/** How often the disk is looked at. */
const checkMs = 5 * 60_000;
/** Above this share of the disk in use images are removed … */
const highShare = 0.85;
/** … until it is below this one. */
const lowShare = 0.8;
/** An image just pulled may belong to a container that is about to be created. */
const minAgeMs = 2 * 60_000;
/** Images removed in one go. */
const removeLimit = 50;

/** Bytes of a filesystem. */
export interface DiskUse {
  readonly capacityBytes: number;
  readonly availableBytes: number;
}

export interface ImageCollectorDeps {
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly log: Logger;
  readonly diskUse?: (mountpoint: string) => Promise<DiskUse>;
  readonly onFailed?: (message: string) => void;
}

/** Removes images no container uses when the disk fills up, those unused for longest first. Pinned images stay. */
export class ImageCollector implements Component {
  readonly name = 'image-collector';
  readonly #deps: ImageCollectorDeps;
  readonly #seenAt = new Map<string, number>();
  #cancel: (() => void) | undefined;

  constructor(deps: ImageCollectorDeps) {
    this.#deps = deps;
  }

  async start(): Promise<void> {
    this.#arm();
  }

  async stop(): Promise<void> {
    this.#cancel?.();
  }

  /** Returns the number of bytes freed. */
  async collect(): Promise<number> {
    const { runtime, clock, log } = this.#deps;
    const { mountpoint } = await runtime.imageFilesystem();
    const { capacityBytes, availableBytes } = await (this.#deps.diskUse ?? diskUse)(mountpoint);
    const used = capacityBytes - availableBytes;
    const images = await runtime.listImages();
    const inUse = new Set((await runtime.listContainers()).flatMap((c) => [c.image, c.imageRef]));
    const now = clock.now();
    for (const image of images) if (!this.#seenAt.has(image.id) || isUsed(image, inUse)) this.#seenAt.set(image.id, now);
    for (const id of this.#seenAt.keys()) if (!images.some((i) => i.id === id)) this.#seenAt.delete(id);
    if (capacityBytes === 0 || used / capacityBytes < highShare) return 0;
    const wanted = used - capacityBytes * lowShare;
    const candidates = unusedImages(images, inUse, this.#seenAt).filter((i) => now - this.#seenAt.get(i.id)! >= minAgeMs);
    let freed = 0;
    for (const image of candidates.slice(0, removeLimit)) {
      if (freed >= wanted) break;
      await runtime.removeImage(image.id);
      freed += image.sizeBytes;
      log.info('unused image removed to make room', { image: image.tags[0] ?? image.id, bytes: image.sizeBytes });
    }
    if (freed < wanted)
      this.#deps.onFailed?.(
        `Failed to garbage collect required amount of images. Attempted to free ${Math.round(wanted)} bytes, but only found ${freed} bytes eligible to free.`,
      );
    return freed;
  }

  #arm(): void {
    this.#cancel = this.#deps.clock.after(checkMs, () => {
      this.collect()
        .catch((error: unknown) => this.#deps.log.warn('looking for unused images failed', { error }))
        .finally(() => this.#arm());
    });
  }
}

/** Images nothing uses and nobody pinned, the longest unused first. */
function unusedImages(images: readonly Image[], inUse: ReadonlySet<string>, seenAt: ReadonlyMap<string, number>): Image[] {
  return images
    .filter((image) => !image.pinned && !isUsed(image, inUse))
    .sort((a, b) => (seenAt.get(a.id) ?? 0) - (seenAt.get(b.id) ?? 0));
}

const isUsed = (image: Image, inUse: ReadonlySet<string>): boolean =>
  [image.id, ...image.tags, ...image.digests].some((name) => inUse.has(name));

async function diskUse(mountpoint: string): Promise<DiskUse> {
  const fs = await statfs(mountpoint);
  return { capacityBytes: fs.blocks * fs.bsize, availableBytes: fs.bavail * fs.bsize };
}
