/** Compiles pause.c for both CPUs with Debian's compilers and writes src/runtime/pause-binaries.ts: `node build/runtime/pause.ts`. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unpackPackages } from '../debian.ts';

const compilers = {
  amd64: {
    triple: 'x86_64-linux-gnu',
    packages: ['gcc-12', 'cpp-12', 'binutils-x86-64-linux-gnu', 'libbinutils', 'libctf-nobfd0', 'libctf0', 'libgcc-12-dev'],
  },
  arm64: {
    triple: 'aarch64-linux-gnu',
    packages: ['gcc-12-aarch64-linux-gnu', 'cpp-12-aarch64-linux-gnu', 'binutils-aarch64-linux-gnu', 'libgcc-12-dev-arm64-cross'],
  },
} as const;
const sharedPackages = ['libisl23', 'libmpc3', 'libmpfr6', 'libgmp10', 'libjansson4'];

/** One segment, aligned for the 64 KiB pages some arm64 kernels have; nothing but code. */
const flags =
  '-Os -static -nostdlib -fno-pie -no-pie -fno-stack-protector -fno-asynchronous-unwind-tables -fomit-frame-pointer -s ' +
  '-Wl,--build-id=none,-z,noseparate-code,-z,norelro,-z,noexecstack,-z,max-page-size=65536';

function compile(arch: keyof typeof compilers, folder: string): Buffer {
  const { triple, packages } = compilers[arch];
  const root = join(folder, arch);
  const wanted = Object.fromEntries([...packages, ...sharedPackages].map((name) => [name, '*']));
  unpackPackages({ suite: 'bookworm', arch: 'amd64', packages: wanted }, root);
  const bin = join(root, 'usr/bin');
  const output = join(folder, `pause-${arch}`);
  execFileSync(
    join(bin, `${triple}-gcc-12`),
    [
      `-B${join(root, 'usr', arch === 'amd64' ? 'bin' : triple, arch === 'amd64' ? '' : 'bin')}`,
      ...flags.split(' '),
      '-o',
      output,
      'build/runtime/pause.c',
    ],
    {
      env: { PATH: `${bin}:${process.env['PATH']}`, LD_LIBRARY_PATH: join(root, 'usr/lib/x86_64-linux-gnu') },
      stdio: 'inherit',
    },
  );
  return readFileSync(output);
}

const folder = mkdtempSync(join(tmpdir(), 'skiff-pause-'));
try {
  const lines = (['amd64', 'arm64'] as const).map((arch) => `  ${arch}:\n    '${compile(arch, folder).toString('base64')}',`);
  writeFileSync(
    'src/runtime/pause-binaries.ts',
    `/** build/runtime/pause.c as static ELF files in base64, made by \`node build/runtime/pause.ts\`. */\nexport const pauseBinaries = {\n${lines.join('\n')}\n} as const;\n`,
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}
