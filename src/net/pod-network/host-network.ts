import { execFile } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';

/** An interface of the host and the address that was asked for. */
export interface Uplink {
  readonly name: string;
  readonly mtu: number;
}

/** What the pod network does to the host. A fake stands in for it in tests. */
export interface HostNetwork {
  /** Runs `ip -batch`; with `force` the rest goes on after a failed line. */
  ip(commands: readonly string[], options?: { force?: boolean }): Promise<void>;
  /** Runs `bridge -batch`. */
  bridge(commands: readonly string[], options?: { force?: boolean }): Promise<void>;
  /** The interface that has this address. Throws with a hint when none has. */
  uplinkOf(nodeIp: string): Promise<Uplink>;
  linkExists(name: string): Promise<boolean>;
  /** True when packets to this address would leave the host somehow. */
  hasRoute(ip: string): Promise<boolean>;
  /** Writes a kernel setting if it exists and differs. */
  sysctl(name: string, value: string): Promise<void>;
}

const commandTimeoutMs = 20_000;

export const systemHostNetwork: HostNetwork = {
  ip: (commands, options) => batch('ip', commands, options?.force ?? false),
  bridge: (commands, options) => batch('bridge', commands, options?.force ?? false),
  async uplinkOf(nodeIp) {
    const links = JSON.parse(await run('ip', ['-json', 'address', 'show'])) as {
      ifname: string;
      mtu: number;
      addr_info: { local?: string }[];
    }[];
    const link = links.find((l) => l.addr_info.some((a) => a.local === nodeIp));
    if (!link)
      throw new Error(`no interface of this machine has the node address ${nodeIp}: set --node-ip to an address that it has`);
    return { name: link.ifname, mtu: link.mtu };
  },
  async linkExists(name) {
    const links = JSON.parse(await run('ip', ['-json', 'link', 'show'])) as { ifname: string }[];
    return links.some((l) => l.ifname === name);
  },
  async hasRoute(ip) {
    try {
      await run('ip', ['route', 'get', ip]);
      return true;
    } catch {
      return false;
    }
  },
  async sysctl(name, value) {
    const file = `/proc/sys/${name.replaceAll('.', '/')}`;
    const current = await readFile(file, 'utf8').catch(() => undefined);
    if (current !== undefined && current.trim() !== value) await writeFile(file, value);
  },
};

async function batch(program: string, commands: readonly string[], force: boolean): Promise<void> {
  if (commands.length === 0) return;
  await run(program, [...(force ? ['-force'] : []), '-batch', '-'], `${commands.join('\n')}\n`, force);
}

function run(program: string, args: readonly string[], input?: string, tolerant = false): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { timeout: commandTimeoutMs, maxBuffer: 4 << 20 }, (error, stdout, stderr) => {
      if (!error || (tolerant && error.code !== undefined && typeof error.code === 'number')) resolve(stdout);
      else reject(new Error(`${program} ${args.join(' ')}: ${stderr.trim() || error.message}`, { cause: error }));
    });
    // A program that has already ended says why by its exit code.
    child.stdin?.on('error', () => {}).end(input ?? '');
  });
}
