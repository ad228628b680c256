import { copyFileSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { type NodeArch, nodeVersion, strippedNode } from './node-binary.ts';

/**
 * V8 settings that must be on the command line of the process to work. A small young generation: it grows to this size only under load, where half
 * of it costs a fifth more CPU and twice of it saves nothing. No optimization, because optimized code of a burst costs more memory than it saves
 * time; servers raise that once they run (src/cli/hot-code.ts). And code that ran only at start is forgotten at the second collection instead of
 * the sixth.
 */
const execArgv = ['--max-semi-space-size=8', '--max-opt=1', '--bytecode-old-age=2', '--no-warnings'];

/** Bakes Node.js, the program and the asset folders into one executable. Later folders win over earlier ones. */
export async function bakeExecutable(options: {
  arch: NodeArch;
  program: string;
  assetFolders: readonly string[];
  output: string;
}): Promise<void> {
  const { arch, program, output } = options;
  const assets = Object.fromEntries(
    options.assetFolders.flatMap((folder) => filesIn(folder).map((file) => [relative(folder, file), resolve(file)])),
  );
  assets['better_sqlite3.node'] = resolve(`node_modules/better-sqlite3/prebuilds/linux-${arch}.node`);
  // pkg keeps the Node.js executables it bakes into under $HOME/.pkg-cache; with ours already there it downloads nothing.
  const home = resolve('.cache/pkg-home');
  placeBaseBinary(arch, home);
  process.env['HOME'] = home;
  const require = createRequire(import.meta.url);
  const { default: bake } = require('@yao-pkg/pkg/lib-es5/sea.js') as {
    default: (entry: string, options: object) => Promise<void>;
  };
  mkdirSync(dirname(output), { recursive: true });
  await bake(resolve(program), {
    signature: false,
    targets: [{ nodeRange: `node${nodeVersion}`, platform: 'linux', arch, output: resolve(`${output}.new`) }],
    seaConfig: { useCodeCache: false, execArgv, execArgvExtension: 'env', assets },
  });
  // By rename: the old one may be running.
  renameSync(`${output}.new`, output);
}

function placeBaseBinary(arch: NodeArch, home: string): void {
  const name = `node-v${nodeVersion}-linux-${arch}`;
  const cache = join(home, '.pkg-cache/sea');
  const binary = join(cache, name, 'bin/node');
  mkdirSync(dirname(binary), { recursive: true });
  copyFileSync(strippedNode(arch), binary);
  for (const marker of [`${binary}.ok`, join(cache, `${name}.tar.gz`), join(cache, `${name}.tar.gz.ok`)])
    writeFileSync(marker, '');
}

function filesIn(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
}
