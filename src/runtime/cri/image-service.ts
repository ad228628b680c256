import type * as cri from '../generated/cri.ts';
import { GrpcError } from '../grpc/grpc-error.ts';
import { type Image, ImageError, type RegistryAuth } from '../runtime.ts';
import { type CriClient, callTimeoutMs } from './clients.ts';

/** Images through CRI's ImageService. */
export class ImageService {
  readonly #cri: CriClient;

  constructor(client: CriClient) {
    this.#cri = client;
  }

  async pull(reference: string, auth?: RegistryAuth): Promise<string> {
    try {
      const { image_ref } = await this.#cri.unary(
        'runtime.v1.ImageService/PullImage',
        { image: { image: reference }, ...(auth ? { auth: toAuthConfig(auth) } : {}) },
        { timeoutMs: callTimeoutMs.pull },
      );
      return image_ref;
    } catch (error) {
      throw toImageError(error, reference);
    }
  }

  async status(reference: string): Promise<Image | undefined> {
    try {
      const { image } = await this.#cri.unary(
        'runtime.v1.ImageService/ImageStatus',
        { image: { image: reference } },
        { timeoutMs: callTimeoutMs.read },
      );
      return image && toImage(image);
    } catch (cause) {
      const text = cause instanceof GrpcError ? cause.details : String(cause);
      if (isInvalidName(text)) throw new ImageError('InvalidImageName', `${reference}: ${text}`, { cause });
      throw new ImageError('ImageInspectError', `looking up image ${reference}: ${text}`, { cause });
    }
  }

  async list(): Promise<Image[]> {
    const { images } = await this.#cri.unary('runtime.v1.ImageService/ListImages', {}, { timeoutMs: callTimeoutMs.read });
    return images.map(toImage);
  }

  async remove(reference: string): Promise<void> {
    await this.#cri.unary(
      'runtime.v1.ImageService/RemoveImage',
      { image: { image: reference } },
      { timeoutMs: callTimeoutMs.change },
    );
  }

  async filesystem(): Promise<{ mountpoint: string; usedBytes: number }> {
    const { image_filesystems } = await this.#cri.unary(
      'runtime.v1.ImageService/ImageFsInfo',
      {},
      { timeoutMs: callTimeoutMs.read },
    );
    const first = image_filesystems[0];
    if (!first) throw new Error('the container runtime reports no image filesystem');
    return { mountpoint: first.fs_id?.mountpoint ?? '', usedBytes: first.used_bytes?.value ?? 0 };
  }
}

function toImage(image: cri.Image): Image {
  return {
    id: image.id,
    tags: image.repo_tags,
    digests: image.repo_digests,
    sizeBytes: image.size,
    pinned: image.pinned,
    user: {
      ...(image.uid ? { uid: image.uid.value } : {}),
      ...(image.username === '' ? {} : { username: image.username }),
    },
  };
}

function toAuthConfig(auth: RegistryAuth): Partial<cri.AuthConfig> {
  return {
    username: auth.username ?? '',
    password: auth.password ?? '',
    auth: auth.auth ?? '',
    identity_token: auth.identityToken ?? '',
    server_address: auth.serverAddress ?? '',
  };
}

/**
 * What kubectl shows as the reason of a failed pull (Kubernetes: pkg/kubelet/images/image_manager.go): a runtime may name another
 * reason by beginning its text with it, everything else is ErrImagePull.
 */
export function toImageError(error: unknown, reference: string): ImageError {
  const text = error instanceof GrpcError ? error.details : error instanceof Error ? error.message : String(error);
  if (isInvalidName(text))
    return new ImageError('InvalidImageName', `${reference} is not a valid image name: ${text}`, { cause: error });
  const reason = text.startsWith('RegistryUnavailable') ? 'RegistryUnavailable' : 'ErrImagePull';
  return new ImageError(reason, `failed to pull image "${reference}": ${text}`, { cause: error });
}

function isInvalidName(text: string): boolean {
  return /invalid reference format|could not parse reference|repository name must be/i.test(text);
}
