import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { licencesDocument, licencesFile } from './licences.ts';
import { bundledPackages, readLock } from './packages.ts';

describe('docs/licences.md', () => {
  it('is fresh (else: npm run licences)', () => assert.equal(readFileSync(licencesFile, 'utf8'), licencesDocument()));

  it('names every bundled program and run-time package', () => {
    const text = licencesDocument();
    const { dependencies } = JSON.parse(readFileSync('package.json', 'utf8')) as { dependencies: Record<string, string> };
    for (const [name, version] of Object.entries(dependencies)) assert.ok(text.includes(`| ${name} | ${version} |`), name);
    for (const pins of Object.values(readLock()))
      for (const pin of pins) assert.ok(text.includes(`| ${pin.package} | ${pin.version} |`), pin.package);
  });

  it('pins every bundled package for both architectures', () => {
    for (const pins of Object.values(readLock()))
      assert.deepEqual(pins.map((pin) => pin.package).sort(), bundledPackages.map((p) => p.package).sort());
  });
});
