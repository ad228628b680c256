import { execFile, execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** What a root shell of a fresh Debian has. */
const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
const timeoutMs = 240_000;

export interface Outcome {
  readonly code: number;
  /** Standard output and standard error. */
  readonly output: string;
}

/**
 * A place where install.sh can do what it does to a machine without touching this one: copies of /etc, /var/lib, /var/log and /usr/sbin that end
 * with the namespaces, an empty /usr/local/bin, and a network card. Only inside `isolated`.
 */
export class InstallationPlace {
  readonly #folder: string;
  readonly #environment: Readonly<Record<string, string>>;

  constructor(place: { readonly folder: string; readonly cgroupRoot: string }) {
    this.#folder = place.folder;
    writeFileSync(join(place.folder, 'resolv.conf'), '');
    this.#environment = {
      PATH: defaultPath,
      HOME: place.folder,
      SKIFF_CGROUP_ROOT: place.cgroupRoot,
      SKIFF_RESOLV_CONF: join(place.folder, 'resolv.conf'),
    };
    for (const path of ['/etc', '/var/lib', '/var/log', '/usr/sbin']) this.#overlay(path);
    for (const path of ['/usr/local/bin', '/var/lib/skiff', '/boot']) this.#replace(path);
    shell(`
      ip link add eth0 type veth peer name switch; ip link set switch up; ip link set eth0 up
      ip address add 192.168.77.11/24 dev eth0; ip route add default via 192.168.77.1
    `);
  }

  /** Runs install.sh of this checkout with these variables and arguments, in the network of another machine if asked. */
  install(variables: Readonly<Record<string, string>>, ...args: string[]): Promise<Outcome> {
    return this.run(['sh', resolve('install.sh'), ...args], variables);
  }

  run(command: readonly string[], variables: Readonly<Record<string, string>> = {}): Promise<Outcome> {
    const options = { env: { ...this.#environment, ...variables }, cwd: this.#folder, timeout: timeoutMs };
    return new Promise((done) => {
      const child = execFile(command[0]!, command.slice(1), options, (error, stdout, stderr) => {
        const code = error === null ? 0 : typeof error.code === 'number' ? error.code : 1;
        done({ code, output: stdout + stderr });
      });
      child.stdin!.end();
    });
  }

  /** A program that notes how it was called, for what this machine does not have. Returns the file of notes. */
  addFakeProgram(path: string): string {
    const notes = join(this.#folder, `${path.slice(path.lastIndexOf('/') + 1)}.calls`);
    writeFileSync(notes, '');
    writeFileSync(path, `#!/bin/sh\necho "$*" >>${notes}\n`, { mode: 0o755 });
    return notes;
  }

  #overlay(path: string): void {
    const folders = join(this.#folder, `over${path.replaceAll('/', '-')}`);
    mkdirSync(join(folders, 'work'), { recursive: true });
    mkdirSync(join(folders, 'upper'));
    shell(`mount -t overlay overlay -o lowerdir=${path},upperdir=${folders}/upper,workdir=${folders}/work ${path}`);
  }

  #replace(path: string): void {
    const folder = join(this.#folder, `own${path.replaceAll('/', '-')}`);
    mkdirSync(folder);
    mkdirSync(path, { recursive: true });
    shell(`mount --bind ${folder} ${path}`);
  }
}

/** Runs a script as root; throws when a command of it fails. Returns what it printed. */
export function shell(script: string): string {
  return execFileSync('sh', ['-ec', script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}
