import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { generatedFiles, generatedFolder } from './generated-files.ts';

describe('generated files', () => {
  for (const [name, text] of Object.entries(generatedFiles())) {
    it(`${name} is fresh (else: npm run generate)`, () => {
      assert.ok(readFileSync(join(generatedFolder, name), 'utf8') === text, `${name} is not what npm run generate writes`);
    });
  }
});
