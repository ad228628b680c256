import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';

interface Finding {
  readonly level: 'ok' | 'warn' | 'fail';
  readonly what: string;
  /** What to do. */
  readonly hint?: string;
}

/** `skiff check-config`: looks at everything pods need of this machine. Exit code 1 when something makes pods impossible. */
export function runCheckConfig(): void {
  const findings = [...checkUser(), ...checkPrograms(), ...checkCgroups(), ...checkKernel(), ...checkMemory()];
  const marks = { ok: 'ok  ', warn: 'WARN', fail: 'FAIL' } as const;
  for (const { level, what, hint } of findings) console.log(`${marks[level]}  ${what}${hint ? `\n      → ${hint}` : ''}`);
  if (findings.some((f) => f.level === 'fail')) process.exit(1);
}

function checkUser(): Finding[] {
  const root = process.getuid?.() === 0;
  return [
    root ? { level: 'ok', what: 'running as root' } : { level: 'fail', what: 'not running as root', hint: 'try again with sudo' },
  ];
}

function checkPrograms(): Finding[] {
  const needed = [
    ['ip', 'iproute2'],
    ['nft', 'nftables'],
    ['mount', 'mount'],
  ] as const;
  return needed.map(([program, debianPackage]) =>
    findProgram(program)
      ? { level: 'ok', what: `the program ${program} is there` }
      : { level: 'fail', what: `the program ${program} is missing`, hint: `sudo apt-get install ${debianPackage}` },
  );
}

function findProgram(name: string): boolean {
  return [...(process.env['PATH'] ?? '').split(':'), '/usr/sbin', '/sbin'].some((folder) => {
    try {
      accessSync(`${folder}/${name}`, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function checkCgroups(): Finding[] {
  const version2 = existsSync('/sys/fs/cgroup/cgroup.controllers');
  const controllers = version2 ? read('/sys/fs/cgroup/cgroup.controllers').trim().split(' ') : enabledControllers();
  const boot = existsSync('/boot/firmware/cmdline.txt') ? '/boot/firmware/cmdline.txt' : '/boot/cmdline.txt';
  return [
    { level: 'ok', what: `cgroups version ${version2 ? 2 : 1}` },
    ...['cpu', 'memory', 'pids'].map((name): Finding => {
      if (controllers.includes(name)) return { level: 'ok', what: `cgroup controller ${name}` };
      const hint =
        name === 'memory'
          ? `it is off by default on Raspberry Pi OS: sudo sed -i '1 s/$/ cgroup_memory=1 cgroup_enable=memory/' ${boot} && sudo reboot`
          : 'use a kernel that has it';
      return { level: 'fail', what: `the cgroup controller ${name} is off`, hint };
    }),
  ];
}

function enabledControllers(): string[] {
  return read('/proc/cgroups')
    .split('\n')
    .map((line) => line.split('\t'))
    .filter((columns) => columns[3] === '1')
    .map((columns) => columns[0]!);
}

/** Modules pods and services need: present when loaded, built in, or loadable. */
function checkKernel(): Finding[] {
  return ['overlay', 'br_netfilter', 'vxlan', 'nf_tables', 'nf_conntrack'].map((name) =>
    hasModule(name)
      ? { level: 'ok', what: `kernel module ${name}` }
      : {
          level: 'warn',
          what: `the kernel module ${name} was not found`,
          hint: `sudo modprobe ${name}; if that fails, install your distribution's standard kernel`,
        },
  );
}

function hasModule(name: string): boolean {
  if (existsSync(`/sys/module/${name}`)) return true;
  if (name === 'overlay' && read('/proc/filesystems').includes('overlay')) return true;
  if (name === 'br_netfilter' && existsSync('/proc/sys/net/bridge')) return true;
  try {
    execFileSync('modprobe', ['--dry-run', name], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Below this a Raspberry Pi swaps as soon as it runs a few pods. */
const comfortableMemoryMb = 900;
/** With 16 KiB pages, huge pages for everything cost a third more memory. */
const basePageBytes = 4096;

function checkMemory(): Finding[] {
  const totalMb = Math.round(Number(/MemTotal:\s+(\d+)/.exec(read('/proc/meminfo'))?.[1] ?? 0) / 1024);
  const findings: Finding[] = [
    totalMb >= comfortableMemoryMb
      ? { level: 'ok', what: `${totalMb} MB of memory` }
      : { level: 'warn', what: `${totalMb} MB of memory is little`, hint: 'start with --shared-shim; run few pods' },
  ];
  const pageBytes = Number(execFileSync('getconf', ['PAGESIZE'], { encoding: 'utf8' }));
  if (read('/sys/kernel/mm/transparent_hugepage/enabled').includes('[always]') && pageBytes > basePageBytes) {
    findings.push({
      level: 'warn',
      what: `transparent huge pages are always on with pages of ${pageBytes} bytes: about 30 MB more memory`,
      hint: 'echo madvise | sudo tee /sys/kernel/mm/transparent_hugepage/enabled',
    });
  }
  return findings;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
