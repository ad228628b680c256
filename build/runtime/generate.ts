/**
 * Writes src/runtime/generated/*.ts from the .proto files of two Debian packages: field numbers, names and types, no text.
 * Run by hand when a message or call is added: `node build/runtime/generate.ts`.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { unpackPackages } from '../debian.ts';
import { apis, omitted } from './apis.ts';
import { readProtos } from './protos.ts';
import { renderApi } from './render.ts';

const folder = mkdtempSync(join(tmpdir(), 'skiff-protos-'));
try {
  unpackPackages(
    {
      suite: 'sid',
      arch: 'amd64',
      packages: { 'golang-k8s-cri-api-dev': '0.36.*', 'golang-github-containerd-containerd-api-dev': '2.1.*' },
    },
    folder,
  );
  mkdirSync('src/runtime/generated', { recursive: true });
  for (const api of apis) {
    const model = readProtos({
      includeFolders: [join(folder, 'usr/share/gocode/src'), 'node_modules/protobufjs'],
      files: api.protos,
      methods: api.methods,
      extra: api.extra,
      omitted,
    });
    const file = `src/runtime/generated/${api.file}.ts`;
    writeFileSync(file, renderApi(model));
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
