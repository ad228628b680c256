/**
 * `npm run build`: dist/skiff-linux-x64 and dist/skiff-linux-arm64, everything inside. `npm run build -- x64` builds one.
 * `--failpoints` keeps the crash points that the robustness tests use; never release such a build.
 */
import { ensureInstalled } from './debian.ts';
import { buildExecutables } from './executables.ts';
import type { NodeArch } from './node-binary.ts';

const args = process.argv.slice(2);
const wanted = args.filter((a): a is NodeArch => a === 'x64' || a === 'arm64');
const arches: readonly NodeArch[] = wanted.length > 0 ? wanted : ['x64', 'arm64'];

ensureInstalled(['binutils', 'ca-certificates', ...(arches.includes('arm64') ? ['binutils-aarch64-linux-gnu'] : [])]);
await buildExecutables({ arches, outDir: 'dist', effort: 'quick', failpoints: args.includes('--failpoints') });
