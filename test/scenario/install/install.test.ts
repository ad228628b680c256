import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import { before, describe, it } from 'node:test';
import { buildBusyboxTar } from '../../support/containerd-fixture.ts';
import { eventually } from '../../support/eventually.ts';
import { InstallationPlace, type Outcome, shell } from '../../support/installation.ts';
import { isolated } from '../../support/isolated.ts';
import { exampleImage } from '../../support/machines.ts';

const agentNetwork = 'pi2';

isolated(import.meta.url, (isolation) => {
  const release = join(isolation.folder, 'release');
  const place = new InstallationPlace(isolation);
  const mirror = { INSTALL_SKIFF_MIRROR: release, SKIFF_NODE_NAME: 'pi1' };
  const kubectl = async (...args: string[]): Promise<string> => succeeded(await place.run(['skiff', 'kubectl', ...args]));
  const pid = (): string => readFileSync('/run/skiff/skiff.pid', 'utf8').trim();

  before(() => {
    execFileSync(process.execPath, ['build/release.ts', '--quick', process.arch], { stdio: 'inherit' });
    cpSync('dist/release-quick', release, { recursive: true });
    // First of all: ip mounts its folder of networks twice when it finds some that others made.
    shell(`ip netns add ${agentNetwork}`);
    mkdirSync('/var/lib/skiff/agent/images', { recursive: true });
    writeFileSync('/var/lib/skiff/agent/images/busybox.tar', buildBusyboxTar(exampleImage));
  });

  describe('install.sh refuses', () => {
    const refusals: readonly [what: string, variables: Record<string, string>, message: RegExp][] = [
      [
        'an agent without a token',
        { SKIFF_URL: 'https://192.168.77.11:6443' },
        /SKIFF_TOKEN: on the server run: cat .*node-token/,
      ],
      ['an agent without a server', { INSTALL_SKIFF_TYPE: 'agent' }, /SKIFF_URL=https/],
      ['a server over http', { SKIFF_URL: 'http://192.168.77.11:6443', SKIFF_TOKEN: 'x' }, /must start with https/],
      ['a mirror over http', { INSTALL_SKIFF_MIRROR: 'http://192.168.77.11' }, /https:\/\/ or file:\/\/ URL or a folder/],
      ['a mirror without a release', { INSTALL_SKIFF_MIRROR: isolation.folder }, /cannot read .*SHA256SUMS/],
      ['a type that is none', { INSTALL_SKIFF_TYPE: 'master' }, /must be server or agent, not 'master'/],
    ];
    for (const [what, variables, message] of refusals) {
      it(what, async () => {
        const { code, output } = await place.install({ ...mirror, ...variables });
        assert.equal(code, 1, output);
        assert.match(output, message);
      });
    }

    it('a release whose checksum is wrong', async () => {
      const damaged = join(isolation.folder, 'damaged');
      cpSync(release, damaged, { recursive: true });
      appendFileSync(join(damaged, `skiff-linux-${process.arch}.xz`), 'x');
      const { code, output } = await place.install({ INSTALL_SKIFF_MIRROR: damaged });
      assert.equal(code, 1, output);
      assert.match(output, /the download is damaged/);
      assert.deepEqual(readdirSync('/usr/local/bin'), []);
    });
  });

  describe('install.sh writes', () => {
    it('programs and scripts, and starts nothing when asked', async () => {
      const { code, output } = await place.install({
        ...mirror,
        INSTALL_SKIFF_SKIP_START: 'true',
        INSTALL_SKIFF_SYMLINK: 'force',
        INSTALL_SKIFF_EXEC: 'server --disable-agent',
      });
      assert.equal(code, 0, output);
      assert.match(output, /Not started, as asked/);
      assert.deepEqual(readdirSync('/usr/local/bin').sort(), ['kubectl', 'skiff', 'skiff-killall', 'skiff-uninstall']);
      assert.equal(readlinkSync('/usr/local/bin/kubectl'), 'skiff');
      assert.ok(!existsSync('/run/skiff/skiff.pid'));
      assert.equal(statSync('/etc/skiff/skiff.env').mode & 0o777, 0o600);
      assert.match(readFileSync('/etc/skiff/skiff.env', 'utf8'), /^SKIFF_NODE_NAME='pi1'$/m);
    });

    it('a systemd unit', async () => {
      const calls = place.addFakeProgram('/usr/sbin/systemctl');
      shell('mkdir -p /run/systemd/system');
      const arguments_ = ['server', '--node-label', "name=it's 100% $HOME"];
      const { code, output } = await place.install({ ...mirror, INSTALL_SKIFF_SKIP_START: 'true' }, ...arguments_);
      shell('rm -r /run/systemd /usr/sbin/systemctl');
      assert.equal(code, 0, output);
      const unit = readFileSync('/etc/systemd/system/skiff.service', 'utf8');
      assert.match(unit, /^Type=notify$/m);
      assert.match(unit, /^KillMode=process$/m);
      assert.match(unit, /^EnvironmentFile=-\/etc\/skiff\/skiff.env$/m);
      assert.match(unit, /^ExecStart=\/usr\/local\/bin\/skiff server '--node-label' 'name=it'\\''s 100%% \$\$HOME'$/m);
      assert.equal(readFileSync(calls, 'utf8'), 'daemon-reload\nenable -q skiff\n');
    });

    it('an OpenRC script', async () => {
      for (const name of ['openrc-run', 'rc-service']) place.addFakeProgram(`/usr/sbin/${name}`);
      const calls = place.addFakeProgram('/usr/sbin/rc-update');
      const { code, output } = await place.install({ ...mirror, INSTALL_SKIFF_SKIP_START: 'true' });
      shell('rm /usr/sbin/openrc-run /usr/sbin/rc-service /usr/sbin/rc-update');
      assert.equal(code, 0, output);
      shell('sh -n /etc/init.d/skiff');
      assert.match(readFileSync('/etc/init.d/skiff', 'utf8'), /^command_args="server"$/m);
      assert.equal(readFileSync(calls, 'utf8'), 'add skiff default\n');
    });

    it('shell scripts without findings', () => {
      shell(`shellcheck ${resolve('install.sh')} /usr/local/bin/skiff-killall /usr/local/bin/skiff-uninstall`);
    });
  });

  describe('the memory cgroup', () => {
    const commandLine = '/boot/firmware/cmdline.txt';
    const version1 = 'mount -t tmpfs tmpfs /sys/fs/cgroup; mount --bind "$1" /proc/cgroups';
    const version2 = 'mount -t tmpfs tmpfs /sys/fs/cgroup; cp "$1" /sys/fs/cgroup/cgroup.controllers';
    const installWith = (setUp: string, content: string, variables: Record<string, string>): Promise<Outcome> => {
      writeFileSync(join(isolation.folder, 'cgroups'), content);
      mkdirSync('/boot/firmware', { recursive: true });
      writeFileSync(commandLine, 'console=tty1 root=PARTUUID=0-2 rootwait\n');
      const script = `${setUp}; exec sh ${resolve('install.sh')}`;
      return place.run(['unshare', '--mount', 'sh', '-ec', script, 'sh', join(isolation.folder, 'cgroups')], {
        ...mirror,
        INSTALL_SKIFF_SKIP_START: 'true',
        ...variables,
      });
    };
    const v1 = (enabled: 0 | 1): string => `#subsys_name\thierarchy\tnum_cgroups\tenabled\nmemory\t0\t97\t${enabled}\n`;

    for (const [what, setUp, off, on] of [
      ['version 1', version1, v1(0), v1(1)],
      ['version 2', version2, 'cpuset cpu io pids\n', 'cpuset cpu io memory pids\n'],
    ] as const) {
      it(`${what}: says how to switch it on when it is off, and changes nothing unasked`, async () => {
        const { code, output } = await installWith(setUp, off, {});
        assert.equal(code, 0, output);
        assert.match(output, /the memory cgroup is off.*\n.*sudo sed -i .*cmdline.txt && sudo reboot/);
        assert.doesNotMatch(readFileSync(commandLine, 'utf8'), /cgroup/);
      });

      it(`${what}: says nothing when it is on`, async () => {
        const { code, output } = await installWith(setUp, on, {});
        assert.equal(code, 0, output);
        assert.doesNotMatch(output, /cgroup/);
      });
    }

    it('is added to the boot command line once, when that is asked for', async () => {
      const variables = { INSTALL_SKIFF_ENABLE_CGROUPS: 'true', INSTALL_SKIFF_SKIP_START: '' };
      const { code, output } = await installWith(version2, 'cpu pids\n', variables);
      assert.equal(code, 0, output);
      assert.match(output, /Reboot/);
      assert.equal(
        readFileSync(commandLine, 'utf8'),
        'console=tty1 root=PARTUUID=0-2 rootwait cgroup_memory=1 cgroup_enable=memory\n',
      );
      assert.equal(readFileSync(`${commandLine}.before-skiff`, 'utf8'), 'console=tty1 root=PARTUUID=0-2 rootwait\n');
      assert.ok(!existsSync('/run/skiff/skiff.pid'));
    });
  });

  describe('an installed server', () => {
    let linksBefore: string;

    it('is Ready when install.sh ends', async () => {
      linksBefore = shell('ip -brief link | cut -d " " -f 1 | sort');
      const { code, output } = await place.install(mirror);
      assert.equal(code, 0, `${output}\n${existsSync('/var/log/skiff.log') ? readFileSync('/var/log/skiff.log', 'utf8') : ''}`);
      assert.match(output, /node pi1: Ready/);
      assert.match(await kubectl('get', 'nodes'), /^pi1 +Ready/m);
    });

    it('is left alone by a second installation', async () => {
      const first = pid();
      const { code, output } = await place.install(mirror);
      assert.equal(code, 0, output);
      assert.match(output, /Nothing changed, and it is running/);
      assert.equal(pid(), first);
    });

    it('runs pods, also while it is restarted', async () => {
      await kubectl('create', 'deployment', 'hello', `--image=${exampleImage}`, '--', 'sleep', '3600');
      await kubectl('rollout', 'status', 'deployment/hello', '--timeout=60s');
      const first = pid();
      const { code, output } = await place.install({ ...mirror, INSTALL_SKIFF_FORCE_RESTART: 'true' });
      assert.equal(code, 0, output);
      assert.notEqual(pid(), first);
      assert.match(await kubectl('get', 'pods'), /Running +0 /);
    });

    it('is joined by an agent, and outlives its removal', async () => {
      shell(`
        ip link add br0 type bridge; ip link set br0 up; ip link set switch master br0
        ip link add port2 type veth peer name eth0 netns ${agentNetwork}; ip link set port2 master br0 up
        ip -n ${agentNetwork} link set lo up; ip -n ${agentNetwork} link set eth0 up
        ip -n ${agentNetwork} address add 192.168.77.12/24 dev eth0; ip -n ${agentNetwork} route add default via 192.168.77.1
      `);
      const folder = join(isolation.folder, 'pi2');
      for (const name of ['data', 'etc', 'log']) mkdirSync(join(folder, name), { recursive: true });
      const variables = {
        ...mirror,
        SKIFF_NODE_NAME: 'pi2',
        SKIFF_DATA_DIR: join(folder, 'data'),
        SKIFF_RUN_DIR: '/run/skiff-pi2',
        SKIFF_CGROUP_ROOT: `${isolation.cgroupRoot}/pi2`,
        INSTALL_SKIFF_BIN_DIR: join(folder, 'bin'),
        SKIFF_URL: 'https://192.168.77.11:6443',
        SKIFF_TOKEN: readFileSync('/var/lib/skiff/server/node-token', 'utf8').trim(),
      };
      const ownFolders = 'mount --bind etc /etc/skiff; mount --bind log /var/log; exec "$@"';
      const inside = (...command: string[]): Promise<Outcome> => {
        const net = `--net=/run/netns/${agentNetwork}`;
        return place.run(
          ['nsenter', net, `--wd=${folder}`, 'unshare', '--mount', 'sh', '-ec', ownFolders, 'sh', ...command],
          variables,
        );
      };
      const joined = await inside('sh', resolve('install.sh'));
      assert.equal(joined.code, 0, joined.output);
      await eventually('pi2 Ready', async () => /^pi2 +Ready/m.test(await kubectl('get', 'nodes')), 30_000);
      const removed = await inside(join(folder, 'bin/skiff-uninstall'));
      assert.equal(removed.code, 0, removed.output);
      for (const name of ['bin', 'etc', 'log']) assert.deepEqual(readdirSync(join(folder, name)), [], name);
      assert.ok(!existsSync(join(folder, 'data')));
      assert.deepEqual(commandLines(`${folder}/`), []);
      assert.match(await kubectl('get', 'pods'), /Running/);
      shell(`ip netns delete ${agentNetwork}; ip link delete br0`);
    });

    it('leaves nothing running or mounted after skiff-killall', async () => {
      const { code, output } = await place.run(['/usr/local/bin/skiff-killall']);
      assert.equal(code, 0, output);
      assert.deepEqual(commandLines('skiff/'), []);
      assert.deepEqual(commandLines('sleep 3600'), []);
      assert.equal(shell('grep -E " /(run/skiff|var/lib/skiff/|run/netns/cni)" /proc/mounts || true'), '');
      assert.equal(shell('ip -brief link | cut -d " " -f 1 | sort'), linksBefore);
      assert.equal(shell('nft list tables'), '');
      assert.equal(shell(`find /sys/fs/cgroup -path '*${isolation.cgroupRoot}/kubepods*' -type d 2>/dev/null || true`), '');
      assert.equal(shell('find /run/skiff /run/containerd 2>/dev/null || true'), '');
      assert.ok(existsSync('/var/lib/skiff/server/db/state.db'));
    });

    it('is gone after skiff-uninstall', async () => {
      const { code, output } = await place.run(['/usr/local/bin/skiff-uninstall']);
      assert.equal(code, 0, output);
      assert.deepEqual(readdirSync('/usr/local/bin'), []);
      assert.deepEqual(readdirSync('/var/lib/skiff'), []);
      for (const path of ['/etc/skiff', '/var/log/skiff.log', '/var/log/pods']) assert.ok(!exists(path), path);
    });
  });
});

function succeeded({ code, output }: Outcome): string {
  assert.equal(code, 0, output);
  return output;
}

function exists(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** The command lines that mention a word, of everything that runs in the namespaces of this test apart from the test itself. */
function commandLines(word: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid && Number(name) !== 1)
    .map((name) => {
      try {
        return readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
      } catch {
        return '';
      }
    })
    .filter((command) => command.includes(word));
}
