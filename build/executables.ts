import { copyFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { buildOpenApi } from './api/openapi.ts';
import { bundleProgram } from './bundle.ts';
import { licencesFile } from './bundled/licences.ts';
import { bakeExecutable } from './executable.ts';
import type { NodeArch } from './node-binary.ts';
import { buildPayload, type Effort } from './payload.ts';

/** Builds `skiff-linux-<arch>` into `outDir` for each architecture: program, native module, bundled programs and API documents in one file. */
export async function buildExecutables(options: {
  arches: readonly NodeArch[];
  outDir: string;
  effort: Effort;
  failpoints: boolean;
}): Promise<void> {
  const { arches, outDir, effort, failpoints } = options;
  await buildOpenApi('dist/assets/openapi');
  copyFileSync(licencesFile, 'dist/assets/licences.md');
  const program = join(outDir, 'main.cjs');
  await bundleProgram({ outfile: program, failpoints });
  for (const arch of arches) {
    const payload = `dist/assets-${arch}-${effort}`;
    buildPayload(arch === 'x64' ? 'amd64' : 'arm64', payload, effort);
    const output = join(outDir, `skiff-linux-${arch}`);
    await bakeExecutable({ arch, program, assetFolders: ['dist/assets', payload], output });
    console.log(`${output}: ${(statSync(output).size / 1e6).toFixed(1)} MB`);
  }
}
