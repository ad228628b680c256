import { buildOciImageTar } from './images/oci-image.ts';
import { pauseBinaries } from './pause-binaries.ts';

/** The local name of the sandbox image; no registry knows it. */
export const pauseImageReference = 'skiff.dev/pause:1';

/** The sandbox image for a CPU, as a tar in OCI layout; about 4 KB. */
export function buildPauseImageTar(arch: 'amd64' | 'arm64'): Uint8Array {
  return buildOciImageTar({
    reference: pauseImageReference,
    arch,
    files: [{ name: 'pause', data: Buffer.from(pauseBinaries[arch], 'base64'), mode: 0o755 }],
    config: { Entrypoint: ['/pause'], User: '65535:65535' },
  });
}
