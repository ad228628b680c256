import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';

/** `0.1.0`, or `0.1.0+abc1234` between releases. */
export function productVersion(): string {
  const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string };
  try {
    const described = execFileSync('git', ['describe', '--tags', '--exact-match'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
    if (described === `v${version}`) return version;
  } catch {
    // Not on a release tag.
  }
  return `${version}+${commitId()}`;
}

function commitId(): string {
  try {
    return execFileSync('git', ['rev-parse', '--short=8', 'HEAD'], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    }).trim();
  } catch {
    return 'source';
  }
}

/** Bundles the program into one CommonJS file, as a single executable needs it. `failpoints` keeps the crash points of the robustness tests. */
export async function bundleProgram(options: { outfile: string; failpoints: boolean }): Promise<void> {
  await build({
    entryPoints: ['src/main.ts'],
    bundle: true,
    platform: 'node',
    target: 'node26',
    format: 'cjs',
    minify: !options.failpoints,
    // Keeping names would define the name of every closure each time it is made. `--failpoints` leaves them readable.
    keepNames: false,
    legalComments: 'none',
    // Its index loads all of the package, a fifth of this program, for the one part in use.
    alias: { systeminformation: 'systeminformation/lib/system.js' },
    external: ['bufferutil', 'utf-8-validate'],
    define: {
      SKIFF_VERSION: JSON.stringify(productVersion()),
      SKIFF_FAILPOINTS: String(options.failpoints),
    },
    outfile: options.outfile,
    logLevel: 'warning',
  });
  writeFileSync(options.outfile, escapedToAscii(readFileSync(options.outfile, 'utf8')));
}

/** One character beyond ASCII makes V8 keep the whole program with two bytes a character. esbuild escapes them but in regular expressions. */
function escapedToAscii(program: string): string {
  return program.replace(/[\u0080-\uffff]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
