import { readAsset } from '../lib/assets.ts';

/** `skiff licences`: what this executable carries, and under which licences. */
export function runLicences(): void {
  process.stdout.write(readAsset('licences.md'));
}
