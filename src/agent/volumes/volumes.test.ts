import assert from 'node:assert/strict';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, beforeEach, describe, it } from 'node:test';
import { writeAtomically } from './atomic-writer.ts';
import { prepareHostPath } from './host-path.ts';
import { type Mounter, mountPoints } from './mounter.ts';
import { configMapPayload, type Payload } from './payload.ts';
import { bindSubPath } from './sub-path.ts';

const payload = (files: Record<string, string>, mode = 0o644): Payload =>
  new Map(Object.entries(files).map(([path, text]) => [path, { data: Buffer.from(text), mode }]));

describe('volumes', () => {
  let root: string;
  let target: string;
  before(() => {
    root = mkdtempSync(join(tmpdir(), 'skiff-volumes-'));
  });
  beforeEach(() => {
    target = mkdtempSync(join(root, 'v-'));
  });
  after(() => rmSync(root, { recursive: true }));

  const visible = (): string[] =>
    readdirSync(target)
      .filter((n) => !n.startsWith('..'))
      .sort();

  it('shows files through one link, with their modes', async () => {
    assert.equal(await writeAtomically(target, payload({ a: '1', 'dir/b': '2' }, 0o400)), true);
    assert.equal(readFileSync(join(target, 'a'), 'utf8'), '1');
    assert.equal(readFileSync(join(target, 'dir/b'), 'utf8'), '2');
    assert.equal(statSync(join(target, 'a')).mode & 0o777, 0o400);
    assert.equal(readlinkSync(join(target, 'a')), '..data/a');
    assert.ok(lstatSync(join(target, '..data')).isSymbolicLink());
  });

  it('writes nothing when nothing changed, and replaces all at once when something did', async () => {
    await writeAtomically(target, payload({ a: '1', b: '2' }));
    const first = readlinkSync(join(target, '..data'));
    assert.equal(await writeAtomically(target, payload({ a: '1', b: '2' })), false);
    assert.equal(await writeAtomically(target, payload({ a: '1', c: '3' })), true);
    assert.notEqual(readlinkSync(join(target, '..data')), first);
    assert.deepEqual(visible(), ['a', 'c']);
    assert.equal(readdirSync(target).filter((n) => n.startsWith('..2')).length, 1);
  });

  it('refuses paths that lead out', async () => {
    for (const path of ['../x', '/x', 'a/../../x', '', '..data'])
      await assert.rejects(writeAtomically(target, payload({ [path]: '1' })), /invalid path/);
  });

  it('takes the chosen keys, and misses those that are not there', () => {
    const object = { data: { a: '1', b: '2' } } as never;
    const chosen = configMapPayload(object, {
      items: [{ key: 'a', path: 'x/y', mode: 0o600 }],
      defaultMode: 0o644,
      optional: false,
    });
    assert.deepEqual(
      [...chosen].map(([path, f]) => [path, f.mode]),
      [['x/y', 0o600]],
    );
    const missing = { items: [{ key: 'z', path: 'z' }], defaultMode: 0o644 };
    assert.throws(() => configMapPayload(object, { ...missing, optional: false }), /references non-existent config key: z/);
    assert.equal(configMapPayload(object, { ...missing, optional: true }).size, 0);
  });

  it('checks the types of host paths', async () => {
    writeFileSync(join(target, 'file'), '');
    await prepareHostPath({ path: join(target, 'file'), type: 'File' });
    await prepareHostPath({ path: join(target, 'new/dir'), type: 'DirectoryOrCreate' });
    assert.ok(statSync(join(target, 'new/dir')).isDirectory());
    await assert.rejects(prepareHostPath({ path: join(target, 'file'), type: 'Directory' }), /is not a directory/);
    await assert.rejects(prepareHostPath({ path: join(target, 'no'), type: 'Socket' }), /is not a socket/);
  });

  it('binds what a sub-path names, inside the volume only', async () => {
    const bound: string[] = [];
    const mounter: Mounter = {
      tmpfs: async () => {},
      bind: async (source) => void bound.push(readlinkSync(source)),
      unmount: async () => {},
      mountsBelow: async () => [],
    };
    const volume = join(target, 'volume');
    mkdirSync(volume);
    symlinkSync('/etc', join(volume, 'escape'));
    const bind = (subPath: string): Promise<string> =>
      bindSubPath(mounter, { volume, subPath, target: join(target, 'mounts', subPath.replaceAll('/', '_')) });
    await bind('new/folder');
    assert.deepEqual(bound, [join(volume, 'new/folder')]);
    await assert.rejects(bind('escape'), /leads out of the volume/);
    await assert.rejects(bind('escape/ssl'), /leads out of the volume/);
    await assert.rejects(bind('../x'), /must stay inside/);
  });

  it('finds mounts, the innermost first', () => {
    const info = ['1 2 0:1 / /a rw', '3 1 0:2 / /a/b rw', '4 1 0:3 / /ab rw', '5 1 0:4 / /a/with\\040space rw'].join('\n');
    assert.deepEqual(mountPoints(info, '/a'), ['/a/with space', '/a/b', '/a']);
  });
});
