import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { type ContainerdConfig, renderContainerdConfig } from './config.ts';

const config: ContainerdConfig = {
  rootDir: '/data/root',
  stateDir: '/run/state',
  socketPath: '/run/containerd.sock',
  ociRuntime: '/bin/runc',
  cniConfDir: '/etc/cni',
  cniBinDir: '/opt/cni',
  registriesDir: '/etc/registries',
  pauseImage: 'skiff.dev/pause:1',
  snapshotter: 'overlayfs',
  cgroupDriver: 'cgroupfs',
  restrictOomScoreAdj: false,
  sharedShim: false,
  logLevel: 'warn',
};

/** The lines of one section. */
function section(text: string, name: string): string[] {
  const block = `\n${text}`.split('\n[').find((part) => part.startsWith(`${name}]`));
  assert.ok(block !== undefined, `no section ${name}`);
  return block
    .split('\n')
    .slice(1)
    .filter((line) => line !== '');
}

describe('containerd configuration', () => {
  for (const version of ['1.6', '1.7']) {
    test(`${version} gets the second form`, () => {
      const text = renderContainerdConfig(config, version);
      assert.match(text, /^version = 2\nroot = "\/data\/root"\nstate = "\/run\/state"\noom_score = -999\n/);
      assert.ok(section(text, 'plugins."io.containerd.grpc.v1.cri"').includes('sandbox_image = "skiff.dev/pause:1"'));
      assert.deepEqual(section(text, 'plugins."io.containerd.grpc.v1.cri".cni'), [
        'bin_dir = "/opt/cni"',
        'conf_dir = "/etc/cni"',
      ]);
      assert.deepEqual(section(text, 'plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options'), [
        'BinaryName = "/bin/runc"',
        'SystemdCgroup = false',
      ]);
    });
  }

  for (const version of ['2.0', '2.1']) {
    test(`${version} gets the third form`, () => {
      const text = renderContainerdConfig(config, version);
      assert.match(text, /^version = 3\n/);
      assert.deepEqual(section(text, 'plugins."io.containerd.cri.v1.images".pinned_images'), ['sandbox = "skiff.dev/pause:1"']);
      assert.deepEqual(section(text, 'plugins."io.containerd.cri.v1.runtime".cni'), [
        'bin_dirs = ["/opt/cni"]',
        'conf_dir = "/etc/cni"',
      ]);
    });
  }

  test('versions before 1.6 are refused with what to do', () => {
    assert.throws(() => renderContainerdConfig(config, '1.4'), /1\.4 is too old: install 1\.6/);
  });

  test('settings of the node appear', () => {
    const text = renderContainerdConfig(
      { ...config, restrictOomScoreAdj: true, sharedShim: true, cgroupDriver: 'systemd' },
      '1.7',
    );
    assert.doesNotMatch(text, /oom_score = /);
    assert.match(text, /restrict_oom_score_adj = true/);
    assert.match(text, /pod_annotations = \["io\.containerd\.runc\.v2\.group"\]/);
    assert.match(text, /SystemdCgroup = true/);
  });
});
