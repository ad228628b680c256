import { existsSync, statSync } from 'node:fs';
import { describe, it } from 'node:test';
import { Figures } from './figures.ts';

const files = { downloadX64Mb: 'dist/release/skiff-linux-x64.xz', downloadArm64Mb: 'dist/release/skiff-linux-arm64.xz' };

describe('release files', () => {
  for (const [name, file] of Object.entries(files)) {
    it(`${file} is small`, { skip: !existsSync(file) && `${file} is missing, npm run release makes it` }, () => {
      const figures = new Figures();
      figures.add(name, statSync(file).size / 1e6);
      figures.print();
      figures.check();
    });
  }
});
