import { globSync } from 'node:fs';
import { resolve } from 'node:path';
import { build } from 'esbuild';

/** Bundles test files into one module, so that hundreds of tests run in one process in about a second. Returns its path. */
export async function bundleTests(options: {
  name: string;
  patterns: readonly string[];
  filter?: string;
}): Promise<string | undefined> {
  const files = options.patterns
    .flatMap((pattern) => globSync(pattern))
    .filter((f) => !options.filter || f.includes(options.filter));
  if (files.length === 0) return undefined;
  const outfile = `dist/test/${options.name}.mjs`;
  await build({
    stdin: {
      contents: files.map((f) => `import ${JSON.stringify(resolve(f))};`).join('\n'),
      resolveDir: process.cwd(),
      loader: 'ts',
    },
    bundle: true,
    platform: 'node',
    target: 'node26',
    format: 'esm',
    packages: 'external',
    sourcemap: 'inline',
    outfile,
    logLevel: 'warning',
  });
  return outfile;
}
