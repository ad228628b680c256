/** `npm run refresh-bundle`: pins the newest version of every bundled Debian package, for both architectures. */
import { writeFileSync } from 'node:fs';
import { type DebianArch, pinNewest } from '../debian.ts';
import { bundledPackages, lockFile } from './packages.ts';

const arches: readonly DebianArch[] = ['amd64', 'arm64'];
const lock = Object.fromEntries(
  arches.map((arch) => {
    const suites = [...new Set(bundledPackages.map((p) => p.suite))];
    return [
      arch,
      suites.flatMap((suite) =>
        pinNewest(
          suite,
          arch,
          bundledPackages.filter((p) => p.suite === suite).map((p) => p.package),
        ),
      ),
    ];
  }),
);
writeFileSync(lockFile, `${JSON.stringify(lock, null, 2)}\n`);
for (const arch of arches) for (const pin of lock[arch]!) console.log(`${arch} ${pin.package} ${pin.version}`);
