/**
 * `npm run check`: format and lint, types, layers, unit, contract. Collects every failure. `npm run check -- NAME [FILTER]` runs one;
 * FILTER narrows unit and contract to the test files whose path contains it.
 */
import { spawnSync } from 'node:child_process';
import { layerBreaches } from './layers.ts';
import { bundleTests } from './test-bundle.ts';

const checks: Readonly<Record<string, (filter?: string) => Promise<boolean> | boolean>> = {
  lint: () => run('biome', ['check', '--error-on-warnings', '.']),
  types: () => run('tsc', ['-p', '.']),
  layers: () => {
    const breaches = layerBreaches();
    for (const breach of breaches) console.error(breach);
    return breaches.length === 0;
  },
  unit: (filter) => runTests('unit', ['src/**/*.test.ts', 'build/**/*.test.ts', 'bench/**/*.test.ts'], filter),
  contract: (filter) =>
    runTests('contract', ['test/contract/**/*.test.ts', 'test/golden/**/*.test.ts', 'test/conformance/names.test.ts'], filter),
};

const [only, filter] = process.argv.slice(2);
if (only !== undefined && !(only in checks)) {
  console.error(`no check is named ${only}; there are: ${Object.keys(checks).join(', ')}`);
  process.exit(2);
}
const failed: string[] = [];
for (const [name, check] of Object.entries(checks)) {
  if (only !== undefined && only !== name) continue;
  const startedAt = performance.now();
  const ok = await check(filter);
  console.log(`${ok ? 'ok  ' : 'FAIL'} ${name} (${((performance.now() - startedAt) / 1000).toFixed(1)} s)`);
  if (!ok) failed.push(name);
}
if (failed.length > 0) console.error(`failed: ${failed.join(', ')}`);
process.exit(failed.length > 0 ? 1 : 0);

function run(command: string, args: readonly string[]): boolean {
  return spawnSync(command, args, { stdio: 'inherit' }).status === 0;
}

async function runTests(name: string, patterns: readonly string[], filter?: string): Promise<boolean> {
  const bundle = await bundleTests({ name: filter ? `${name}-${process.pid}` : name, patterns, ...(filter ? { filter } : {}) });
  if (!bundle) {
    console.log(`no ${name} tests${filter ? ` match ${filter}` : ''}`);
    return true;
  }
  return run('node', [
    '--enable-source-maps',
    '--test',
    '--test-isolation=none',
    '--test-reporter=dot',
    '--test-timeout=60000',
    bundle,
  ]);
}
