import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as sea from 'node:sea';

/**
 * Reads a file the build put into the executable (mapped, not copied), or, when running from source, from `dist/assets/`.
 * Names are relative paths with forward slashes. Throws when there is no such asset.
 */
export function readAsset(name: string): Uint8Array {
  if (sea.isSea()) return new Uint8Array(sea.getRawAsset(name));
  return readFileSync(join(assetFolder, name));
}

/** Where assets are when running from source; tests start in the project's folder. */
const assetFolder = 'dist/assets';
