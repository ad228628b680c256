import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { createContainerdClient, createCriClient } from '../cri/clients.ts';
import { ImageService } from '../cri/image-service.ts';
import { buildPauseImageTar, pauseImageReference } from '../pause-image.ts';
import { importImages } from './image-importer.ts';

/** Gives the containerd at `socketPath` the sandbox image, unless it has it already. Needs no registry. */
export async function importPauseImage(socketPath: string): Promise<void> {
  const cri = createCriClient(socketPath);
  const containerd = createContainerdClient(socketPath);
  const images = new ImageService(cri);
  const folder = await mkdtemp(join(tmpdir(), 'skiff-pause-'));
  try {
    if (await images.status(pauseImageReference)) return;
    const tar = join(folder, 'pause.tar');
    await writeFile(tar, buildPauseImageTar(process.arch === 'arm64' ? 'arm64' : 'amd64'));
    const references = await importImages(containerd, tar);
    await waitUntilKnown(images, references);
  } finally {
    cri.close();
    containerd.close();
    await rm(folder, { recursive: true, force: true });
  }
}

const knownTimeoutMs = 10_000;
const firstCheckMs = 5;

/** CRI learns of new images by containerd's events, a few milliseconds later. Throws when it does not. */
export async function waitUntilKnown(images: ImageService, references: readonly string[]): Promise<void> {
  const deadline = performance.now() + knownTimeoutMs;
  for (const reference of references) {
    for (let pauseMs = firstCheckMs; !(await images.status(reference)); pauseMs *= 2) {
      if (performance.now() > deadline) throw new Error(`the container runtime does not list the imported image ${reference}`);
      await delay(pauseMs);
    }
  }
}
